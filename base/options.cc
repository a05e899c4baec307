#include "varve/options.h"

#include <charconv>

namespace varve {
namespace {

constexpr std::string_view kPerOp = "per_op";
constexpr std::string_view kOnFlush = "on_flush";
constexpr std::string_view kEvery = "every:";
constexpr std::string_view kInterval = "interval:";

// A decimal number from 1 on, and nothing else.
std::optional<uint64_t> ParsePositive(std::string_view text) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [position, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || position != end || value == 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<SyncMode> ParseSyncMode(std::string_view text) {
  if (text == kPerOp) return SyncMode::PerOp();
  if (text == kOnFlush) return SyncMode::OnFlush();
  if (text.starts_with(kEvery)) {
    const std::optional<uint64_t> operations = ParsePositive(text.substr(kEvery.size()));
    if (operations.has_value()) return SyncMode::EveryN(*operations);
  } else if (text.starts_with(kInterval)) {
    const std::optional<uint64_t> milliseconds = ParsePositive(text.substr(kInterval.size()));
    if (milliseconds.has_value()) return SyncMode::Interval(*milliseconds);
  }
  return std::nullopt;
}

std::string SyncModeName(const SyncMode& mode) {
  switch (mode.kind) {
    case SyncMode::Kind::kPerOp:
      return std::string(kPerOp);
    case SyncMode::Kind::kEveryN:
      return std::string(kEvery) + std::to_string(mode.n);
    case SyncMode::Kind::kInterval:
      return std::string(kInterval) + std::to_string(mode.interval_ms);
    case SyncMode::Kind::kOnFlush:
      return std::string(kOnFlush);
  }
  return std::string(kPerOp);
}

}  // namespace varve
