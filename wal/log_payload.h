// The lz4 form of a record's payload: u32 plain length, then one lz4 block. Stateless; thread-safe.
#ifndef VARVE_WAL_LOG_PAYLOAD_H_
#define VARVE_WAL_LOG_PAYLOAD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// Appends the lz4 form of `plain` to `target` if that saves at least an eighth; else returns false and leaves `target`
// as it was. Requires: at most kMaxLogPayloadBytes.
[[nodiscard]] bool AppendCompressedPayload(std::string_view plain, std::string* target);

// The plain payload. Allocates at most 255 times the bytes of `stored`, whatever length it claims.
// Errors: DataLoss (without a file's name) for anything that does not decompress to exactly the length it states, or
// states one above kMaxLogPayloadBytes.
absl::StatusOr<std::string> DecompressPayload(std::string_view stored);

}  // namespace varve

#endif  // VARVE_WAL_LOG_PAYLOAD_H_
