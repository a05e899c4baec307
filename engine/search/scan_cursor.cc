#include "engine/search/scan_cursor.h"

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kChecksumDigits = 8;
constexpr std::string_view kDigits = "0123456789abcdef";

std::string ToHex(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const size_t high = kDigits.find(hex[i]);
    const size_t low = kDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

void AppendOptional(bool present, std::string_view bytes, ByteWriter* writer) {
  writer->Fixed(static_cast<uint8_t>(present));
  writer->LengthPrefixed(bytes);
}

void AppendPlace(const std::optional<RecordPlace>& place, ByteWriter* writer) {
  AppendOptional(place.has_value(), place.has_value() ? place->ns : "", writer);
  writer->LengthPrefixed(place.has_value() ? place->key : "");
}

// What a cursor is good for.
uint32_t BoundsOf(const ScanRequest& request) {
  ByteWriter writer;
  AppendOptional(request.ns.has_value(), request.ns.value_or(""), &writer);
  writer.LengthPrefixed(request.prefix);
  AppendOptional(request.from.has_value(), request.from.value_or(""), &writer);
  AppendPlace(request.after, &writer);
  AppendPlace(request.to, &writer);
  return static_cast<uint32_t>(ComputeCrc32c(writer.str()));
}

}  // namespace

std::string EncodeScanCursor(const ScanRequest& request, const RecordPlace& last) {
  ByteWriter writer;
  writer.Fixed(kVersion);
  writer.Fixed(BoundsOf(request));
  writer.LengthPrefixed(last.ns);
  writer.LengthPrefixed(last.key);
  std::string cursor = ToHex(writer.str());
  return cursor + Crc32cToHex(ComputeCrc32c(cursor));
}

absl::StatusOr<RecordPlace> DecodeScanCursor(const ScanRequest& request) {
  const absl::Status damaged = InvalidArgument("cursor: is not one that a scan gave");
  std::string_view text = request.cursor;
  if (text.size() < kChecksumDigits) return damaged;
  const absl::StatusOr<Crc32c> checksum = Crc32cFromHex(text.substr(text.size() - kChecksumDigits));
  text.remove_suffix(kChecksumDigits);
  if (!checksum.ok() || *checksum != ComputeCrc32c(text)) return damaged;
  const std::optional<std::string> bytes = FromHex(text);
  if (!bytes.has_value()) return damaged;
  ByteReader reader(*bytes);
  uint8_t version = 0;
  if (!reader.Fixed(&version)) return damaged;
  if (version != kVersion) return InvalidArgument("cursor: is of another version of the library");
  uint32_t bounds = 0;
  std::string_view ns;
  std::string_view key;
  const bool whole = reader.Fixed(&bounds) && reader.LengthPrefixed(&ns) && reader.LengthPrefixed(&key);
  if (!whole || reader.remaining() != 0) return damaged;
  if (bounds != BoundsOf(request)) {
    return InvalidArgument("cursor: was given for another scan: expected the same namespace, prefix, from, after, to");
  }
  return RecordPlace{std::string(ns), std::string(key)};
}

}  // namespace varve
