#include "segment/slot_map.h"

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/section_buffer.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::SectionBuffer;
using testing::StatusIs;

void WriteMap(const std::vector<RowId>& slot_rows, uint32_t rows, SectionBuffer* buffer) {
  ASSERT_OK(buffer->BeginSection(SectionKind::kSlotRows, {}));
  ASSERT_OK(
      buffer->Append(AsBytes({reinterpret_cast<const char*>(slot_rows.data()), slot_rows.size() * sizeof(RowId)})));
  ASSERT_OK(buffer->BeginSection(SectionKind::kRowSlots, {}));
  ASSERT_OK(AppendRowSlots(slot_rows, rows, buffer));
}

absl::StatusOr<std::unique_ptr<SlotMap>> OpenMap(const SectionBuffer& buffer, uint32_t rows, size_t slots) {
  return SlotMap::Open(buffer.Find(SectionKind::kSlotRows), buffer.Find(SectionKind::kRowSlots), rows,
                       static_cast<uint32_t>(slots));
}

std::vector<std::string> Findings(const SlotMap& map) {
  std::vector<std::string> findings;
  const ReportDamage report = [&findings](uint64_t, std::string_view what) {
    findings.emplace_back(what);
    return findings.size() < 10;
  };
  map.CheckAll(report, report);
  return findings;
}

// Rows with their slots: each row has 0 .. max_slots of them.
std::vector<RowId> RandomSlots(uint64_t seed, uint32_t rows, uint64_t max_slots) {
  Random random(seed);
  std::vector<RowId> slot_rows;
  for (RowId row = 0; row < rows; ++row) {
    for (uint64_t slots = random.Below(max_slots + 1); slots > 0; --slots) slot_rows.push_back(row);
  }
  return slot_rows;
}

void ExpectMaps(const SlotMap& map, const std::vector<RowId>& slot_rows, uint32_t rows) {
  ASSERT_OK_AND_ASSIGN(const absl::Span<const RowId> stored, map.SlotRows());
  EXPECT_EQ(std::vector<RowId>(stored.begin(), stored.end()), slot_rows);
  SlotId slot = 0;
  for (RowId row = 0; row < rows; ++row) {
    uint32_t count = 0;
    while (slot + count < slot_rows.size() && slot_rows[slot + count] == row) ++count;
    ASSERT_OK_AND_ASSIGN(const SlotMap::SlotRange range, map.SlotsOf(row));
    ASSERT_EQ(range.count, count) << "row " << row;
    if (count > 0) {
      ASSERT_EQ(range.first, slot) << "row " << row;
    }
    slot += count;
  }
  EXPECT_THAT(Findings(map), ::testing::IsEmpty());
}

TEST(SlotMap, MapsFieldsThatSomeRowsLack) {
  for (const uint32_t rows : {1u, 63u, 64u, 65u, 511u, 512u, 513u, 5000u}) {
    const std::vector<RowId> slot_rows = RandomSlots(rows, rows, 1);
    SectionBuffer buffer;
    WriteMap(slot_rows, rows, &buffer);
    ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, rows, slot_rows.size()));
    ExpectMaps(*map, slot_rows, rows);
  }
}

TEST(SlotMap, MapsFieldsWithSeveralVectorsPerRow) {
  for (const uint32_t rows : {2u, 100u, 1000u}) {
    std::vector<RowId> slot_rows = RandomSlots(rows, rows, 5);
    slot_rows.insert(slot_rows.end(), 2, rows - 1);
    SectionBuffer buffer;
    WriteMap(slot_rows, rows, &buffer);
    ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, rows, slot_rows.size()));
    ExpectMaps(*map, slot_rows, rows);
  }
}

TEST(SlotMap, MapsAFieldThatNoRowHas) {
  SectionBuffer buffer;
  WriteMap({}, 10, &buffer);
  ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, 10, 0));
  ExpectMaps(*map, {}, 10);
}

TEST(SlotMap, WithoutSectionsSlotsAreRows) {
  const SectionBuffer buffer;
  ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, 10, 10));

  EXPECT_TRUE(map->SlotRows()->empty());
  EXPECT_EQ(map->SlotsOf(7)->first, 7u);
  EXPECT_EQ(map->SlotsOf(7)->count, 1u);
  EXPECT_THAT(map->SlotsOf(10), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 10")));
}

TEST(SlotMap, RefusesOneSectionWithoutTheOther) {
  for (const SectionKind kind : {SectionKind::kSlotRows, SectionKind::kRowSlots}) {
    SectionBuffer buffer;
    WriteMap({0, 2}, 3, &buffer);
    buffer.Remove(kind);
    EXPECT_THAT(OpenMap(buffer, 3, 2), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("need each other")));
  }
}

TEST(SlotMap, RefusesLengthsAndCountsThatDoNotFit) {
  SectionBuffer buffer;
  WriteMap({0, 2}, 3, &buffer);

  EXPECT_THAT(OpenMap(buffer, 3, 3), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("SLOT_ROWS")));
  EXPECT_THAT(OpenMap(buffer, 4, 2), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ROW_SLOTS")));
  buffer.bytes(SectionKind::kRowSlots) += '\0';
  EXPECT_THAT(OpenMap(buffer, 3, 2), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length")));
  buffer.bytes(SectionKind::kRowSlots).resize(20);
  EXPECT_THAT(OpenMap(buffer, 3, 2), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("header")));
}

TEST(SlotMap, RefusesARowOutOfRange) {
  SectionBuffer buffer;
  WriteMap({0, 2}, 3, &buffer);
  StoreUnaligned(buffer.bytes(SectionKind::kSlotRows).data() + 4, RowId{3});
  ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, 3, 2));

  EXPECT_THAT(map->SlotRows(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("slot 1")));
}

TEST(SlotMap, AllowsASlotWhoseRowIsGone) {
  SectionBuffer buffer;
  WriteMap({0, 1, 2}, 3, &buffer);
  StoreUnaligned(buffer.bytes(SectionKind::kSlotRows).data() + 4, kNoRow);
  ASSERT_OK_AND_ASSIGN(const auto map, OpenMap(buffer, 3, 3));

  EXPECT_OK(map->SlotRows());
  EXPECT_THAT(map->SlotsOf(1), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("SLOT_ROWS")));
  EXPECT_OK(map->SlotsOf(2));
}

TEST(SlotMap, SurvivesHostileBytes) {
  Random random(1);
  for (int round = 0; round < 4000; ++round) {
    const uint32_t rows = 130;
    const std::vector<RowId> slot_rows = RandomSlots(round, rows, round % 2 == 0 ? 1 : 3);
    SectionBuffer buffer;
    WriteMap(slot_rows, rows, &buffer);
    for (uint64_t edits = 1 + random.Below(3); edits > 0; --edits) {
      std::string& bytes = buffer.bytes(random.Below(3) == 0 ? SectionKind::kSlotRows : SectionKind::kRowSlots);
      if (bytes.empty()) continue;
      const uint64_t value = random.Below(2) == 0 ? random.Below(200) : random.Next();
      StoreUnaligned(bytes.data() + random.Below(bytes.size() / 4) * 4, static_cast<uint32_t>(value));
    }
    const auto map = OpenMap(buffer, rows, slot_rows.size());
    if (!map.ok()) continue;
    for (RowId row = 0; row < rows; ++row) {
      const auto range = (*map)->SlotsOf(row);
      if (range.ok()) {
        ASSERT_LE(uint64_t{range->first} + range->count, slot_rows.size());
      }
    }
    const auto stored = (*map)->SlotRows();
    if (stored.ok()) {
      for (const RowId row : *stored) ASSERT_TRUE(row < rows || row == kNoRow);
    }
    Findings(**map);
  }
}

}  // namespace
}  // namespace varve
