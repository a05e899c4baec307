#include "segment/key_table.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "segment/key_table_writer.h"
#include "tests/support/section_buffer.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::SectionBuffer;
using testing::StatusIs;
using NsKey = std::pair<std::string, std::string>;

std::string RandomString(Random* random, size_t length) {
  // Few distinct bytes, so that prefixes are shared; zero and 0xFF among them, which a signed comparison or a C string
  // would get wrong.
  static constexpr char kAlphabet[] = {'\0', '\x01', 'a', 'b', '\x7F', '\x80', '\xFF'};
  std::string text(length, '\0');
  for (char& c : text) c = kAlphabet[random->Below(sizeof(kAlphabet))];
  return text;
}

std::vector<NsKey> RandomKeys(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<std::string> namespaces = {"", std::string(1, '\0'), "tenant", std::string(kMaxNamespaceBytes, '\xFF')};
  for (int i = 0; i < 5; ++i) namespaces.push_back(RandomString(&random, random.Below(6)));
  std::set<NsKey> keys;
  while (keys.size() < count) {
    const std::string& ns = namespaces[random.Below(namespaces.size())];
    const size_t length = 1 + random.Below(random.Below(8) == 0 ? 300 : 8);
    keys.insert({ns, RandomString(&random, length)});
  }
  return {keys.begin(), keys.end()};
}

// `buffer` keeps the bytes.
KeyTable MakeTable(const std::vector<NsKey>& keys, SectionBuffer* buffer, uint64_t seed = 99) {
  KeyTableWriter writer(seed);
  for (const NsKey& key : keys) EXPECT_OK(writer.Add(key.first, key.second));
  EXPECT_OK(buffer->BeginSection(SectionKind::kIds, {}));
  EXPECT_OK(writer.AppendTo(buffer));
  auto table = KeyTable::Open(buffer->Find(SectionKind::kIds), static_cast<uint32_t>(keys.size()));
  EXPECT_OK(table);
  return *std::move(table);
}

std::vector<std::string> Findings(const KeyTable& table) {
  std::vector<std::string> findings;
  table.CheckAll([&findings](uint64_t, std::string_view what) {
    findings.emplace_back(what);
    return findings.size() < 10;
  });
  return findings;
}

TEST(KeyTable, FindsEveryKeyItWasGiven) {
  for (uint64_t seed : {1, 2, 3}) {
    const std::vector<NsKey> keys = RandomKeys(seed, 3000);
    SectionBuffer buffer;
    const KeyTable table = MakeTable(keys, &buffer, seed);

    for (size_t row = 0; row < keys.size(); ++row) {
      ASSERT_OK_AND_ASSIGN(const RowId found, table.Find(keys[row].first, keys[row].second));
      ASSERT_EQ(found, row) << "seed " << seed;
      ASSERT_OK_AND_ASSIGN(const KeyTable::Key key, table.KeyOf(static_cast<RowId>(row)));
      ASSERT_EQ(key.ns, keys[row].first);
      ASSERT_EQ(key.key, keys[row].second);
    }
    EXPECT_THAT(Findings(table), ::testing::IsEmpty());
  }
}

TEST(KeyTable, DoesNotFindOtherKeys) {
  const std::vector<NsKey> keys = RandomKeys(4, 2000);
  const std::set<NsKey> present(keys.begin(), keys.end());
  SectionBuffer buffer;
  const KeyTable table = MakeTable(keys, &buffer);
  Random random(5);

  for (int i = 0; i < 20'000; ++i) {
    NsKey key = keys[random.Below(keys.size())];
    std::string* part = random.Below(4) == 0 ? &key.first : &key.second;
    *part = random.Below(2) == 0 ? *part + RandomString(&random, 1) : part->substr(0, part->size() / 2);
    ASSERT_OK_AND_ASSIGN(const RowId found, table.Find(key.first, key.second));
    ASSERT_EQ(found != kNoRow, present.count(key) != 0) << Quoted(key.first) << " " << Quoted(key.second);
  }
}

TEST(KeyTable, GivesTheLowerBoundOfAnyKey) {
  const std::vector<NsKey> keys = RandomKeys(6, 1000);
  SectionBuffer buffer;
  const KeyTable table = MakeTable(keys, &buffer);
  Random random(7);

  for (int i = 0; i < 20'000; ++i) {
    NsKey key = keys[random.Below(keys.size())];
    if (random.Below(3) == 0) key.first = RandomString(&random, random.Below(4));
    if (random.Below(3) != 0) key.second = RandomString(&random, random.Below(5));
    const auto expected = std::lower_bound(keys.begin(), keys.end(), key) - keys.begin();
    ASSERT_OK_AND_ASSIGN(const RowId found, table.LowerBound(key.first, key.second));
    ASSERT_EQ(found, expected) << Quoted(key.first) << " " << Quoted(key.second);
  }
}

TEST(KeyTable, GivesTheRowsOfEachNamespace) {
  const std::vector<NsKey> keys = RandomKeys(8, 1000);
  SectionBuffer buffer;
  const KeyTable table = MakeTable(keys, &buffer);
  Random random(9);
  std::set<std::string> names = {"", "a", "zz", std::string(1, '\0'), std::string(3, '\xFF')};
  for (const NsKey& key : keys) names.insert(key.first);

  for (const std::string& ns : names) {
    const auto range = std::make_pair(std::lower_bound(keys.begin(), keys.end(), NsKey(ns, "")),
                                      std::lower_bound(keys.begin(), keys.end(), NsKey(ns + '\0', "")));
    ASSERT_OK_AND_ASSIGN(const auto rows, table.NamespaceRows(ns));
    EXPECT_EQ(rows.first, range.first - keys.begin()) << Quoted(ns);
    EXPECT_EQ(rows.second, range.second - keys.begin()) << Quoted(ns);
  }
}

TEST(KeyTable, HoldsKeysUpToTheLimit) {
  const std::string longest(kMaxKeyBytes, 'k');
  std::vector<NsKey> keys;
  for (int i = 0; i < 130; ++i) keys.push_back({"", longest.substr(0, kMaxKeyBytes - 3) + std::to_string(100 + i)});
  std::sort(keys.begin(), keys.end());
  SectionBuffer buffer;
  const KeyTable table = MakeTable(keys, &buffer);

  for (size_t row = 0; row < keys.size(); ++row) {
    ASSERT_OK_AND_ASSIGN(const RowId found, table.Find("", keys[row].second));
    EXPECT_EQ(found, row);
    ASSERT_OK_AND_ASSIGN(const KeyTable::Key key, table.KeyOf(static_cast<RowId>(row)));
    EXPECT_EQ(key.key, keys[row].second);
  }
  EXPECT_THAT(Findings(table), ::testing::IsEmpty());
}

TEST(KeyTable, WorksWithoutRows) {
  SectionBuffer buffer;
  const KeyTable table = MakeTable({}, &buffer);

  EXPECT_EQ(*table.Find("", "a"), kNoRow);
  EXPECT_EQ(*table.LowerBound("", "a"), 0u);
  EXPECT_EQ(*table.NamespaceRows(""), (std::pair<RowId, RowId>(0, 0)));
  EXPECT_THAT(table.KeyOf(0), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 0")));
  EXPECT_THAT(Findings(table), ::testing::IsEmpty());
}

TEST(KeyTable, WorksWithOneAndTwoAndAGroupOfRows) {
  for (size_t count : {1, 2, 3, 63, 64, 65, 128, 129}) {
    const std::vector<NsKey> keys = RandomKeys(count, count);
    SectionBuffer buffer;
    const KeyTable table = MakeTable(keys, &buffer);
    EXPECT_THAT(Findings(table), ::testing::IsEmpty()) << count;
    EXPECT_THAT(table.KeyOf(static_cast<RowId>(count)), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row")));
  }
}

TEST(KeyTable, ManyNamespacesOfOneRowEach) {
  std::vector<NsKey> keys;
  for (int i = 0; i < 500; ++i) keys.push_back({"tenant" + std::to_string(i), "profile"});
  std::sort(keys.begin(), keys.end());
  SectionBuffer buffer;
  const KeyTable table = MakeTable(keys, &buffer);

  EXPECT_EQ(table.namespace_count(), 500u);
  for (size_t row = 0; row < keys.size(); ++row) {
    EXPECT_EQ(*table.Find(keys[row].first, "profile"), row);
    EXPECT_EQ(table.NamespaceRows(keys[row].first)->first, row);
  }
}

TEST(KeyTableWriter, RefusesRowsOutOfOrder) {
  KeyTableWriter writer(1);
  ASSERT_OK(writer.Add("b", "k"));

  EXPECT_THAT(writer.Add("b", "k"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_THAT(writer.Add("b", "j"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_THAT(writer.Add("a", "z"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_THAT(writer.Add("", "z"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ascend")));
  EXPECT_OK(writer.Add("b", std::string("k\0", 2)));
  EXPECT_OK(writer.Add("b", "\xFF"));
  EXPECT_OK(writer.Add("\xFF", "a"));
  EXPECT_EQ(writer.rows(), 4u);
}

TEST(KeyTableWriter, RefusesLengthsBeyondTheLimits) {
  KeyTableWriter writer(1);

  EXPECT_THAT(writer.Add("", ""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key")));
  EXPECT_THAT(writer.Add("", std::string(kMaxKeyBytes + 1, 'k')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key")));
  EXPECT_THAT(writer.Add(std::string(kMaxNamespaceBytes + 1, 'n'), "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("namespace")));
  EXPECT_OK(writer.Add(std::string(kMaxNamespaceBytes, 'n'), std::string(kMaxKeyBytes, 'k')));
}

// Without checksums, whatever the bytes are, the table answers or reports damage, and stays within its bounds.
TEST(KeyTable, SurvivesHostileBytes) {
  const std::vector<NsKey> keys = RandomKeys(10, 150);
  SectionBuffer good;
  MakeTable(keys, &good);
  const std::string original = good.bytes(SectionKind::kIds);
  Random random(11);
  static constexpr uint64_t kNasty[] = {0,           1, 63, 64, 150, 151, 0x7FFFFFFF, 0xFFFFFFFF, uint64_t{1} << 63,
                                        ~uint64_t{0}};

  for (int round = 0; round < 3000; ++round) {
    SectionBuffer buffer;
    ASSERT_OK(buffer.BeginSection(SectionKind::kIds, {}));
    std::string bytes = original;
    for (uint64_t edits = 1 + random.Below(4); edits > 0; --edits) {
      const size_t offset = random.Below(bytes.size() - 8) & ~size_t{3};
      const uint64_t value = random.Below(2) == 0 ? kNasty[random.Below(std::size(kNasty))] : random.Next();
      if (random.Below(2) == 0) {
        StoreUnaligned(bytes.data() + offset, value);
      } else {
        StoreUnaligned(bytes.data() + offset, static_cast<uint32_t>(value));
      }
    }
    ASSERT_OK(buffer.Append(AsBytes(bytes)));
    const auto table = KeyTable::Open(buffer.Find(SectionKind::kIds), 150);
    if (!table.ok()) {
      EXPECT_THAT(table, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("buffer.vcnt")));
      continue;
    }
    for (RowId row = 0; row < 150; row += 7) {
      const auto found = table->Find(keys[row].first, keys[row].second);
      if (found.ok() && *found != kNoRow) {
        EXPECT_LT(*found, 150u);
      }
      table->KeyOf(row).IgnoreError();
      table->LowerBound(keys[row].first, keys[row].second).IgnoreError();
      const auto rows = table->NamespaceRows(keys[row].first);
      if (rows.ok()) {
        EXPECT_LE(rows->second, 150u);
      }
    }
    Findings(*table);
  }
}

TEST(KeyTable, CheckFindsKeysThatTheFilterOrTheLookupTableLost) {
  const std::vector<NsKey> keys = RandomKeys(12, 150);
  SectionBuffer buffer;
  MakeTable(keys, &buffer);
  const std::string original = buffer.bytes(SectionKind::kIds);
  // The filter begins behind the header; the lookup table behind it.
  const size_t filter_bytes = LoadUnaligned<uint64_t>(original.data() + 48) * 64;

  buffer.bytes(SectionKind::kIds).replace(64, filter_bytes, filter_bytes, '\0');
  auto table = KeyTable::Open(buffer.Find(SectionKind::kIds), 150);
  ASSERT_OK(table);
  EXPECT_THAT(Findings(*table), ::testing::Contains(HasSubstr("not found")));

  buffer.bytes(SectionKind::kIds) = original;
  buffer.bytes(SectionKind::kIds).replace(64 + filter_bytes, 40, 40, '\xFF');
  table = KeyTable::Open(buffer.Find(SectionKind::kIds), 150);
  ASSERT_OK(table);
  EXPECT_THAT(Findings(*table), ::testing::Contains(HasSubstr("not found")));
}

}  // namespace
}  // namespace varve
