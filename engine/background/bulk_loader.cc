#include "engine/background/bulk_loader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/background/index_policy.h"
#include "engine/background/memtable_rows.h"
#include "engine/background/segment_builder.h"
#include "engine/version/file_names.h"
#include "engine/version/row_access.h"
#include "engine/write/batch_validator.h"
#include "engine/write/ingest.h"

namespace varve {
namespace {

// Larger segments take longer to build per row, and more would be lost by a crash.
constexpr uint32_t kMaxSegmentRows = 262'144;
// Smaller ones are not made for want of memory.
constexpr uint32_t kFewestSegmentRows = 1024;
// Of a row in the memtable that sorts, beside its vectors: Row, key, a small document.
constexpr size_t kSortedRowBytes = 192;
// Look-ups are made again outside the queue, so often, when flushes or merges have moved rows; then inside.
constexpr int kFreeAttempts = 4;

size_t SortedRowBytes(const Schema& schema) {
  size_t bytes = kSortedRowBytes;
  for (const FieldSpec& field : schema.fields) bytes += field.vector_bytes() + 64;
  return bytes;
}

// A load takes at most three quarters of what all builds may have: so much for the memtable that sorts,
size_t SortBytes(const CollectionState& state) { return state.budget->share(MemoryBudget::Use::kBuilds) / 16 * 7; }
// and so much for the build.
size_t IndexBytes(const CollectionState& state) { return state.budget->share(MemoryBudget::Use::kBuilds) / 16 * 5; }

SegmentPurpose LoadPurpose(const CollectionState& state) {
  SegmentPurpose purpose;
  purpose.level = 1;
  purpose.ingested = true;
  purpose.max_index_bytes = IndexBytes(state);
  return purpose;
}

uint32_t SegmentRows(const CollectionState& state, uint32_t wanted) {
  const uint64_t sorted = SortBytes(state) / SortedRowBytes(state.schema);
  // Without memory for any graph the segments are scanned; fewer rows would not change that.
  const uint64_t indexed = std::max<uint64_t>(MaxRowsFor(state.schema, IndexBytes(state)), kFewestSegmentRows);
  const uint64_t most = std::max<uint64_t>(std::min(sorted, indexed), 1);
  return static_cast<uint32_t>(std::min<uint64_t>(wanted == 0 ? kMaxSegmentRows : wanted, most));
}

}  // namespace

BulkLoader::BulkLoader(CollectionState* state, WritePath* write_path, Maintenance* maintenance,
                       const std::atomic<bool>* closed, BulkLoadOptions options)
    : state_(state),
      write_path_(write_path),
      maintenance_(maintenance),
      closed_(closed),
      options_(std::move(options)),
      segment_rows_(SegmentRows(*state, options_.segment_rows)) {}

absl::Status BulkLoader::Begin() {
  write_path_->PaceLoad(*closed_);
  // A load never waits for memory: it may be held by another one of the same thread. It takes less, and at last little
  // beyond the share.
  uint32_t rows = segment_rows_;
  for (;; rows /= 2) {
    ASSIGN_OR_RETURN(const size_t build, BuildBytes(*state_, LoadPurpose(*state_), rows, rows * kSortedRowBytes));
    const size_t bytes = rows * SortedRowBytes(state_->schema) + build;
    if (std::optional<MemoryLease> lease = MemoryLease::Try(state_->budget, bytes); lease.has_value()) {
      lease_ = *std::move(lease);
      break;
    }
    if (rows < 2 * kFewestSegmentRows) {
      lease_ = MemoryLease::Take(state_->budget, bytes);
      break;
    }
  }
  // Documents may be large: a segment ends early then.
  const Memtable::Limits limits{.bytes = rows * SortedRowBytes(state_->schema), .rows = rows};
  fresh_ = std::make_shared<Memtable>(state_->schema, limits, state_->options.seed);
  return absl::OkStatus();
}

absl::Status BulkLoader::Add(RecordInput record) {
  if (closed_->load()) return FailedPrecondition(state_->directory + ": the collection is closed");
  WriteBatch batch;
  batch.Put(std::move(record));
  ASSIGN_OR_RETURN(const PreparedBatch prepared, PrepareBatch(state_->schema, batch));
  const PreparedOperation& operation = prepared.operations[0];
  NewRow row;
  row.ns = operation.ns;
  row.key = operation.key;
  row.vectors.assign(operation.vectors.begin(), operation.vectors.end());
  if (operation.metadata.has_value()) row.metadata = *operation.metadata;
  if (operation.payload.has_value()) row.payload = *operation.payload;
  const int64_t now_us = state_->clock.NowMicros();
  row.created_at_us = row.updated_at_us = now_us;
  if (operation.ttl_seconds.has_value()) row.expires_at_ms = now_us / 1000 + *operation.ttl_seconds * 1000;
  {
    const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
    ASSIGN_OR_RETURN(const RowLocation old, FindLiveRow(pin.view(), row.ns, row.key, pin.point.visible));
    if (old.found()) {
      ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(old));
      if (facts.expires_at_ms > now_us / 1000) {
        if (options_.insert) return AlreadyExists("key " + Quoted(row.key) + ": there is a record already");
        row.created_at_us = facts.created_at_us;
      }
    }
  }
  if (fresh_ != nullptr && !fresh_->Fits(prepared.bytes, 1)) RETURN_IF_ERROR(Finish());
  if (fresh_ == nullptr) RETURN_IF_ERROR(Begin());
  Memtable::Row* before = fresh_->FindNewest(row.ns, row.key);
  if (before != nullptr && options_.insert) {
    return AlreadyExists("key " + Quoted(row.key) + ": was added before");
  }
  // Sequences of the sorting alone; readers see that of the whole segment.
  const Sequence born = fresh_->rows() + 1;
  if (before != nullptr) fresh_->Kill(before, born);
  fresh_->Insert(row, born);
  ++added_rows_;
  return absl::OkStatus();
}

absl::Status BulkLoader::Finish() {
  if (closed_->load()) return FailedPrecondition(state_->directory + ": the collection is closed");
  if (fresh_ == nullptr) return absl::OkStatus();
  MemtableRows source(*fresh_, fresh_->rows());
  SegmentPurpose purpose = LoadPurpose(*state_);
  if (options_.progress) {
    purpose.progress = [this](uint64_t done, uint64_t of) {
      options_.progress(durable_rows_ + (added_rows_ - durable_rows_) * done / std::max<uint64_t>(of, 1));
    };
  }
  const FileId id = state_->file_ids.Reserve();
  const absl::StatusOr<BuiltSegment> built = BuildSegment(*state_, id, purpose, &source, {}, nullptr);
  absl::Status status = built.status();
  if (status.ok()) status = Enter(built->entry, *fresh_);
  if (!status.ok()) {
    // A file that may be in the log is left to recovery.
    if (write_path_->log_status().ok()) {
      (void)state_->fs->RemoveFile(JoinPath(state_->directory, SegmentName(id)));
      state_->file_ids.Settle(id);
    }
    return Annotate(status, "bulk load");
  }
  state_->metrics->load_bytes.Add(built->entry.bytes());
  const auto kind = options_.insert ? WriteBatch::Kind::kInsert : WriteBatch::Kind::kPut;
  state_->metrics->writes[static_cast<size_t>(kind)].Add(added_rows_ - durable_rows_);
  durable_rows_ = added_rows_;
  fresh_.reset();
  lease_ = MemoryLease();
  if (options_.progress) options_.progress(durable_rows_);
  // Names the segment, and lets replay begin behind it. Should it fail, the log has the segment.
  (void)maintenance_->FreezeAndFlush();
  return absl::OkStatus();
}

absl::Status BulkLoader::Enter(const pb::SegmentEntry& built, const Memtable& fresh) {
  for (int attempt = 0;; ++attempt) {
    std::shared_ptr<const ReadView> view;
    {
      const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
      view = state_->views->Hold(pin);
    }
    ASSIGN_OR_RETURN(ReplacedRows replaced, ReplacedRows::Find(fresh, std::move(view)));
    absl::Status status;
    bool moved = false;
    write_path_->RunExclusive([&] {
      const ReadView* current = state_->views->current();
      if (!replaced.IsFor(current)) {
        moved = attempt < kFreeAttempts;
        if (moved) return;
        const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
        absl::StatusOr<ReplacedRows> again = ReplacedRows::Find(fresh, state_->views->Hold(pin));
        status = again.status();
        if (again.ok()) replaced = *std::move(again);
      }
      if (status.ok()) status = replaced.AddNewer(fresh);
      if (status.ok()) status = write_path_->Ingest(built, replaced);
    });
    if (!moved) return status;
  }
}

}  // namespace varve
