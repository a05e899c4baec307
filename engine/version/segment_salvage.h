// RecoveryMode::kSalvage, as far as segments go: what is whole is used as it is; of a damaged segment every live row
// whose bytes are good goes into the memtable, from which the first flush writes it into a new one; the account says
// what was kept and what was not. docs/recovery.md, "Salvage".
#ifndef VARVE_ENGINE_VERSION_SEGMENT_SALVAGE_H_
#define VARVE_ENGINE_VERSION_SEGMENT_SALVAGE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/version/collection_state.h"
#include "engine/version/read_view.h"
#include "manifest.pb.h"
#include "varve/stats.h"

namespace varve {

// Reads every byte of every segment. Thread-compatible.
class SegmentSalvage {
 public:
  // Changes `view`, which nobody else sees yet and which has a memtable.
  SegmentSalvage(const CollectionState& state, ReadView* view) : state_(state), view_(view) {}

  // The segments that a manifest names. Errors: failures that are no damage, and what a later version wrote.
  absl::Status AddNamed(const pb::Manifest& manifest);
  // One that the log alone names, a bulk load's: the part if it is whole, which the caller enters; else empty, and its
  // good rows have been taken over. Errors: as AddNamed.
  absl::StatusOr<std::optional<SegmentPart>> OpenIngested(const pb::SegmentEntry& entry);

  // Of every segment and bitmap that was looked at.
  const std::vector<SalvagedFile>& account() const { return account_; }
  // A line for each that is not whole.
  const std::vector<std::string>& report() const { return report_; }

 private:
  // A segment as it was found.
  struct Found {
    pb::SegmentEntry entry;
    std::shared_ptr<const Segment> segment;       // null: it cannot be opened
    std::shared_ptr<const SegmentHandle> handle;  // of one that is whole
    std::shared_ptr<const RowSet> dead;
    bool bitmap_lost = false;
    SalvagedFile account;
  };

  // A memtable for all rows of the segments that are not whole: one flush, and so one generation, replaces them all.
  absl::Status MakeRoom(absl::Span<const Found> segments);
  absl::StatusOr<Found> Find(const pb::SegmentEntry& entry);
  absl::Status FindBitmap(Found* found);
  SegmentPart MakePart(const Found& found) const;
  // Of rows that a lost bitmap may have listed, those whose key has a newer row elsewhere are dead.
  absl::Status KillOutdated(const SegmentPart& part);
  absl::Status TakeRows(Found* found);
  // False: the row cannot be read.
  absl::StatusOr<bool> TakeRow(const Segment& segment, RowId row, absl::Span<const int64_t> expiry);
  void Finish(Found* found);

  const CollectionState& state_;
  ReadView* const view_;
  std::set<FileId> named_;  // segments of the manifest
  bool is_replaying_ = false;
  std::vector<SalvagedFile> account_;
  std::vector<std::string> report_;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_SEGMENT_SALVAGE_H_
