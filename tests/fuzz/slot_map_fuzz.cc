// Sections SLOT_ROWS and ROW_SLOTS: reading ends with an answer or DataLoss; where the full check finds nothing, the
// two directions agree.
#include <string>
#include <vector>

#include "base/bytes.h"
#include "segment/slot_map.h"
#include "tests/fuzz/exact_sections.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr uint32_t kMaxRows = 2000;

void RunSlotMap(std::string_view bytes) {
  FuzzInput input(bytes);
  const uint32_t rows = input.Number<uint16_t>() % (kMaxRows + 1);
  const uint32_t slots = input.Number<uint16_t>() % (kMaxRows + 1);
  ExactSections sections;
  const uint16_t slot_rows_bytes = input.Number<uint16_t>();
  sections.Set(SectionKind::kSlotRows, input.Bytes(slot_rows_bytes));
  sections.Set(SectionKind::kRowSlots, input.Rest());
  const auto map =
      SlotMap::Open(sections.Find(SectionKind::kSlotRows), sections.Find(SectionKind::kRowSlots), rows, slots);
  if (!map.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(map.status()));
    return;
  }
  bool sound = true;
  const ReportDamage report = [&](uint64_t, std::string_view) { return sound = false; };
  (*map)->CheckAll(report, report);
  const auto slot_rows = (*map)->SlotRows();
  FUZZ_CHECK(slot_rows.ok() || (absl::IsDataLoss(slot_rows.status()) && !sound));
  if (slot_rows.ok()) {
    for (const RowId row : *slot_rows) FUZZ_CHECK(row < rows || row == kNoRow);
  }
  for (RowId row = 0; row < rows; ++row) {
    const auto range = (*map)->SlotsOf(row);
    FUZZ_CHECK(range.ok() || (absl::IsDataLoss(range.status()) && !sound));
    if (!range.ok()) continue;
    FUZZ_CHECK(range->count == 0 || (range->first < slots && range->count <= slots - range->first));
    for (uint32_t i = 0; sound && i < range->count; ++i) {
      const RowId owner = (*slot_rows)[range->first + i];
      FUZZ_CHECK(owner == row || owner == kNoRow);
    }
  }
  FUZZ_CHECK(absl::IsInvalidArgument((*map)->SlotsOf(rows).status()));
}

std::string Seed(uint16_t rows, const std::vector<RowId>& slot_rows) {
  ExactSections sections;
  FUZZ_CHECK_OK(sections.BeginSection(SectionKind::kRowSlots, {}));
  FUZZ_CHECK_OK(AppendRowSlots(slot_rows, rows, &sections));
  ByteWriter seed;
  seed.Fixed(rows);
  seed.Fixed(static_cast<uint16_t>(slot_rows.size()));
  seed.Fixed(static_cast<uint16_t>(slot_rows.size() * sizeof(RowId)));
  for (const RowId row : slot_rows) seed.Fixed(row);
  seed.Bytes(sections.Bytes(SectionKind::kRowSlots));
  return seed.Take();
}

std::vector<std::string> SlotMapSeeds() {
  std::vector<RowId> some;
  std::vector<RowId> several;
  for (RowId row = 0; row < 700; ++row) {
    if (row % 3 != 0) some.push_back(row);
    several.insert(several.end(), row % 4, row);
  }
  return {Seed(1, {}), Seed(9, {0, 4, 8}), Seed(700, some), Seed(700, several), Seed(5, {1, 1, 1, 3})};
}

}  // namespace

FuzzTarget SlotMapTarget() { return {.name = "slot_map", .run = RunSlotMap, .seeds = SlotMapSeeds}; }

}  // namespace varve::fuzz
