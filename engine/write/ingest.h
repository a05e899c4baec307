// A segment that enters the collection from outside the log: which rows die for it, and the step by which it does.
#ifndef VARVE_ENGINE_WRITE_INGEST_H_
#define VARVE_ENGINE_WRITE_INGEST_H_

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/version/read_view.h"
#include "engine/version/row_access.h"
#include "engine/write/memtable.h"

namespace varve {

// The rows of a view that a set of keys replaces. Thread-compatible.
class ReplacedRows {
 public:
  // `fresh` holds the keys. Looks each of them up in `view`, which stays pinned while this object lives.
  static absl::StatusOr<ReplacedRows> Find(const Memtable& fresh, std::shared_ptr<const ReadView> view);

  // Whether the locations are still those of `view`, which is the current one; only rows have come since.
  bool IsFor(const ReadView* view) const { return view_.get() == view; }
  // Adds the rows that were written to the newest memtable since. Only in the exclusion of the write queue.
  absl::Status AddNewer(const Memtable& fresh);
  // Kills them all, but for those that have died since. Only in the exclusion of the write queue; cannot fail.
  void Kill(Sequence killer) const;

 private:
  explicit ReplacedRows(std::shared_ptr<const ReadView> view) : view_(std::move(view)) {}

  std::shared_ptr<const ReadView> view_;
  uint32_t known_rows_ = 0;  // of the newest memtable
  std::vector<RowLocation> rows_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_INGEST_H_
