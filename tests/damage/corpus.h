// A small collection as bytes, made through the public API, and what it answers: the ground of the damage tests.
// Thread-compatible.
#ifndef VARVE_TESTS_DAMAGE_CORPUS_H_
#define VARVE_TESTS_DAMAGE_CORPUS_H_

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/collection.h"
#include "varve/file_system.h"

namespace varve::testing {

inline constexpr char kCorpusDirectory[] = "/c";

// Everything that a collection answers to a fixed set of questions.
struct Answers {
  using Row =
      std::tuple<std::string, std::string, std::vector<float>, std::string>;  // namespace, key, vector, metadata
  std::vector<Row> scan;
  std::vector<Row> gets;
  std::vector<std::vector<std::pair<std::string, float>>> searches;  // key and distance, best first
  uint64_t matching = 0;                                             // records that a filter counts

  friend bool operator==(const Answers&, const Answers&) = default;
};

// Asks: a scan, gets of present and absent keys, exact and approximate searches, with filters and without,
// a count by filter. The first failure ends it.
absl::StatusOr<Answers> Ask(Collection* collection);

struct Corpus {
  std::map<std::string, std::string> files;  // by name relative to the collection
  Answers answers;                           // of all that was written
  Answers answers_before_last;               // without the last batch
};

// Two segments (one with an HNSW index and a deletion bitmap), two checkpoints, and a log with rows behind them. With
// `closed` it was closed cleanly; else it is what a SIGKILL leaves.
absl::StatusOr<Corpus> MakeCorpus(bool closed);

// A file system of its own that holds these files.
std::unique_ptr<FileSystem> Restore(const std::map<std::string, std::string>& files);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_CORPUS_H_
