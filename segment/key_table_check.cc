// The full check of a key table.
#include "segment/key_filter.h"
#include "segment/key_table.h"

namespace varve {
namespace {

std::string Message(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

void KeyTable::CheckAll(const ReportDamage& report) const {
  if (CheckPadding(report) && CheckNamespaces(report) && CheckKeys(report)) CheckBuckets(report);
}

bool KeyTable::CheckPadding(const ReportDamage& report) const {
  const std::pair<uint64_t, uint64_t> gaps[] = {
      {layout_.filter + header_.filter_blocks * kKeyFilterBlockBytes, layout_.buckets},
      {layout_.buckets + header_.buckets * sizeof(uint32_t), layout_.namespace_rows},
      {layout_.namespace_rows + header_.namespaces * sizeof(uint32_t), layout_.namespace_ends},
      {layout_.namespace_ends + header_.namespaces * sizeof(uint64_t), layout_.namespace_names},
      {layout_.namespace_names + header_.namespace_bytes, layout_.key_bases},
      {layout_.key_bases + (header_.rows + kKeysPerGroup - 1) / kKeysPerGroup * sizeof(uint64_t), layout_.key_ends},
      {layout_.key_ends + header_.rows * sizeof(uint32_t), layout_.keys},
  };
  for (const auto& [start, end] : gaps) {
    const std::string_view padding = AsChars(section_.bytes().subspan(start, end - start));
    if (padding.find_first_not_of('\0') != std::string_view::npos &&
        !report(start, "the padding between two areas is not zero")) {
      return false;
    }
  }
  return true;
}

bool KeyTable::CheckNamespaces(const ReportDamage& report) const {
  std::string_view previous;
  for (uint64_t i = 0; i < header_.namespaces; ++i) {
    const uint64_t offset = layout_.namespace_rows + i * sizeof(RowId);
    const auto interval = RowsOfNamespace(i);
    if (!interval.ok() && !report(offset, Message(interval.status()))) return false;
    const auto name = NamespaceName(i);
    if (!name.ok()) {
      if (!report(offset, Message(name.status()))) return false;
      continue;
    }
    if (i > 0 && previous >= *name &&
        !report(offset, "namespace " + std::to_string(i) + " is not above the one before")) {
      return false;
    }
    previous = *name;
  }
  if (header_.namespaces > 0) {
    const auto end = Load<uint64_t>(layout_.namespace_ends, header_.namespaces - 1);
    if (end.ok() && *end != header_.namespace_bytes) {
      return report(layout_.namespace_ends, "the namespaces do not fill their area");
    }
  }
  return true;
}

bool KeyTable::CheckKeys(const ReportDamage& report) const {
  uint64_t position = 0;  // where the next key should start
  Key previous;
  for (uint64_t row = 0; row < header_.rows; ++row) {
    const uint64_t offset = layout_.key_ends + row * sizeof(uint32_t);
    const auto key = KeyOf(static_cast<RowId>(row));
    if (!key.ok()) {
      if (!report(offset, Message(key.status()))) return false;
      continue;
    }
    const uint64_t start = static_cast<uint64_t>(key->key.data() - AsChars(section_.bytes()).data()) - layout_.keys;
    if (start != position &&
        !report(offset, "the key of row " + std::to_string(row) + " is not behind the one before")) {
      return false;
    }
    position = start + key->key.size();
    if (row > 0 && key->ns == previous.ns && key->key <= previous.key &&
        !report(offset, "the key of row " + std::to_string(row) + " is not above the one before")) {
      return false;
    }
    previous = *key;
    const auto found = Find(key->ns, key->key);
    if (!found.ok() || *found != row) {
      const std::string why = found.ok() ? "it is not found" : Message(found.status());
      if (!report(offset, "looking up the key of row " + std::to_string(row) + ": " + why)) return false;
    }
  }
  if (position != header_.key_bytes) return report(layout_.keys, "the keys do not fill their area");
  return true;
}

bool KeyTable::CheckBuckets(const ReportDamage& report) const {
  // Every row is found, so the table holds each at least once: more entries than rows means that some are wrong.
  uint64_t used = 0;
  for (uint64_t bucket = 0; bucket < header_.buckets; ++bucket) {
    const auto entry = Load<uint32_t>(layout_.buckets, bucket);
    if (entry.ok() && *entry != kEmptyBucket) ++used;
  }
  if (used == header_.rows) return true;
  return report(layout_.buckets, "the lookup table has " + std::to_string(used) + " entries for " +
                                     std::to_string(header_.rows) + " rows");
}

}  // namespace varve
