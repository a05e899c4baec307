#include "engine/collection_impl.h"

#include <utility>

#include "base/status.h"
#include "engine/search/scanner.h"
#include "engine/search/search_runner.h"
#include "engine/write/batch_validator.h"

namespace varve {
namespace {

// What a Snapshot's opaque pointer points to.
struct HeldView {
  std::shared_ptr<const ReadView> view;
  ReadPoint point;
};

// Times the parts of a search by the collection's clock.
class StateClock final : public Clock {
 public:
  explicit StateClock(EngineClock* clock) : clock_(clock) {}
  int64_t WallMicros() override { return clock_->NowMicros(); }
  int64_t MonotonicMicros() override { return clock_->MonotonicMicros(); }

 private:
  EngineClock* const clock_;
};

SegmentInfo InfoOf(const SegmentPart& part, Sequence visible) {
  SegmentInfo info;
  info.id = part.entry.id();
  info.level = part.entry.level();
  info.rows = part.handle->rows();
  uint64_t dead = part.dead != nullptr ? part.dead->Count() : 0;
  part.deaths->ForEach([&](RowId row, Sequence killer) {
    dead += killer <= visible && (part.dead == nullptr || !part.dead->Contains(row));
  });
  info.live_rows = info.rows - dead;
  info.bytes = part.entry.bytes();
  info.smallest_sequence = part.entry.smallest_sequence();
  info.largest_sequence = part.entry.largest_sequence();
  for (size_t f = 0; f < part.handle->field_count(); ++f) {
    if (part.handle->field(f).spec != nullptr && !part.handle->field(f).info.name.empty()) {
      info.fields.push_back(part.handle->field(f).info);
    }
  }
  return info;
}

}  // namespace

absl::Status CollectionImpl::CheckOpen() const {
  if (closed_.load(std::memory_order_acquire))
    return FailedPrecondition(state_->directory + ": the collection is closed");
  return absl::OkStatus();
}

ViewRegistry::Pin CollectionImpl::PinFor(const ReadOptions& options) {
  if (options.snapshot != nullptr && options.snapshot->valid()) {
    const auto* held = static_cast<const HeldView*>(options.snapshot->view_.get());
    ViewRegistry::Pin pin = state_->views->PinHeld(held->view.get());
    pin.point = held->point;
    return pin;
  }
  ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  pin.point.now_ms = state_->clock.NowMillis();
  return pin;
}

absl::StatusOr<Snapshot> CollectionImpl::GetSnapshot() {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor({});
  auto held = std::make_shared<HeldView>();
  held->view = state_->views->Hold(pin);
  held->point = pin.point;
  Snapshot snapshot;
  snapshot.sequence_ = pin.point.visible;
  snapshot.view_ = std::move(held);
  return snapshot;
}

absl::StatusOr<Record> CollectionImpl::Get(std::string_view ns, std::string_view key, const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  RETURN_IF_ERROR(ValidateNamespace(ns));
  RETURN_IF_ERROR(ValidateKey(key));
  const ViewRegistry::Pin pin = PinFor(options);
  ASSIGN_OR_RETURN(const RowLocation location, FindLiveRow(pin.view(), ns, key, pin.point.visible));
  if (location.found()) {
    ASSIGN_OR_RETURN(Record record, ReadRecord(state_->schema, location, /*keys_only=*/false));
    if (record.expires_at_ms > pin.point.now_ms) return record;
  }
  return NotFound("no record with key " + Quoted(key) + (ns.empty() ? "" : " in namespace " + Quoted(ns)));
}

absl::StatusOr<SearchResult> CollectionImpl::Search(const SearchRequest& request, const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  StateClock clock(&state_->clock);
  return RunSearch(state_->schema, request, pin, &clock);
}

absl::Status CollectionImpl::Scan(const ScanRequest& request, const std::function<bool(const Record&)>& visit,
                                  const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  return RunScan(state_->schema, request, pin.view(), pin.point, visit);
}

absl::StatusOr<uint64_t> CollectionImpl::Count(std::optional<std::string> ns, const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  return CountRows(pin.view(), pin.point, ns);
}

CollectionStats CollectionImpl::Stats() {
  CollectionStats stats;
  state_->views->Reclaim();
  const ViewRegistry::Pin pin = PinFor({});
  for (const std::shared_ptr<Memtable>& memtable : pin.view().memtables) {
    for (uint32_t row = 0, rows = memtable->rows(); row < rows; ++row) {
      stats.memtable_rows += memtable->row(row)->VisibleAt(pin.point.visible);
    }
    stats.memtable_bytes += memtable->bytes();
  }
  stats.frozen_memtables = pin.view().memtables.size() - 1;
  stats.live_rows = stats.memtable_rows;
  for (const SegmentPart& part : pin.view().segments) {
    SegmentInfo info = InfoOf(part, pin.point.visible);
    stats.live_rows += info.live_rows;
    stats.dead_rows += info.rows - info.live_rows;
    stats.disk_bytes += info.bytes + part.entry.bitmap().length();
    stats.segments.push_back(std::move(info));
  }
  stats.last_sequence = pin.point.visible;
  stats.pinned_views = state_->views->retired();
  stats.recovery = state_->recovery;
  return stats;
}

}  // namespace varve
