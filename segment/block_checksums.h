// Block checksums: one CRC-32C for each 64 KiB of a segment file, from its start up to the block_checksums section that
// holds them (the last block is short). One mechanism covers every byte of head, sections and padding, and reading one
// row costs the check of the blocks that it touches, once. Format: docs/file_format.md, "Block checksums".
#ifndef VARVE_SEGMENT_BLOCK_CHECKSUMS_H_
#define VARVE_SEGMENT_BLOCK_CHECKSUMS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/crc32c.h"
#include "segment/section.h"

namespace varve {

constexpr uint64_t ChecksumBlockCount(uint64_t covered_bytes) {
  return (covered_bytes + BlockVerifier::kBlockBytes - 1) / BlockVerifier::kBlockBytes;
}

// Computes the checksums of a file as it is written. Thread-compatible.
class BlockChecksummer {
 public:
  void Append(std::string_view data);
  // One per block of all that was given, the last one of what lies in the short last block.
  std::vector<Crc32c> Finish();

 private:
  std::vector<Crc32c> finished_;
  Crc32c current_{};
  uint64_t filled_ = 0;  // bytes of the current block
};

// Where a file's checksums lie, and what they cover.
struct BlockChecksumTable {
  uint64_t offset = 0;  // in the file; the bytes before it are covered
  uint64_t length = 0;
  Crc32c crc{};  // of the table itself
};

// The checks of one mapped file (see BlockVerifier). Thread-safe.
class FileBlockVerifier final : public BlockVerifier {
 public:
  // `file_bytes` and `file_name` must outlive the object. Requires: the table lies within the file and has one entry
  // for each block before it. With `trusting`, nothing is ever checked.
  FileBlockVerifier(absl::Span<const std::byte> file_bytes, const BlockChecksumTable& table,
                    const std::string* file_name, bool trusting);

  // Checks every block now. Errors: DataLoss.
  absl::Status VerifyEverything();

  uint64_t block_count() const { return ChecksumBlockCount(table_.offset); }
  // Checks block `block` of the file as given, which need not come from the mapping (verify reads the file). The table
  // must have been found good.
  bool Matches(uint64_t block, std::string_view bytes) const;
  // Checks the table's own CRC, once.
  absl::Status VerifyTable() const;

 protected:
  absl::Status VerifySlow(uint64_t offset, uint64_t length) const override;

 private:
  Crc32c StoredChecksum(uint64_t block) const;

  const absl::Span<const std::byte> file_;
  const BlockChecksumTable table_;
  const std::string* const file_name_;
  mutable std::atomic<bool> table_is_good_{false};
};

}  // namespace varve

#endif  // VARVE_SEGMENT_BLOCK_CHECKSUMS_H_
