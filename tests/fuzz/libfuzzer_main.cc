// One target under libFuzzer; which one is told by the build (VARVE_FUZZ_TARGET, the name of the function that gives
// it). With the one argument --write-seeds=FOLDER the program writes the target's seeds into that folder, its words
// into FOLDER.dict, and ends.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/random.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace varve::fuzz {
namespace {

const FuzzTarget& Target() {
  static const FuzzTarget target = VARVE_FUZZ_TARGET();
  return target;
}

void WriteSeeds(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const auto seeds = Target().seeds();
  for (size_t i = 0; i < seeds.size(); ++i) {
    std::ofstream(folder + "/seed-" + std::to_string(i), std::ios::binary) << seeds[i];
  }
  if (Target().words.empty()) return;  // libFuzzer takes no empty dictionary
  std::ofstream words(folder + ".dict");
  for (const std::string& word : Target().words) {
    words << '"';
    for (const char c : word) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      words << escaped;
    }
    words << "\"\n";
  }
}

// Changes a part of the input that the target names, and leaves its length.
void MutateRange(uint8_t* data, size_t size, Random* random) {
  const auto [offset, length] =
      Target().pick_range(std::string_view(reinterpret_cast<const char*>(data), size), random->Next());
  // Bytes that lie together are mostly of one thing.
  const size_t window = std::min<size_t>(length, size_t{1} << (3 + random->Below(8)));
  if (window == 0) return;
  const size_t begin = offset + random->Below(length - window + 1);
  LLVMFuzzerMutate(data + begin, window, window);
}

size_t Mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  const FuzzTarget& target = Target();
  if (target.pick_range != nullptr && size > 0 && random.Below(4) != 0) {
    for (uint64_t i = 0, n = 1 + random.Below(3); i < n; ++i) MutateRange(data, size, &random);
  } else {
    size = LLVMFuzzerMutate(data, size, max_size);
  }
  if (target.repair == nullptr || random.Below(4) == 0) return size;
  std::string repaired(reinterpret_cast<const char*>(data), size);
  target.repair(&repaired);
  if (repaired.size() > max_size) return size;
  std::memcpy(data, repaired.data(), repaired.size());
  return repaired.size();
}

}  // namespace
}  // namespace varve::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kWriteSeeds = "--write-seeds=";
  if (*argc == 2 && std::string_view((*argv)[1]).starts_with(kWriteSeeds)) {
    varve::fuzz::WriteSeeds((*argv)[1] + kWriteSeeds.size());
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::fuzz::Target().run(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return varve::fuzz::Mutate(data, size, max_size, seed);
}
