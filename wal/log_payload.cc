#include "wal/log_payload.h"

#include <lz4.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"
#include "wal/log_format.h"

namespace varve {
namespace {

constexpr size_t kLengthBytes = sizeof(uint32_t);
// Below this the saving is lost in the record's header and padding.
constexpr size_t kMinPlainBytes = 128;
// One byte of an lz4 block stands for at most 255 bytes.
constexpr uint64_t kMaxExpansion = 255;

static_assert(kMaxLogPayloadBytes <= LZ4_MAX_INPUT_SIZE);

}  // namespace

bool AppendCompressedPayload(std::string_view plain, std::string* target) {
  VARVE_CHECK(plain.size() <= kMaxLogPayloadBytes);
  if (plain.size() < kMinPlainBytes) return false;
  const size_t start = target->size();
  // A target too small for what would not be worth it makes lz4 give up early.
  const size_t capacity = plain.size() - plain.size() / 8 - kLengthBytes;
  target->resize(start + kLengthBytes + capacity);
  const int written = LZ4_compress_default(plain.data(), target->data() + start + kLengthBytes,
                                           static_cast<int>(plain.size()), static_cast<int>(capacity));
  if (written <= 0) {
    target->resize(start);
    return false;
  }
  StoreUnaligned(target->data() + start, static_cast<uint32_t>(plain.size()));
  target->resize(start + kLengthBytes + static_cast<size_t>(written));
  return true;
}

absl::StatusOr<std::string> DecompressPayload(std::string_view stored) {
  if (stored.size() < kLengthBytes) return DataLoss("lz4 payload: too short for its length");
  const uint32_t plain_bytes = LoadUnaligned<uint32_t>(stored.data());
  const std::string_view block = stored.substr(kLengthBytes);
  if (plain_bytes > kMaxLogPayloadBytes || plain_bytes > block.size() * kMaxExpansion) {
    return DataLoss("lz4 payload: claims " + std::to_string(plain_bytes) + " bytes from a block of " +
                    std::to_string(block.size()));
  }
  std::string plain(plain_bytes, '\0');
  const int written =
      LZ4_decompress_safe(block.data(), plain.data(), static_cast<int>(block.size()), static_cast<int>(plain_bytes));
  if (written < 0 || static_cast<uint32_t>(written) != plain_bytes) {
    return DataLoss("lz4 payload: does not decompress to the " + std::to_string(plain_bytes) + " bytes it states");
  }
  return plain;
}

}  // namespace varve
