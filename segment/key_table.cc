#include "segment/key_table.h"

#include <optional>
#include <string>

#include "base/status.h"
#include "segment/key_filter.h"

namespace varve {

absl::StatusOr<KeyTable> KeyTable::Open(const SectionView& section, uint32_t rows) {
  ByteReader reader(section.bytes());
  KeyTableHeader header;
  uint64_t zero = 0;
  const bool complete = reader.Fixed(&header.rows) && reader.Fixed(&header.namespaces) &&
                        reader.Fixed(&header.namespace_bytes) && reader.Fixed(&header.key_bytes) &&
                        reader.Fixed(&header.seed) && reader.Fixed(&header.buckets) &&
                        reader.Fixed(&header.filter_blocks) && reader.Fixed(&zero);
  if (!complete) return section.Damaged(0, "shorter than its header");
  if (header.rows != rows) return section.Damaged(0, "has not as many rows as the segment");
  if (zero != 0) return section.Damaged(kKeyTableHeaderBytes - sizeof(zero), "reserved bytes are not zero");
  const std::optional<KeyTableLayout> layout = ComputeKeyTableLayout(header);
  if (!layout.has_value() || layout->end != section.size()) {
    return section.Damaged(0, "the counts in its header do not fit its length");
  }
  return KeyTable(section, header, *layout);
}

absl::StatusOr<std::string_view> KeyTable::Bytes(uint64_t offset, uint64_t length) const {
  RETURN_IF_ERROR(section_.Verify(offset, length));
  return AsChars(section_.bytes().subspan(offset, length));
}

absl::StatusOr<std::string_view> KeyTable::NamespaceName(uint64_t i) const {
  uint64_t start = 0;
  if (i > 0) {
    ASSIGN_OR_RETURN(start, Load<uint64_t>(layout_.namespace_ends, i - 1));
  }
  ASSIGN_OR_RETURN(const uint64_t end, Load<uint64_t>(layout_.namespace_ends, i));
  if (start > end || end > header_.namespace_bytes || end - start > kMaxNamespaceBytes) {
    return section_.Damaged(layout_.namespace_ends + i * sizeof(uint64_t), "the end of a namespace is out of range");
  }
  return Bytes(layout_.namespace_names + start, end - start);
}

absl::StatusOr<RowId> KeyTable::NamespaceFirstRow(uint64_t i) const {
  if (i == header_.namespaces) return rows();
  ASSIGN_OR_RETURN(const RowId row, Load<uint32_t>(layout_.namespace_rows, i));
  if (row >= rows() || (i == 0) != (row == 0)) {
    return section_.Damaged(layout_.namespace_rows + i * sizeof(RowId), "the first row of a namespace is out of range");
  }
  return row;
}

absl::StatusOr<std::pair<RowId, RowId>> KeyTable::RowsOfNamespace(uint64_t i) const {
  ASSIGN_OR_RETURN(const RowId first, NamespaceFirstRow(i));
  ASSIGN_OR_RETURN(const RowId last, NamespaceFirstRow(i + 1));
  if (first >= last) {
    return section_.Damaged(layout_.namespace_rows + i * sizeof(RowId), "the rows of namespaces do not ascend");
  }
  return std::make_pair(first, last);
}

absl::StatusOr<uint64_t> KeyTable::NamespaceOf(RowId row) const {
  uint64_t first = 0;  // its first row is not above `row`
  uint64_t last = header_.namespaces;
  while (last - first > 1) {
    const uint64_t middle = first + (last - first) / 2;
    ASSIGN_OR_RETURN(const RowId first_row, NamespaceFirstRow(middle));
    (first_row <= row ? first : last) = middle;
  }
  return first;
}

absl::StatusOr<std::pair<uint64_t, bool>> KeyTable::FindNamespace(std::string_view ns) const {
  uint64_t first = 0;
  uint64_t last = header_.namespaces;
  while (first < last) {
    const uint64_t middle = first + (last - first) / 2;
    ASSIGN_OR_RETURN(const std::string_view name, NamespaceName(middle));
    const int order = name.compare(ns);
    if (order == 0) return std::make_pair(middle, true);
    if (order < 0) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return std::make_pair(first, false);
}

absl::StatusOr<std::string_view> KeyTable::KeyBytes(RowId row) const {
  const uint64_t group = row / kKeysPerGroup;
  ASSIGN_OR_RETURN(const uint64_t base, Load<uint64_t>(layout_.key_bases, group));
  uint64_t start = 0;
  if (row % kKeysPerGroup != 0) {
    ASSIGN_OR_RETURN(start, Load<uint32_t>(layout_.key_ends, uint64_t{row} - 1));
  }
  ASSIGN_OR_RETURN(const uint64_t end, Load<uint32_t>(layout_.key_ends, row));
  if (base > header_.key_bytes || end > header_.key_bytes - base || start >= end || end - start > kMaxKeyBytes) {
    return section_.Damaged(layout_.key_ends + uint64_t{row} * sizeof(uint32_t), "the end of a key is out of range");
  }
  return Bytes(layout_.keys + base + start, end - start);
}

absl::StatusOr<KeyTable::Key> KeyTable::KeyOf(RowId row) const {
  if (row >= rows()) {
    return InvalidArgument("row " + std::to_string(row) + " of a segment of " + std::to_string(rows()) + " rows");
  }
  RETURN_IF_ERROR(section_.Verify(0, kKeyTableHeaderBytes));
  ASSIGN_OR_RETURN(const uint64_t ns, NamespaceOf(row));
  Key key;
  ASSIGN_OR_RETURN(key.ns, NamespaceName(ns));
  ASSIGN_OR_RETURN(key.key, KeyBytes(row));
  return key;
}

absl::StatusOr<RowId> KeyTable::Probe(uint64_t hash, std::string_view ns, std::string_view key) const {
  uint64_t bucket = SpreadHash(hash, header_.buckets);
  const uint32_t row_mask = static_cast<uint32_t>((uint64_t{1} << row_bits_) - 1);
  // At most one round: a hostile table may have no empty bucket.
  for (uint64_t probes = 0; probes < header_.buckets; ++probes) {
    ASSIGN_OR_RETURN(const uint32_t entry, Load<uint32_t>(layout_.buckets, bucket));
    if (entry == kEmptyBucket) return kNoRow;
    const RowId row = entry & row_mask;
    if (row >= rows()) {
      return section_.Damaged(layout_.buckets + bucket * sizeof(uint32_t), "the row in a bucket is out of range");
    }
    if (entry == LookupEntry(hash, row, row_bits_)) {
      ASSIGN_OR_RETURN(const std::string_view candidate, KeyBytes(row));
      if (candidate == key) {
        ASSIGN_OR_RETURN(const uint64_t i, NamespaceOf(row));
        ASSIGN_OR_RETURN(const std::string_view name, NamespaceName(i));
        if (name == ns) return row;
      }
    }
    if (++bucket == header_.buckets) bucket = 0;
  }
  return section_.Damaged(layout_.buckets, "the lookup table has no empty bucket");
}

absl::StatusOr<RowId> KeyTable::Find(std::string_view ns, std::string_view key) const {
  if (rows() == 0) return kNoRow;
  RETURN_IF_ERROR(section_.Verify(0, kKeyTableHeaderBytes));
  const uint64_t hash = HashKey(header_.seed, ns, key);
  const uint64_t block = layout_.filter + SpreadHash(hash, header_.filter_blocks) * kKeyFilterBlockBytes;
  RETURN_IF_ERROR(section_.Verify(block, kKeyFilterBlockBytes));
  if (!KeyFilterMayContain(section_.data() + block, hash)) return kNoRow;
  return Probe(hash, ns, key);
}

absl::StatusOr<RowId> KeyTable::LowerBound(std::string_view ns, std::string_view key) const {
  if (rows() == 0) return RowId{0};
  RETURN_IF_ERROR(section_.Verify(0, kKeyTableHeaderBytes));
  ASSIGN_OR_RETURN(const auto found, FindNamespace(ns));
  if (!found.second) return NamespaceFirstRow(found.first);
  ASSIGN_OR_RETURN(auto interval, RowsOfNamespace(found.first));
  auto [first, last] = interval;
  while (first < last) {
    const RowId middle = first + (last - first) / 2;
    ASSIGN_OR_RETURN(const std::string_view candidate, KeyBytes(middle));
    if (candidate < key) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

absl::StatusOr<std::pair<RowId, RowId>> KeyTable::NamespaceRows(std::string_view ns) const {
  if (rows() == 0) return std::make_pair(RowId{0}, RowId{0});
  RETURN_IF_ERROR(section_.Verify(0, kKeyTableHeaderBytes));
  ASSIGN_OR_RETURN(const auto found, FindNamespace(ns));
  if (found.second) return RowsOfNamespace(found.first);
  ASSIGN_OR_RETURN(const RowId row, NamespaceFirstRow(found.first));
  return std::make_pair(row, row);
}

}  // namespace varve
