#include "engine/observe/observer.h"

#include <map>
#include <utility>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"

namespace varve {
std::string FileNamedIn(std::string_view message, const std::string& directory) {
  // Messages read "CONTEXT: PATH: WHAT"; the directory itself may hold a colon.
  const std::string beginning = JoinPath(directory, "");
  const size_t start = message.find(beginning);
  if (start == std::string_view::npos) return "";
  const size_t end = message.find(": ", start + beginning.size());
  return std::string(message.substr(start, end == std::string_view::npos ? end : end - start));
}

void ObserveDamage(const EventDispatcher& events, const std::string& directory, const absl::Status& status) {
  if (!absl::IsDataLoss(status) || events.empty()) return;
  const std::string file = FileNamedIn(std::string(status.message()), directory);
  events.Notify(&EventListener::OnCorruption, CorruptionInfo{directory, file, status});
}

absl::Status ObserveDamage(const CollectionState& state, absl::Status status) {
  if (absl::IsDataLoss(status)) {
    state.metrics->corruptions.Add();
    ObserveDamage(state.events, state.directory, status);
  }
  return status;
}

void ObserveRecovery(const CollectionState& state) {
  const RecoveryInfo& recovery = state.recovery;
  if (!recovery.fallback_reason.empty()) {
    const std::string manifest = JoinPath(state.directory, kManifestName);
    (void)ObserveDamage(state, DataLoss(manifest + ": " + recovery.fallback_reason));
  }
  for (const std::string& line : recovery.salvage_report) (void)ObserveDamage(state, DataLoss(line));
}

void ObserveBackgroundError(const CollectionState& state, std::string_view work, const absl::Status& status) {
  state.metrics->background_errors.Add();
  if (state.events.empty()) return;
  state.events.Notify(&EventListener::OnBackgroundError, BackgroundErrorInfo{state.directory, work, status});
}

void ObserveSlowSearch(const CollectionState& state, const SearchRequest& request, int64_t micros, uint64_t distances,
                       std::vector<PartProfile> parts, const absl::Status& status) {
  state.metrics->slow_searches.Add();
  if (state.events.empty()) return;
  SlowSearchInfo info;
  info.directory = state.directory;
  const FieldSpec* field = request.field.empty() ? state.schema.DefaultDenseField() : nullptr;
  info.fields.push_back(field != nullptr ? field->name : request.field);
  info.k = request.k;
  info.params = request.params;
  info.exact = request.exact;
  info.filtered = IsFiltered(request);
  info.distances = distances;
  info.microseconds = micros;
  std::map<std::string, size_t> plans;
  for (const PartProfile& part : parts) ++plans[part.index + " (" + part.plan + ")"];
  for (const auto& [plan, count] : plans) {
    info.plan += (info.plan.empty() ? "" : ", ") + std::to_string(count) + " " + plan;
  }
  info.parts = std::move(parts);
  info.status = status;
  state.events.Notify(&EventListener::OnSlowSearch, info);
}

bool IsFiltered(const SearchRequest& request) { return request.ns.has_value() || request.filter.has_value(); }

StallScope::StallScope(CollectionState* state, StallReason reason)
    : state_(state), start_us_(state->clock.MonotonicMicros()) {
  info_.reason = reason;
  state_->metrics->stall_now.store(reason, std::memory_order_relaxed);
  if (state_->events.empty()) return;
  info_.directory = state_->directory;
  state_->events.Notify(&EventListener::OnStallBegin, info_);
}

StallScope::~StallScope() {
  info_.microseconds = state_->clock.MonotonicMicros() - start_us_;
  CollectionMetrics& metrics = *state_->metrics;
  metrics.stall_micros[static_cast<size_t>(info_.reason)].Add(static_cast<uint64_t>(info_.microseconds));
  metrics.stall_now.store(StallReason::kNone, std::memory_order_relaxed);
  if (!state_->events.empty()) state_->events.Notify(&EventListener::OnStallEnd, info_);
}

}  // namespace varve
