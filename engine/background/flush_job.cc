#include "engine/background/flush_job.h"

#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/background/memtable_rows.h"
#include "engine/background/segment_builder.h"
#include "engine/observe/job_observer.h"

namespace varve {
namespace {

absl::Status Flush(CollectionState* state, Publisher* publisher, const std::shared_ptr<Memtable>& memtable,
                   const Cancellation* cancellation, MaintenanceResult* result) {
  MemtableRows source(*memtable, state->visible.load(std::memory_order_seq_cst));
  Publication publication;
  publication.flushed = memtable;
  publication.fold_all = true;
  uint64_t bytes = 0;
  const uint32_t rows = source.rows();
  if (!source.empty()) {
    const FileId id = state->file_ids.Reserve();
    absl::StatusOr<BuiltSegment> built = BuildSegment(*state, id, {.level = 0}, &source, {}, cancellation);
    if (!built.ok()) {
      state->file_ids.Settle(id);
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
