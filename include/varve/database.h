// A directory of collections that share threads, memory and a limit on background writing.
//
//   auto database = varve::Database::Open("/data");
//   auto things = (*database)->CreateCollection("things", varve::Schema::SingleVector(768, varve::Metric::kCosine));
//   (*things)->Put({.key = "a", .vectors = {{"", vector}}});
//
// Each collection is a directory of its own, DATABASE/NAME, which can as well be opened by itself (Collection::Open and
// OpenReadOnly, every command of the tool), moved, backed up or put in from a backup. The database adds a file DATABASE
// that marks the directory, and LOCK: one Database object at a time, in one process. Others may read the collections
// beside it (Collection::OpenReadOnly).
//
// Thread-safe.
#ifndef VARVE_DATABASE_H_
#define VARVE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/collection.h"
#include "varve/options.h"
#include "varve/schema.h"

namespace varve {

inline constexpr size_t kMaxCollectionNameBytes = 255;

// OK for the name of a collection in a database: 1 to 255 bytes, no '/', no control characters, not beginning with '.',
// not ending with ".tmp", and neither DATABASE nor LOCK. Errors: InvalidArgument that says which rule is broken.
absl::Status ValidateCollectionName(std::string_view name);

struct DatabaseOptions {
  // How its collections are opened. `threads` and `memory_bytes` are for all of them together: executors, a memory
  // budget and a rate limiter that are not given are made by the database and shared by its collections. Flushes have
  // `threads` threads; merges have others, of low priority, so that no flush waits for one. A quarter as many merges
  // run at once, and an index build has its part of `threads`.
  Options collections;
  // What merges of all collections may write per second: all bytes of their segments, but no flush, for which writers
  // would wait. More: merges end sooner, searches are disturbed more. 0: no limit. Unused if collections.rate_limiter
  // is set.
  uint64_t background_bytes_per_second = 0;
  // Make the directory, or mark one that is empty or holds nothing but collections, if it is no database yet.
  bool create_if_missing = true;
};

class Database {
 public:
  // Opens the directory, and removes what a crash left of dropped collections.
  // Errors: NotFound if it is not there (and is not to be made); FailedPrecondition if it holds something else, or
  // another Database object has it; Unimplemented for one of a newer version; DataLoss for a damaged marker.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& directory,
                                                        const DatabaseOptions& options = {});
  // Lets go of the directory as soon as the last handle of a collection is gone too: handles may outlive the database,
  // and go on working. Waits for drops to be finished.
  virtual ~Database() = default;

  // Makes a collection and opens it. Errors: InvalidArgument for a bad name or schema; AlreadyExists.
  virtual absl::StatusOr<std::shared_ptr<Collection>> CreateCollection(std::string_view name, const Schema& schema) = 0;
  // Gives the same object to all who ask while one of them holds it; it closes when the last one lets go. After a call
  // of its Close it stays closed for all of them until then.
  // Errors: NotFound; FailedPrecondition if another process has the collection open for writing; as Collection::Open.
  virtual absl::StatusOr<std::shared_ptr<Collection>> OpenCollection(std::string_view name) = 0;
  // The names, sorted. A damaged collection is listed too.
  virtual absl::StatusOr<std::vector<std::string>> ListCollections() const = 0;
  // Removes a collection with all that it holds; when this returns it is gone for good, also after a loss of power. Its
  // files are removed in the background. Those that read it in other processes keep the files that they have open.
  // Errors: NotFound; FailedPrecondition while a handle of it lives in this process (let go of all of them first: they
  // are not taken away from those who hold them), or another process has it open for writing.
  virtual absl::Status DropCollection(std::string_view name) = 0;

  virtual const std::string& directory() const = 0;

  // The names of the collections in a directory, without its lock and beside whoever holds it. Null: the operating
  // system's files. Errors: NotFound; FailedPrecondition if it is neither a database nor holds any collection.
  static absl::StatusOr<std::vector<std::string>> List(const std::string& directory, FileSystem* file_system = nullptr);
};

}  // namespace varve

#endif  // VARVE_DATABASE_H_
