#include "segment/block_checksums.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"

namespace varve {

void BlockChecksummer::Append(std::string_view data) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, BlockVerifier::kBlockBytes - filled_);
    current_ = ExtendCrc32c(current_, piece);
    filled_ += piece.size();
    data.remove_prefix(piece.size());
    if (filled_ == BlockVerifier::kBlockBytes) {
      finished_.push_back(current_);
      current_ = Crc32c{};
      filled_ = 0;
    }
  }
}

std::vector<Crc32c> BlockChecksummer::Finish() {
  if (filled_ > 0) finished_.push_back(current_);
  current_ = Crc32c{};
  filled_ = 0;
  return std::move(finished_);
}

FileBlockVerifier::FileBlockVerifier(absl::Span<const std::byte> file_bytes, const BlockChecksumTable& table,
                                     const std::string* file_name, bool trusting)
    : file_(file_bytes), table_(table), file_name_(file_name) {
  VARVE_CHECK(table_.offset <= file_.size() && table_.length <= file_.size() - table_.offset);
  VARVE_CHECK(table_.length == block_count() * sizeof(uint32_t));
  verified_ = std::make_unique<std::atomic<uint64_t>[]>((block_count() + 63) / 64);
  all_verified_.store(trusting, std::memory_order_relaxed);
}

Crc32c FileBlockVerifier::StoredChecksum(uint64_t block) const {
  return Crc32c{LoadUnaligned<uint32_t>(file_.data() + table_.offset + block * sizeof(uint32_t))};
}

bool FileBlockVerifier::Matches(uint64_t block, std::string_view bytes) const {
  return ComputeCrc32c(bytes) == StoredChecksum(block);
}

absl::Status FileBlockVerifier::VerifyTable() const {
  if (table_is_good_.load(std::memory_order_acquire)) return absl::OkStatus();
  if (ComputeCrc32c(file_.subspan(table_.offset, table_.length)) != table_.crc) {
    return DataLossAt(*file_name_, table_.offset, "BLOCK_CHECKSUMS: the section's own checksum does not match");
  }
  table_is_good_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status FileBlockVerifier::VerifySlow(uint64_t offset, uint64_t length) const {
  VARVE_CHECK(offset <= table_.offset && length <= table_.offset - offset);
  RETURN_IF_ERROR(VerifyTable());
  const uint64_t last = (offset + length - 1) / kBlockBytes;
  for (uint64_t block = offset / kBlockBytes; block <= last; ++block) {
    std::atomic<uint64_t>& word = verified_[block >> 6];
    const uint64_t bit = uint64_t{1} << (block & 63);
    if ((word.load(std::memory_order_relaxed) & bit) != 0) continue;
    const uint64_t start = block * kBlockBytes;
    const uint64_t size = std::min(kBlockBytes, table_.offset - start);
    if (!Matches(block, AsChars(file_.subspan(start, size)))) {
      return DataLossAt(*file_name_, start,
                        "the checksum of the block of " + std::to_string(size) + " bytes does not match");
    }
    // Relaxed is enough: the bytes that the bit speaks of never change.
    word.fetch_or(bit, std::memory_order_relaxed);
  }
  return absl::OkStatus();
}

absl::Status FileBlockVerifier::VerifyEverything() {
  if (table_.offset > 0) RETURN_IF_ERROR(VerifySlow(0, table_.offset));
  all_verified_.store(true, std::memory_order_relaxed);
  return absl::OkStatus();
}

}  // namespace varve
