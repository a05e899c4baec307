#include "compression/block_codec.h"

#include <lz4.h>

#include "base/check.h"

namespace varve {

std::string Lz4Compress(std::string_view plain) {
  VARVE_CHECK(plain.size() <= LZ4_MAX_INPUT_SIZE);
  const int plain_bytes = static_cast<int>(plain.size());
  std::string compressed(static_cast<size_t>(LZ4_compressBound(plain_bytes)), '\0');
  const int written =
      LZ4_compress_default(plain.data(), compressed.data(), plain_bytes, static_cast<int>(compressed.size()));
  VARVE_CHECK(written > 0);  // cannot fail: the buffer has the size that compressBound asks for
  compressed.resize(static_cast<size_t>(written));
  return compressed;
}

std::optional<std::string> Lz4Decompress(std::string_view compressed, size_t plain_bytes) {
  if (compressed.size() > LZ4_MAX_INPUT_SIZE || plain_bytes > LZ4_MAX_INPUT_SIZE) return std::nullopt;
  if (plain_bytes > MaxLz4PlainBytes(compressed.size())) return std::nullopt;
  std::string plain(plain_bytes, '\0');
  const int read = LZ4_decompress_safe(compressed.data(), plain.data(), static_cast<int>(compressed.size()),
                                       static_cast<int>(plain_bytes));
  if (read < 0 || static_cast<size_t>(read) != plain_bytes) return std::nullopt;
  return plain;
}

}  // namespace varve
