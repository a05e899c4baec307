#include "segment/key_table_format.h"

#include "base/bytes.h"
#include "varve/types.h"

namespace varve {

std::optional<KeyTableLayout> ComputeKeyTableLayout(const KeyTableHeader& header) {
  // With these limits nothing below can overflow.
  if (header.rows > kMaxRowsPerSegment || header.namespaces > header.rows) return std::nullopt;
  if ((header.rows == 0) != (header.namespaces == 0)) return std::nullopt;
  if (header.namespace_bytes > header.namespaces * kMaxNamespaceBytes) return std::nullopt;
  if (header.key_bytes < header.rows || header.key_bytes > header.rows * kMaxKeyBytes) return std::nullopt;
  if (header.buckets > 4 * header.rows || (header.rows > 0 && header.buckets <= header.rows)) return std::nullopt;
  if (header.filter_blocks > header.rows || (header.rows > 0 && header.filter_blocks == 0)) return std::nullopt;

  uint64_t position = kKeyTableHeaderBytes;
  const auto place = [&position](uint64_t bytes) {
    const uint64_t start = AlignUp(position, kKeyTableAlignment);
    position = start + bytes;
    return start;
  };
  KeyTableLayout layout;
  layout.filter = place(header.filter_blocks * 64);
  layout.buckets = place(header.buckets * sizeof(uint32_t));
  layout.namespace_rows = place(header.namespaces * sizeof(uint32_t));
  layout.namespace_ends = place(header.namespaces * sizeof(uint64_t));
  layout.namespace_names = place(header.namespace_bytes);
  layout.key_bases = place((header.rows + kKeysPerGroup - 1) / kKeysPerGroup * sizeof(uint64_t));
  layout.key_ends = place(header.rows * sizeof(uint32_t));
  layout.keys = place(header.key_bytes);
  layout.end = position;
  return layout;
}

}  // namespace varve
