// Writes the key table of a segment (key_table_format.h). Thread-compatible.
#ifndef VARVE_SEGMENT_KEY_TABLE_WRITER_H_
#define VARVE_SEGMENT_KEY_TABLE_WRITER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "segment/key_table_format.h"
#include "segment/section.h"
#include "varve/types.h"

namespace varve {

class KeyTableWriter {
 public:
  explicit KeyTableWriter(uint64_t seed) : seed_(seed) {}

  // The next row. Errors: InvalidArgument if a length is beyond the format's limits or (ns, key) is not above the row
  // before; ResourceExhausted for a row beyond the segment's limit. Nothing is added then.
  absl::Status Add(std::string_view ns, std::string_view key);

  uint32_t rows() const { return static_cast<uint32_t>(key_ends_.size()); }
  // Bytes held in memory.
  uint64_t buffered_bytes() const;

  // Appends the whole section to `sink`, which has begun it. Needs, for that time, about seven bytes more per key.
  absl::Status AppendTo(SectionSink* sink) const;

 private:
  struct Namespace {
    RowId first_row;
    uint64_t name_end;  // in names_
  };

  absl::Status CheckOrder(std::string_view ns, std::string_view key) const;
  std::string_view NamespaceName(size_t i) const;
  std::string_view Key(RowId row) const;
  // The filter's bytes and the lookup table.
  void BuildLookup(const KeyTableHeader& header, std::string* filter, std::vector<uint32_t>* buckets) const;

  uint64_t seed_;
  std::string names_;
  std::vector<Namespace> namespaces_;
  std::string keys_;
  std::vector<uint64_t> key_bases_;  // of groups of kKeysPerGroup rows, in keys_
  std::vector<uint32_t> key_ends_;   // from the group's base
};

}  // namespace varve

#endif  // VARVE_SEGMENT_KEY_TABLE_WRITER_H_
