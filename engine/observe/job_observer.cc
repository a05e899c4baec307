#include "engine/observe/job_observer.h"

#include <algorithm>

#include "engine/observe/observer.h"

namespace varve {
namespace {

constexpr uint64_t kProgressReports = 100;

// The segments that a job added to the sum.
std::vector<FileId> AddedSince(const MaintenanceResult& before, const MaintenanceResult& result) {
  return {result.segments_added.begin() + static_cast<std::ptrdiff_t>(before.segments_added.size()),
          result.segments_added.end()};
}

// A job that was told to stop has not failed.
void ObserveFailure(const CollectionState& state, std::string_view work, const absl::Status& status) {
  (void)ObserveDamage(state, status);
  if (!status.ok() && !absl::IsCancelled(status)) ObserveBackgroundError(state, work, status);
}

}  // namespace

FlushObserver::FlushObserver(const CollectionState& state, const Memtable& memtable, const MaintenanceResult& result)
    : state_(state), before_(result), start_us_(state.clock.MonotonicMicros()) {
  info_.directory = state.directory;
  info_.memtable_rows = memtable.rows();
  info_.memtable_bytes = memtable.bytes();
  state_.events.Notify(&EventListener::OnFlushBegin, info_);
}

absl::Status FlushObserver::End(absl::Status status, const MaintenanceResult& result) {
  info_.microseconds = state_.clock.MonotonicMicros() - start_us_;
  info_.status = status;
  CollectionMetrics& metrics = *state_.metrics;
  metrics.flush.Observe(info_.microseconds);
  if (status.ok()) {
    const std::vector<FileId> added = AddedSince(before_, result);
    info_.segment = added.empty() ? 0 : added.front();
    info_.rows = result.rows_written - before_.rows_written;
    info_.bytes = result.bytes_written - before_.bytes_written;
    metrics.flushes.Add();
    metrics.flush_bytes_in.Add(info_.memtable_bytes);
    metrics.flush_bytes_out.Add(info_.bytes);
  }
  state_.events.Notify(&EventListener::OnFlushEnd, info_);
  ObserveFailure(state_, "flush", status);
  return status;
}

MergeObserver::MergeObserver(const CollectionState& state, const std::vector<FileId>& inputs,
                             const MaintenanceResult& result)
    : state_(state), before_(result), start_us_(state.clock.MonotonicMicros()) {
  info_.directory = state.directory;
  info_.inputs = inputs;
  {
    const ViewRegistry::Pin pin = state.views->PinCurrent(state.visible);
    for (const SegmentPart& part : pin.view().segments) {
      if (std::find(inputs.begin(), inputs.end(), part.entry.id()) == inputs.end()) continue;
      info_.rows_in += part.entry.rows();
      info_.bytes_in += part.entry.bytes();
    }
  }
  state_.events.Notify(&EventListener::OnMergeBegin, info_);
}

absl::Status MergeObserver::End(absl::Status status, const MaintenanceResult& result) {
  info_.microseconds = state_.clock.MonotonicMicros() - start_us_;
  info_.status = status;
  CollectionMetrics& metrics = *state_.metrics;
  metrics.merge.Observe(info_.microseconds);
  if (status.ok()) {
    info_.outputs = AddedSince(before_, result);
    info_.rows_out = result.rows_written - before_.rows_written;
    info_.bytes_out = result.bytes_written - before_.bytes_written;
    metrics.merges.Add();
    metrics.merge_bytes_in.Add(info_.bytes_in);
    metrics.merge_bytes_out.Add(info_.bytes_out);
  }
  state_.events.Notify(&EventListener::OnMergeEnd, info_);
  ObserveFailure(state_, "merge", status);
  return status;
}

IndexBuildObserver::IndexBuildObserver(const CollectionState& state, FileId segment, const FieldSpec& field,
                                       IndexType index, uint64_t vectors)
    : state_(state), start_us_(state.clock.MonotonicMicros()) {
  info_.index = index;
  if (state_.events.empty()) return;
  info_.directory = state_.directory;
  info_.segment = segment;
  info_.field = field.name;
  info_.of = vectors;
  state_.events.Notify(&EventListener::OnIndexBuildBegin, info_);
}

std::function<void(uint64_t, uint64_t)> IndexBuildObserver::progress() {
  if (state_.events.empty()) return {};
  return [this](uint64_t done, uint64_t of) {
    if (done < next_report_ && done < of) return;
    next_report_ = done + std::max<uint64_t>(of / kProgressReports, 1);
    info_.done = done;
    info_.of = of;
    state_.events.Notify(&EventListener::OnIndexBuildProgress, info_);
  };
}

absl::Status IndexBuildObserver::End(absl::Status status) {
  info_.microseconds = state_.clock.MonotonicMicros() - start_us_;
  state_.metrics->index_build[static_cast<size_t>(info_.index)].Observe(info_.microseconds);
  if (!state_.events.empty()) {
    if (status.ok()) info_.done = info_.of;
    info_.status = status;
    state_.events.Notify(&EventListener::OnIndexBuildEnd, info_);
  }
  return status;
}

}  // namespace varve
