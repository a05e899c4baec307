#include "engine/write/write_resolver.h"

#include <limits>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "base/status.h"
#include "engine/write/row_codec.h"
#include "log.pb.h"

namespace varve {
namespace {

// Namespace and key as one string that no other pair gives.
std::string GroupKey(const PreparedOperation& operation) {
  ByteWriter writer;
  writer.LengthPrefixed(operation.ns);
  writer.Bytes(operation.key);
  return writer.Take();
}

int64_t ExpiryOf(int64_t now_us, int64_t ttl_seconds) {
  return now_us / 1000 + ttl_seconds * 1000;  // no overflow: the validator bounds the ttl
}

}  // namespace

absl::StatusOr<NamespaceRanges> FindNamespace(const ReadView& view, std::string_view ns) {
  NamespaceRanges ranges;
  for (const SegmentPart& part : view.segments) {
    ASSIGN_OR_RETURN(const auto range, part.segment().NamespaceRows(ns));
    ranges.push_back(range);
  }
  return ranges;
}

absl::Status WriteResolver::Add(PreparedBatch* batch) {
  const size_t effects_before = effects_.size();
  const size_t rows_before = row_count_;
  const Sequence sequence_before = next_sequence_;
  undo_.clear();
  added_.clear();
  const absl::Status status = AddOperations(batch);
  if (!status.ok()) {
    effects_.resize(effects_before);
    row_count_ = rows_before;
    next_sequence_ = sequence_before;
    for (auto entry = undo_.rbegin(); entry != undo_.rend(); ++entry) pending_[entry->first] = entry->second;
    for (const std::string& key : added_) pending_.erase(key);
    return status;
  }
  if (effects_.size() > effects_before) {
    effects_[effects_before].first_of_batch = true;
    effects_.back().last_of_batch = true;
  }
  return absl::OkStatus();
}

absl::Status WriteResolver::AddOperations(PreparedBatch* batch) {
  for (size_t i = 0; i < batch->operations.size(); ++i) {
    PreparedOperation& operation = batch->operations[i];
    if (operation.kind == WriteBatch::Kind::kDeleteNamespace) {
      RETURN_IF_ERROR(AddNamespaceDelete(operation));
      continue;
    }
    if (absl::Status status = AddOperation(&operation); !status.ok()) {
      return Annotate(status, "operation " + std::to_string(i) + ", key " + Quoted(operation.key));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteResolver::AddNamespaceDelete(const PreparedOperation& operation) {
  // Looked up before the delete is logged: afterwards nothing may fail.
  ASSIGN_OR_RETURN(NamespaceRanges ranges, FindNamespace(view_, operation.ns));
  pb::LogControl control;
  control.mutable_namespace_deleted()->set_ns(operation.ns);
  Effect effect;
  effect.type = LogEntryType::kControl;
  effect.payload = control.SerializeAsString();
  effect.sequence = next_sequence_++;
  effect.deleted_namespace = &operation.ns;
  effect.namespace_ranges = std::move(ranges);
  effects_.push_back(std::move(effect));
  return absl::OkStatus();
}

absl::Status WriteResolver::AddOperation(PreparedOperation* operation) {
  std::string group_key = GroupKey(*operation);
  ASSIGN_OR_RETURN(const Current current, FindCurrent(*operation, group_key));
  if (operation->unless_changed != nullptr) {
    ASSIGN_OR_RETURN(const bool unchanged, IsUnchanged(*operation, current));
    operation->left_out = !unchanged;
    if (operation->left_out) return absl::OkStatus();
  } else {
    RETURN_IF_ERROR(CheckConditions(*operation, current));
  }
  Pending after;
  if (operation->kind == WriteBatch::Kind::kDelete) {
    if (!current.found) return absl::OkStatus();
    Effect& effect = AppendEffect(current);
    effect.type = LogEntryType::kDelete;
    effect.payload = EncodeLogDelete(operation->ns, operation->key);
  } else {
    if (operation->kind == WriteBatch::Kind::kUpdate) RETURN_IF_ERROR(CompleteUpdate(operation, current));
    RETURN_IF_ERROR(AddRowEffect(*operation, current));
    after.effect = static_cast<int64_t>(effects_.size()) - 1;
  }
  auto [entry, is_new] = pending_.try_emplace(group_key, after);
  if (is_new) {
    added_.push_back(std::move(group_key));
  } else {
    undo_.emplace_back(std::move(group_key), entry->second);
    entry->second = after;
  }
  return absl::OkStatus();
}

absl::StatusOr<WriteResolver::Current> WriteResolver::FindCurrent(const PreparedOperation& operation,
                                                                  const std::string& group_key) const {
  Current current;
  if (const auto pending = pending_.find(group_key); pending != pending_.end()) {
    current.effect = pending->second.effect;
    current.found = current.effect >= 0;
    if (!current.found) return current;
    const Effect& effect = effects_[static_cast<size_t>(current.effect)];
    current.facts = {effect.sequence, effect.row.created_at_us, effect.row.updated_at_us, effect.row.expires_at_ms};
  } else {
    ASSIGN_OR_RETURN(current.location, FindLiveRow(view_, operation.ns, operation.key, kMaxSequence));
    current.found = current.location.found();
    if (!current.found) return current;
    ASSIGN_OR_RETURN(current.facts, ReadRowFacts(current.location));
  }
  current.present = current.facts.expires_at_ms > now_us_ / 1000;
  return current;
}

absl::Status WriteResolver::CheckConditions(const PreparedOperation& operation, const Current& current) const {
  if (operation.if_sequence.has_value()) {
    const Sequence sequence = current.present ? current.facts.sequence : 0;
    if (sequence != *operation.if_sequence) {
      return Aborted("the record has sequence " + std::to_string(sequence) + ", expected " +
                     std::to_string(*operation.if_sequence));
    }
  }
  if (operation.kind == WriteBatch::Kind::kInsert && current.present) {
    return AlreadyExists("the key has a record");
  }
  if (operation.kind == WriteBatch::Kind::kUpdate && !current.present) return NotFound("the key has no record");
  return absl::OkStatus();
}

absl::StatusOr<bool> WriteResolver::IsUnchanged(const PreparedOperation& operation, const Current& current) const {
  if (!current.present) return false;
  if (current.facts.sequence == operation.if_sequence) return true;
  if (current.effect >= 0) {
    return (*operation.unless_changed)(effects_[static_cast<size_t>(current.effect)].row.metadata);
  }
  ASSIGN_OR_RETURN(const StoredDocument document, ReadRowDocument(current.location));
  return (*operation.unless_changed)(document.metadata);
}

absl::Status WriteResolver::CompleteUpdate(PreparedOperation* operation, const Current& current) const {
  RowVectors vectors;
  StoredDocument document;
  if (current.effect >= 0) {
    const NewRow& row = effects_[static_cast<size_t>(current.effect)].row;
    vectors = row.vectors;
    document = {std::string(row.metadata), std::string(row.payload)};
  } else {
    ASSIGN_OR_RETURN(vectors, ReadRowVectors(schema_, current.location));
    ASSIGN_OR_RETURN(document, ReadRowDocument(current.location));
  }
  operation->vectors.resize(schema_.fields.size());
  for (size_t f = 0; f < vectors.size(); ++f) {
    if (operation->vectors[f].empty()) operation->vectors[f] = std::string(vectors[f]);
  }
  if (operation->patch.has_value()) {
    ASSIGN_OR_RETURN(operation->metadata, MergeJsonPatch(document.metadata, *operation->patch));
  } else if (!operation->metadata.has_value()) {
    operation->metadata = std::move(document.metadata);
  }
  if (!operation->payload.has_value()) operation->payload = std::move(document.payload);
  return absl::OkStatus();
}

Effect& WriteResolver::AppendEffect(const Current& current) {
  Effect& effect = effects_.emplace_back();
  effect.sequence = next_sequence_++;
  effect.old = current.location;
  effect.old_effect = current.effect;
  return effect;
}

absl::Status WriteResolver::AddRowEffect(const PreparedOperation& operation, const Current& current) {
  Effect& effect = AppendEffect(current);
  effect.type = current.present ? LogEntryType::kUpdate : LogEntryType::kInsert;
  effect.has_row = true;
  NewRow& row = effect.row;
  row.ns = operation.ns;
  row.key = operation.key;
  row.vectors.assign(operation.vectors.begin(), operation.vectors.end());
  if (operation.metadata.has_value()) row.metadata = *operation.metadata;
  if (operation.payload.has_value()) row.payload = *operation.payload;
  row.created_at_us = current.present ? current.facts.created_at_us : now_us_;
  row.updated_at_us = now_us_;
  if (operation.ttl_seconds.has_value()) {
    row.expires_at_ms = ExpiryOf(now_us_, *operation.ttl_seconds);
  } else if (operation.kind == WriteBatch::Kind::kUpdate && !operation.clear_ttl) {
    row.expires_at_ms = current.facts.expires_at_ms;
  }
  effect.payload = EncodeLogRow(schema_, row);
  ++row_count_;
  // An update may grow what it changes beyond what a record can be.
  if (effect.payload.size() > kMaxLogPayloadBytes) return InvalidArgument("the record would have more than 64 MiB");
  return absl::OkStatus();
}

}  // namespace varve
