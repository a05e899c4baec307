// lz4 blocks of bounded size, for bytes that are read rarely. Thread-safe.
#ifndef VARVE_COMPRESSION_BLOCK_CODEC_H_
#define VARVE_COMPRESSION_BLOCK_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace varve {

// The most plain bytes that an lz4 block of `compressed_bytes` can stand for: each byte of a match length adds 255, and
// a sequence's fixed parts a few more. A stated plain length beyond it is a lie, and is refused before it is allocated.
constexpr uint64_t MaxLz4PlainBytes(uint64_t compressed_bytes) { return compressed_bytes * 255 + 64; }

// The plain bytes as one lz4 block (no length inside). Requires: at most 2,113,929,216 bytes (lz4's own limit).
std::string Lz4Compress(std::string_view plain);

// Empty unless `compressed` decodes to exactly `plain_bytes` bytes. Never writes beyond them. The caller has bounded
// `plain_bytes`; a value beyond MaxLz4PlainBytes allocates nothing.
std::optional<std::string> Lz4Decompress(std::string_view compressed, size_t plain_bytes);

}  // namespace varve

#endif  // VARVE_COMPRESSION_BLOCK_CODEC_H_
