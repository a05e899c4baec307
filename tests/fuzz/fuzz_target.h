// What a fuzzer is made of. Each target is a plain function, so that two programs can run it: libFuzzer's
// (libfuzzer_main.cc, Clang) and the replay of seeds and old findings in the ordinary suite (replay_test.cc).
// docs/testing.md, "Fuzzing".
#ifndef VARVE_TESTS_FUZZ_FUZZ_TARGET_H_
#define VARVE_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varve::fuzz {

// Stateless; thread-safe.
struct FuzzTarget {
  std::string_view name;
  // Any bytes will do. A finding ends the process: a sanitizer's report, or FUZZ_CHECK.
  void (*run)(std::string_view input);
  // Inputs as the engine writes them.
  std::vector<std::string> (*seeds)();
  // Makes every checksum of the input right, so that what lies behind them is reached. Null: the target has none.
  void (*repair)(std::string* input) = nullptr;
  // A range of the input that is worth changing by itself, chosen by `random`. Null: the whole.
  std::pair<size_t, size_t> (*pick_range)(std::string_view input, uint64_t random) = nullptr;
  // Pieces of the input's language, for libFuzzer's dictionary.
  std::vector<std::string> words = {};
};

FuzzTarget BitmapTarget();
FuzzTarget CheckpointTarget();
FuzzTarget CollectionFilesTarget();
FuzzTarget CollectionModelTarget();
FuzzTarget CursorTarget();
FuzzTarget DocumentsTarget();
FuzzTarget FilterTarget();
FuzzTarget HnswTarget();
FuzzTarget JsonLinesTarget();
FuzzTarget JsonTarget();
FuzzTarget KeyTableTarget();
FuzzTarget LogReplayTarget();
FuzzTarget ManifestTarget();
FuzzTarget MatrixTarget();
FuzzTarget SegmentTarget();
FuzzTarget SlotMapTarget();

// Prints what did not hold, and ends the process.
[[noreturn]] void Fail(std::string_view what, const char* file, int line);
inline std::string StatusText(const absl::Status& status) { return status.ToString(); }
template <typename T>
std::string StatusText(const absl::StatusOr<T>& value) {
  return value.status().ToString();
}
// Of code that makes inputs: what cannot fail.
template <typename T>
T Take(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status().ToString(), "seed", 0);
  return *std::move(value);
}

}  // namespace varve::fuzz

#define FUZZ_CHECK(condition) ((condition) ? static_cast<void>(0) : ::varve::fuzz::Fail(#condition, __FILE__, __LINE__))
// Of an absl::Status or StatusOr.
#define FUZZ_CHECK_OK(expression)                                                                           \
  do {                                                                                                      \
    if (const auto& fuzz_value_ = (expression); !fuzz_value_.ok()) {                                        \
      ::varve::fuzz::Fail(#expression " is " + ::varve::fuzz::StatusText(fuzz_value_), __FILE__, __LINE__); \
    }                                                                                                       \
  } while (false)

#endif  // VARVE_TESTS_FUZZ_FUZZ_TARGET_H_
