#include "engine/background/flush_job.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/background/build_resources.h"
#include "engine/background/memtable_rows.h"
#include "engine/background/segment_builder.h"
#include "engine/observe/job_observer.h"

namespace varve {
namespace {

// Writers wait for flushes, which must not wait for other builds: what there is no memory for is left to a merge, so
// that little is taken beyond the share.
absl::StatusOr<MemoryLease> LeaseMemory(const CollectionState& state, const Memtable& memtable, uint32_t rows,
                                        SegmentPurpose* purpose) {
  // Of what is not vectors there will be another copy.
  size_t vector_bytes = 0;
  for (const FieldSpec& field : state.schema.fields) vector_bytes += field.vector_bytes();
  const size_t row_bytes = memtable.bytes() - std::min(memtable.bytes(), memtable.rows() * vector_bytes);
  ASSIGN_OR_RETURN(const size_t wanted, BuildBytes(state, *purpose, rows, row_bytes));
  if (std::optional<MemoryLease> lease = MemoryLease::Try(state.budget, wanted); lease.has_value()) {
    return *std::move(lease);
  }
  purpose->max_index_bytes = 0;
  ASSIGN_OR_RETURN(const size_t needed, BuildBytes(state, *purpose, rows, row_bytes));
  return MemoryLease::Take(state.budget, needed);
}

absl::Status Flush(CollectionState* state, Publisher* publisher, const std::shared_ptr<Memtable>& memtable,
                   const Cancellation* cancellation, MaintenanceResult* result) {
  MemtableRows source(*memtable, state->visible.load(std::memory_order_seq_cst));
  Publication publication;
  publication.flushed = memtable;
  publication.fold_all = true;
  uint64_t bytes = 0;
  const uint32_t rows = source.rows();
  if (!source.empty()) {
    SegmentPurpose purpose;
    ASSIGN_OR_RETURN(const MemoryLease lease, LeaseMemory(*state, *memtable, rows, &purpose));
    const FileId id = state->file_ids.Reserve();
    absl::StatusOr<BuiltSegment> built = BuildSegment(*state, id, purpose, &source, {}, cancellation);
    if (!built.ok()) {
      if (!VARVE_SEEDED_BUG(kNeverSettled)) state->file_ids.Settle(id);
      return Annotate(built.status(), "flush");
    }
    bytes = built->entry.bytes();
    auto origin = std::make_shared<std::vector<const Memtable::Row*>>(source.TakeRows());
    Publication::Added added;
    added.handle = built->handle;
    added.entry = built->entry;
    added.deaths = [origin, memtable](const ReadView&, const std::function<void(RowId, Sequence)>& visit) {
      for (size_t row = 0; row < origin->size(); ++row) {
        const Sequence killer = (*origin)[row]->killer.load(std::memory_order_acquire);
        if (killer != 0) visit(static_cast<RowId>(row), killer);
      }
    };
    result->segments_added.push_back(id);
    publication.added.push_back(std::move(added));
  }
  if (absl::Status status = publisher->Publish(std::move(publication)); !status.ok()) {
    return Annotate(status, "flush");
  }
  result->rows_written += rows;
  result->bytes_written += bytes;
  return absl::OkStatus();
}

}  // namespace

absl::Status FlushMemtable(CollectionState* state, Publisher* publisher, const std::shared_ptr<Memtable>& memtable,
                           const Cancellation* cancellation, MaintenanceResult* result) {
  FlushObserver observer(*state, *memtable, *result);
  return observer.End(Flush(state, publisher, memtable, cancellation, result), *result);
}

}  // namespace varve
