// lz4 blocks of bounded size, for bytes that are read rarely. Thread-safe.
#ifndef VARVE_COMPRESSION_BLOCK_CODEC_H_
#define VARVE_COMPRESSION_BLOCK_CODEC_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace varve {

// The plain bytes as one lz4 block (no length inside).
std::string Lz4Compress(std::string_view plain);

// Empty unless `compressed` decodes to exactly `plain_bytes` bytes. Never writes beyond them. The caller has bounded
// `plain_bytes`.
std::optional<std::string> Lz4Decompress(std::string_view compressed, size_t plain_bytes);

}  // namespace varve

#endif  // VARVE_COMPRESSION_BLOCK_CODEC_H_
