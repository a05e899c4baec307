// The key table of an open segment: key to row by a filter and a hash index, row to key, and the order of both, all in
// place from the mapping (key_table_format.h). Thread-safe.
//
// Nothing read is trusted: each access checks the blocks that it touches and the ranges of the numbers in them. What no
// access can notice (a key that the filter wrongly rules out, keys out of order) CheckAll finds.
// Errors: DataLoss; InvalidArgument for a row that the segment does not have.
#ifndef VARVE_SEGMENT_KEY_TABLE_H_
#define VARVE_SEGMENT_KEY_TABLE_H_

#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "segment/key_table_format.h"
#include "segment/section.h"
#include "segment/section_check.h"
#include "varve/types.h"

namespace varve {

class KeyTable {
 public:
  // Views into the section.
  struct Key {
    std::string_view ns;
    std::string_view key;
  };

  // Reads the section's 64-byte header and checks it against the section's length. O(1); touches no checksum, since
  // every access checks the header's block again before it relies on it.
  static absl::StatusOr<KeyTable> Open(const SectionView& section, uint32_t rows);

  // The row of the key, kNoRow if there is none. Keys that are not there mostly cost one cache line.
  absl::StatusOr<RowId> Find(std::string_view ns, std::string_view key) const;
  // O(1), and O(log namespaces) to find the namespace.
  absl::StatusOr<Key> KeyOf(RowId row) const;
  // The first row whose (ns, key) is not below the one given; the number of rows if there is none.
  absl::StatusOr<RowId> LowerBound(std::string_view ns, std::string_view key) const;
  // The rows of a namespace: [first, last). Empty if there is none of that name.
  absl::StatusOr<std::pair<RowId, RowId>> NamespaceRows(std::string_view ns) const;

  uint64_t namespace_count() const { return header_.namespaces; }

  // Checks the whole structure: areas, padding, order of namespaces and keys, that the filter and the lookup table find
  // every key, and that the lookup table holds nothing else. The section's blocks must have been checked.
  void CheckAll(const ReportDamage& report) const;

 private:
  KeyTable(const SectionView& section, const KeyTableHeader& header, const KeyTableLayout& layout)
      : section_(section), header_(header), layout_(layout), row_bits_(LookupRowBits(header.rows)) {}

  uint32_t rows() const { return static_cast<uint32_t>(header_.rows); }

  // Entry i of an area of Ts.
  template <typename T>
  absl::StatusOr<T> Load(uint64_t area, uint64_t i) const {
    const uint64_t offset = area + i * sizeof(T);
    if (!section_.IsVerified(offset, sizeof(T))) {
      if (absl::Status status = section_.Verify(offset, sizeof(T)); !status.ok()) return status;
    }
    return LoadUnaligned<T>(section_.data() + offset);
  }
  absl::StatusOr<std::string_view> Bytes(uint64_t offset, uint64_t length) const;

  absl::StatusOr<std::string_view> NamespaceName(uint64_t i) const;
  // First row of namespace i; the number of rows for the one behind the last.
  absl::StatusOr<RowId> NamespaceFirstRow(uint64_t i) const;
  absl::StatusOr<uint64_t> NamespaceOf(RowId row) const;
  // The first namespace whose name is not below `ns`, and whether it is `ns`.
  absl::StatusOr<std::pair<uint64_t, bool>> FindNamespace(std::string_view ns) const;
  absl::StatusOr<std::pair<RowId, RowId>> RowsOfNamespace(uint64_t i) const;
  absl::StatusOr<std::string_view> KeyBytes(RowId row) const;
  absl::StatusOr<RowId> Probe(uint64_t hash, std::string_view ns, std::string_view key) const;

  bool CheckPadding(const ReportDamage& report) const;
  bool CheckNamespaces(const ReportDamage& report) const;
  bool CheckKeys(const ReportDamage& report) const;
  bool CheckBuckets(const ReportDamage& report) const;

  SectionView section_;
  KeyTableHeader header_;
  KeyTableLayout layout_;
  int row_bits_;  // of a bucket
};

}  // namespace varve

#endif  // VARVE_SEGMENT_KEY_TABLE_H_
