// Section IDS: its readers end with an answer or DataLoss; where the full check finds nothing, every key is found where
// it stands, keys ascend, and namespaces are intervals.
#include <string>

#include "base/bytes.h"
#include "segment/key_table.h"
#include "segment/key_table_writer.h"
#include "tests/fuzz/exact_sections.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr uint32_t kMaxRows = 1000;

template <typename T>
bool Answered(const absl::StatusOr<T>& value) {
  FUZZ_CHECK(value.ok() || absl::IsDataLoss(value.status()));
  return value.ok();
}

// Without a word of what the full check says.
void ReadAll(const KeyTable& table, uint32_t rows) {
  for (RowId row = 0; row < rows; ++row) {
    const auto key = table.KeyOf(row);
    if (!Answered(key)) continue;
    const auto found = table.Find(key->ns, key->key);
    if (Answered(found)) FUZZ_CHECK(*found == kNoRow || *found < rows);
    const auto bound = table.LowerBound(key->ns, key->key);
    if (Answered(bound)) FUZZ_CHECK(*bound <= rows);
    const auto range = table.NamespaceRows(key->ns);
    if (Answered(range)) FUZZ_CHECK(range->first <= range->second && range->second <= rows);
  }
  (void)Answered(table.Find("", "absent"));
  (void)Answered(table.LowerBound("zz", ""));
  (void)Answered(table.NamespaceRows(""));
  FUZZ_CHECK(absl::IsInvalidArgument(table.KeyOf(rows).status()));
}

void CheckSound(const KeyTable& table, uint32_t rows) {
  std::pair<std::string, std::string> before;
  for (RowId row = 0; row < rows; ++row) {
    const auto key = table.KeyOf(row);
    FUZZ_CHECK_OK(key);
    std::pair<std::string, std::string> place(key->ns, key->key);
    FUZZ_CHECK(row == 0 || before < place);
    before = std::move(place);
    const auto found = table.Find(key->ns, key->key);
    FUZZ_CHECK(found.ok() && *found == row);
    const auto bound = table.LowerBound(key->ns, key->key);
    FUZZ_CHECK(bound.ok() && *bound == row);
    const auto range = table.NamespaceRows(key->ns);
    FUZZ_CHECK(range.ok() && range->first <= row && row < range->second);
  }
}

void RunKeyTable(std::string_view bytes) {
  FuzzInput input(bytes);
  const uint32_t rows = input.Number<uint16_t>() % (kMaxRows + 1);
  ExactSections sections;
  sections.Set(SectionKind::kIds, input.Rest());
  const absl::StatusOr<KeyTable> table = KeyTable::Open(sections.Find(SectionKind::kIds), rows);
  if (!Answered(table)) return;
  ReadAll(*table, rows);
  bool sound = true;
  table->CheckAll([&](uint64_t, std::string_view) { return sound = false; });
  if (sound) CheckSound(*table, rows);
}

std::vector<std::string> KeyTableSeeds() {
  std::vector<std::string> seeds;
  for (const uint16_t rows : {0, 1, 5, 64, 65, 300}) {
    KeyTableWriter writer(/*seed=*/rows);
    for (int i = 0; i < rows; ++i) {
      const std::string ns(static_cast<size_t>(i) * 4 / rows, 'n');
      FUZZ_CHECK_OK(writer.Add(ns, "key" + std::to_string(10000 + i) + std::string(static_cast<size_t>(i % 9), '.')));
    }
    ExactSections sections;
    FUZZ_CHECK_OK(sections.BeginSection(SectionKind::kIds, {}));
    FUZZ_CHECK_OK(writer.AppendTo(&sections));
    ByteWriter seed;
    seed.Fixed(rows);
    seed.Bytes(sections.Bytes(SectionKind::kIds));
    seeds.push_back(seed.Take());
  }
  return seeds;
}

}  // namespace

FuzzTarget KeyTableTarget() { return {.name = "key_table", .run = RunKeyTable, .seeds = KeyTableSeeds}; }

}  // namespace varve::fuzz
