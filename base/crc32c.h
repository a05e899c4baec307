// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), the checksum of every Varve file. Uses the processor's
// instruction where there is one (several streams at once), else tables. Thread-safe.
#ifndef VARVE_BASE_CRC32C_H_
#define VARVE_BASE_CRC32C_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace varve {

// A checksum; a type of its own so that it is not mixed up with lengths and offsets.
enum class Crc32c : uint32_t {};

// The checksum of `data`; of the empty string it is 0.
Crc32c ComputeCrc32c(std::string_view data);
Crc32c ComputeCrc32c(absl::Span<const std::byte> data);
// The checksum of what `crc` covers followed by `data`.
Crc32c ExtendCrc32c(Crc32c crc, std::string_view data);
Crc32c ExtendCrc32c(Crc32c crc, absl::Span<const std::byte> data);
// The same by tables, for tests and processors without the instruction.
Crc32c ExtendCrc32cPortable(Crc32c crc, std::string_view data);

// Eight lower-case hex digits, and back (InvalidArgument for anything else).
std::string Crc32cToHex(Crc32c crc);
absl::StatusOr<Crc32c> Crc32cFromHex(std::string_view hex);

}  // namespace varve

#endif  // VARVE_BASE_CRC32C_H_
