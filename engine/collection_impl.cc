#include "engine/collection_impl.h"

#include <utility>

#include "base/status.h"
#include "engine/observe/observer.h"
#include "engine/observe/property_reader.h"
#include "engine/search/filter_compiler.h"
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

// "things" of "/data/things/".
std::string_view LastComponent(std::string_view directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.remove_suffix(1);
  const size_t slash = directory.rfind('/');
  return slash == std::string_view::npos || directory.size() == 1 ? directory : directory.substr(slash + 1);
}

SegmentInfo InfoOf(const SegmentPart& part, Sequence visible) {
  SegmentInfo info;
  info.id = part.entry.id();
  info.level = part.entry.level();
  info.rows = part.handle->rows();
  uint64_t dead = part.dead != nullptr ? part.dead->Count() : 0;
  part.deaths->ForEach([&](RowId row, Sequence killer) {
    dead += killer <= visible && (part.dead == nullptr || !part.dead->Contains(row));
  });
  info.live_rows = part.IsAfter(visible) ? 0 : info.rows - dead;
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
  absl::StatusOr<Record> record = GetRecord(ns, key, options);
  if (!record.ok()) return ObserveDamage(*state_, record.status());
  return record;
}

absl::StatusOr<Record> CollectionImpl::GetRecord(std::string_view ns, std::string_view key,
                                                 const ReadOptions& options) {
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
  const int64_t slow_us = state_->options.slow_search_microseconds;
  std::vector<PartProfile> parts;
  uint64_t distances = 0;
  const int64_t start_us = state_->clock.MonotonicMicros();
  size_t slot = 0;
  absl::StatusOr<SearchResult> result = [&] {
    const ViewRegistry::Pin pin = PinFor(options);
    slot = pin.slot();
    StateClock clock(&state_->clock);
    return RunSearch(state_->schema, request, pin, &clock, request.with_profile || slow_us > 0 ? &parts : nullptr,
                     &distances);
  }();
  const int64_t micros = state_->clock.MonotonicMicros() - start_us;
  if (slow_us > 0 && micros >= slow_us) {
    ObserveSlowSearch(*state_, request, micros, distances, parts, result.status());
  }
  if (!result.ok()) return ObserveDamage(*state_, result.status());
  state_->metrics->searches.Record(slot, request.exact, IsFiltered(request), micros, distances);
  if (request.with_profile) result->parts = std::move(parts);
  return result;
}

absl::Status CollectionImpl::Scan(const ScanRequest& request, const std::function<bool(const Record&)>& visit,
                                  const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  return ObserveDamage(*state_, RunScan(state_->schema, request, pin.view(), pin.point, visit));
}

absl::StatusOr<uint64_t> CollectionImpl::Count(std::optional<std::string> ns, const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  absl::StatusOr<uint64_t> count = CountRows(pin.view(), pin.point, ns);
  if (!count.ok()) return ObserveDamage(*state_, count.status());
  return count;
}

absl::StatusOr<uint64_t> CollectionImpl::CountWhere(const Filter& filter, std::optional<std::string> ns,
                                                    const ReadOptions& options) {
  RETURN_IF_ERROR(CheckOpen());
  const ViewRegistry::Pin pin = PinFor(options);
  absl::StatusOr<uint64_t> count = CountMatchingRows(pin, filter, ns);
  if (!count.ok()) return ObserveDamage(*state_, count.status());
  return count;
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
  const HeldResources held = state_->views->Held(pin);
  stats.snapshots = held.snapshots;
  stats.oldest_snapshot_sequence = held.oldest_sequence;
  stats.held_memory_bytes = held.memory_bytes;
  stats.held_segments = held.segments;
  stats.held_file_bytes = held.segment_bytes;
  const CollectionMetrics& metrics = *state_->metrics;
  stats.stall_microseconds = metrics.total_stall_micros();
  stats.stall_reason = metrics.stall_now.load(std::memory_order_relaxed);
  stats.bytes_logged = metrics.log_bytes.value();
  stats.bytes_flushed = metrics.flush_bytes_out.value();
  stats.bytes_loaded = metrics.load_bytes.value();
  stats.bytes_merged = metrics.merge_bytes_out.value();
  stats.bytes_bitmaps = metrics.bitmap_bytes.value();
  stats.syncs = metrics.log_syncs.value();
  stats.corruptions = metrics.corruptions.value();
  stats.recovery = state_->recovery;
  return stats;
}

std::optional<std::string> CollectionImpl::GetProperty(std::string_view name) {
  if (!IsProperty(name)) return std::nullopt;
  return ReadProperty(name, Stats(), *state_->metrics, LastComponent(state_->directory));
}

std::string CollectionImpl::MetricsText() { return *GetProperty("varve.metrics"); }

}  // namespace varve
