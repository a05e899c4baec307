// 16 random bytes that name a collection, or keep a secret.
#ifndef VARVE_BASE_UUID_H_
#define VARVE_BASE_UUID_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

struct Uuid {
  std::array<char, 16> bytes{};

  // From the operating system's random source, unless a ScopedUuidSeed lives.
  static absl::StatusOr<Uuid> Random();
  // 32 hex digits; InvalidArgument for anything else.
  static absl::StatusOr<Uuid> FromHex(std::string_view hex);
  std::string ToHex() const;  // 32 lower-case hex digits
  std::string_view view() const { return {bytes.data(), bytes.size()}; }

  friend bool operator==(const Uuid&, const Uuid&) = default;
};

// While it lives, Uuid::Random() gives the same uuids for the same seed, so that the same writes make the same bytes.
// For tests alone: secrets must not be known. One at a time; thread-safe beside Random().
class ScopedUuidSeed {
 public:
  explicit ScopedUuidSeed(uint64_t seed);
  ~ScopedUuidSeed();
  ScopedUuidSeed(const ScopedUuidSeed&) = delete;
  ScopedUuidSeed& operator=(const ScopedUuidSeed&) = delete;
};

}  // namespace varve

#endif  // VARVE_BASE_UUID_H_
