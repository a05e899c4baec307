#include "tests/beside/numbered_state.h"

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "base/status.h"

namespace varve::testing {
namespace {

constexpr uint32_t kNamespaces = 3;
constexpr uint64_t kBulkLoadEvery = 211;

bool ParseNumber(std::string_view text, uint64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string Range(uint64_t first, uint64_t last) { return std::to_string(first) + " to " + std::to_string(last); }

}  // namespace

std::string NamespaceOf(uint32_t group) {
  return group % kNamespaces == 0 ? "" : "n" + std::to_string(group % kNamespaces);
}

std::string NameOf(const StateKey& key) { return std::to_string(key.group) + "/" + std::to_string(key.number); }

std::optional<StateKey> ParseKey(const std::string& ns, const std::string& name) {
  const size_t slash = name.find('/');
  uint64_t group = 0;
  uint64_t number = 0;
  if (slash == std::string::npos || !ParseNumber(name.substr(0, slash), &group) ||
      !ParseNumber(name.substr(slash + 1), &number) || group >= kGroups || number >= kGroupKeys) {
    return std::nullopt;
  }
  const StateKey key{static_cast<uint32_t>(group), static_cast<uint32_t>(number)};
  if (NamespaceOf(key.group) != ns) return std::nullopt;
  return key;
}

bool IsBulkLoad(uint64_t batch) { return batch % kBulkLoadEvery == 0; }

bool Puts(uint64_t batch, uint32_t number) {
  return number == 0 || IsBulkLoad(batch) || Mix64(batch * kGroupKeys + number) % 4 != 0;
}

std::vector<float> VectorOf(uint64_t batch, uint32_t number) {
  // Small whole numbers, so that distances are exact; the first two components hold the batch.
  std::vector<float> vector(kStateDimension);
  vector[0] = static_cast<float>(batch % 1024);
  vector[1] = static_cast<float>(batch / 1024);
  vector[2] = static_cast<float>(number);
  uint64_t noise = Mix64(batch * kGroupKeys + number + 1);
  for (size_t d = 3; d < vector.size(); ++d, noise >>= 8) vector[d] = static_cast<float>(noise & 0xFF);
  return vector;
}

std::string MetadataOf(uint64_t batch) { return "{\"batch\":" + std::to_string(batch) + "}"; }

uint64_t LastBatchOf(uint32_t group, uint64_t batch) {
  if (batch < group) return 0;
  return batch - (batch - group) % kGroups;  // of group 0 there is no batch 0: it writes nothing
}

uint64_t RecordsAfter(uint64_t batch) {
  uint64_t records = 0;
  for (uint32_t group = 0; group < kGroups; ++group) {
    const uint64_t last = LastBatchOf(group, batch);
    for (uint32_t number = 0; last != 0 && number < kGroupKeys; ++number) records += Puts(last, number);
  }
  return records;
}

WriteBatch MakeBatch(uint64_t batch) {
  const auto group = static_cast<uint32_t>(batch % kGroups);
  const uint64_t previous = LastBatchOf(group, batch - 1);
  WriteBatch write;
  for (uint32_t number = 0; number < kGroupKeys; ++number) {
    const std::string ns = NamespaceOf(group);
    const std::string name = NameOf({group, number});
    if (!Puts(batch, number)) {
      write.Delete(ns, name);
      continue;
    }
    std::vector<NamedVector> vectors;
    vectors.push_back({"", VectorValue(VectorOf(batch, number))});
    if (number % 3 == 1 && previous != 0 && Puts(previous, number)) {
      RecordUpdate update;
      update.ns = ns;
      update.key = name;
      update.vectors = std::move(vectors);
      update.metadata = MetadataOf(batch);
      write.Update(std::move(update));
    } else {
      RecordInput record;
      record.ns = ns;
      record.key = name;
      record.vectors = std::move(vectors);
      record.metadata = MetadataOf(batch);
      write.Put(std::move(record));
    }
  }
  return write;
}

absl::Status StateEvidence::Add(const Record& record) {
  const std::string name = record.ns + ":" + record.key;
  const std::optional<StateKey> key = ParseKey(record.ns, record.key);
  const size_t colon = record.metadata.find(':');
  uint64_t batch = 0;
  if (!key.has_value() || colon == std::string::npos ||
      !ParseNumber(std::string_view(record.metadata).substr(colon + 1, record.metadata.size() - colon - 2), &batch) ||
      batch == 0 || batch % kGroups != key->group || !Puts(batch, key->number) ||
      record.metadata != MetadataOf(batch)) {
    return DataLoss(name + " with metadata " + record.metadata + " was never written");
  }
  if (record.vectors.size() != 1 || record.vectors[0].second != VectorOf(batch, key->number)) {
    return DataLoss(name + " has the metadata of batch " + std::to_string(batch) + " and another's vector");
  }
  if (!seen_.emplace(std::pair(key->group, key->number), batch).second) return DataLoss(name + " is there twice");
  ++records_;
  const uint64_t first = std::max(first_, batch);
  const uint64_t last = records_ == 1 ? batch + kGroups - 1 : std::min(last_, batch + kGroups - 1);
  if (first > last) {
    return DataLoss(name + " is of batch " + std::to_string(batch) + ", the records before of a state after batch " +
                    Range(first_, last_));
  }
  first_ = first;
  last_ = last;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> StateEvidence::WholeState() const {
  if (const absl::Status status = CheckIsOf(first_); !status.ok()) return status;
  if (const uint64_t expected = RecordsAfter(first_); expected != records_) {
    return DataLoss(std::to_string(records_) + " records, after batch " + std::to_string(first_) + " there are " +
                    std::to_string(expected));
  }
  return first_;
}

absl::Status StateEvidence::CheckIsOf(uint64_t batch) const {
  for (const auto& [key, written] : seen_) {
    if (const uint64_t expected = LastBatchOf(key.first, batch); expected != written) {
      return DataLoss("group " + std::to_string(key.first) + " is of batch " + std::to_string(written) + ", after " +
                      std::to_string(batch) + " it is of " + std::to_string(expected));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ScanState(Collection* collection, const ReadOptions& options) {
  StateEvidence evidence;
  absl::Status wrong;
  RETURN_IF_ERROR(collection->Scan(
      {},
      [&](const Record& record) {
        wrong = evidence.Add(record);
        return wrong.ok();
      },
      options));
  RETURN_IF_ERROR(wrong);
  return evidence.WholeState();
}

}  // namespace varve::testing
