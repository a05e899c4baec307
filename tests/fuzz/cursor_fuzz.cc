// The texts by which a caller goes on with a scan, and names modes, uuids and checksums: refused, or read back to what
// they say. Input: bounds of the scan, line feed, cursor.
#include <string>

#include "base/crc32c.h"
#include "base/uuid.h"
#include "engine/search/scan_cursor.h"
#include "tests/fuzz/fuzz_target.h"
#include "varve/options.h"

namespace varve::fuzz {
namespace {

ScanRequest RequestOf(std::string_view bounds) {
  ScanRequest request;
  if (!bounds.empty() && bounds.front() == 'n') request.ns = std::string(bounds.substr(1));
  if (!bounds.empty() && bounds.front() == 'p') request.prefix = bounds.substr(1);
  if (!bounds.empty() && bounds.front() == 't') request.to = RecordPlace{"", std::string(bounds.substr(1))};
  return request;
}

void RunCursor(std::string_view input) {
  const size_t split = input.find('\n');
  const std::string_view text = split == std::string_view::npos ? input : input.substr(split + 1);
  ScanRequest request = RequestOf(split == std::string_view::npos ? "" : input.substr(0, split));
  request.cursor = text;
  const absl::StatusOr<RecordPlace> place = DecodeScanCursor(request);
  if (place.ok()) {
    ScanRequest fresh = request;
    fresh.cursor = EncodeScanCursor(request, *place);
    const absl::StatusOr<RecordPlace> again = DecodeScanCursor(fresh);
    FUZZ_CHECK(again.ok() && *again == *place);
  } else {
    FUZZ_CHECK(absl::IsInvalidArgument(place.status()));
  }
  const std::optional<SyncMode> mode = ParseSyncMode(text);
  if (mode.has_value()) FUZZ_CHECK(ParseSyncMode(SyncModeName(*mode)) == mode);
  const absl::StatusOr<Uuid> uuid = Uuid::FromHex(text);
  if (uuid.ok()) FUZZ_CHECK(Uuid::FromHex(uuid->ToHex()).value_or(Uuid{}) == *uuid);
  const absl::StatusOr<Crc32c> crc = Crc32cFromHex(text);
  if (crc.ok()) FUZZ_CHECK(Crc32cFromHex(Crc32cToHex(*crc)).value_or(Crc32c{}) == *crc);
}

// The checksum at the cursor's end.
void RepairCursor(std::string* input) {
  constexpr size_t kDigits = 8;
  const size_t begin = input->find('\n') + 1;  // 0 if there is none
  if (input->size() < begin + kDigits) return;
  const std::string_view covered = std::string_view(*input).substr(begin, input->size() - begin - kDigits);
  input->replace(input->size() - kDigits, kDigits, Crc32cToHex(ComputeCrc32c(covered)));
}

std::vector<std::string> CursorSeeds() {
  std::vector<std::string> seeds = {"every:10", "interval:5", "per_op", "00112233445566778899aabbccddeeff"};
  for (const std::string_view bounds : {"", "nname", "pprefix", "tkey"}) {
    seeds.push_back(std::string(bounds) + "\n" + EncodeScanCursor(RequestOf(bounds), {"name", "prefix-key"}));
  }
  return seeds;
}

}  // namespace

FuzzTarget CursorTarget() {
  return {.name = "cursor", .run = RunCursor, .seeds = CursorSeeds, .repair = RepairCursor, .words = {"every:"}};
}

}  // namespace varve::fuzz
