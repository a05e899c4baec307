// A cell's collection as bytes, made through the public API, and what it answers. Thread-compatible.
#ifndef VARVE_TESTS_DAMAGE_CORPUS_H_
#define VARVE_TESTS_DAMAGE_CORPUS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "tests/damage/cells.h"
#include "varve/collection.h"
#include "varve/file_system.h"

namespace varve::testing {

inline constexpr char kCorpusDirectory[] = "/c";
// When the corpora are written, and read.
inline constexpr int64_t kCorpusTime = 1'700'000'000'000'000;  // microseconds since 1970

using Files = std::map<std::string, std::string>;  // by name relative to the collection

struct Corpus {
  Cell cell;
  Files files;
  std::string answers;  // Ask() of all that was written
  // Of the last writes, what a damaged end of the newest log may leave: the states that nothing vouches for being
  // passed. Empty behind a clean close.
  std::set<std::string> shorter;
  std::set<std::string> prefixes;  // every state since the last publication
  std::set<std::string> records;   // every record line that was ever true
  std::string newest_log;          // its name; empty if there is none
};

// The same seed gives the same bytes, but for LOCK; `twin` the same rows in a collection of another uuid.
absl::StatusOr<Corpus> MakeCorpus(const Cell& cell, uint64_t seed, bool twin = false);

// A file system of its own that holds these files, and the names in `directories` as directories.
std::unique_ptr<FileSystem> Restore(const Files& files, const std::set<std::string>& directories = {});

// All files under a directory, by names relative to it.
absl::StatusOr<Files> ReadFiles(FileSystem* fs, const std::string& directory);

// How a corpus is opened: the clock stands where it stood at the end of the writing.
Options WriterOptions(FileSystem* fs, Clock* clock);
ReadOnlyOptions ReaderOptions(FileSystem* fs, Clock* clock);
int64_t ReadingTime();  // microseconds since 1970

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_CORPUS_H_
