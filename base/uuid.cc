#include "base/uuid.h"

#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/random.h"
#include "base/status.h"

namespace varve {
namespace {

// The value of a hex digit of either case, or -1.
int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The state of the generator that stands in for the operating system's; 0: none does.
std::atomic<uint64_t> seeded_state{0};

}  // namespace

ScopedUuidSeed::ScopedUuidSeed(uint64_t seed) { seeded_state = Mix64(seed) | 1; }
ScopedUuidSeed::~ScopedUuidSeed() { seeded_state = 0; }

absl::StatusOr<Uuid> Uuid::Random() {
  Uuid uuid;
  if (seeded_state.load() != 0) {
    const uint64_t halves[] = {Mix64(seeded_state.fetch_add(2)), Mix64(seeded_state.fetch_add(2))};
    std::memcpy(uuid.bytes.data(), halves, uuid.bytes.size());
    return uuid;
  }
  size_t filled = 0;
  while (filled < uuid.bytes.size()) {
    const ssize_t count = ::getrandom(uuid.bytes.data() + filled, uuid.bytes.size() - filled, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "getrandom", "16 bytes");
    filled += static_cast<size_t>(count);
  }
  return uuid;
}

absl::StatusOr<Uuid> Uuid::FromHex(std::string_view hex) {
  Uuid uuid;
  bool valid = hex.size() == 2 * uuid.bytes.size();
  for (size_t i = 0; valid && i < uuid.bytes.size(); ++i) {
    const int high = HexValue(hex[2 * i]);
    const int low = HexValue(hex[2 * i + 1]);
    valid = high >= 0 && low >= 0;
    if (valid) uuid.bytes[i] = static_cast<char>(high << 4 | low);
  }
  if (!valid) return InvalidArgument("uuid: " + Quoted(hex) + ": expected 32 hex digits");
  return uuid;
}

std::string Uuid::ToHex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace varve
