#include "segment/document_store.h"

#include <string>
#include <utility>
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
using Document = std::pair<std::string, std::string>;

std::string Noise(Random* random, size_t length) {
  std::string bytes(length, '\0');
  for (char& c : bytes) c = static_cast<char>(random->Next());
  return bytes;
}

std::vector<Document> RandomDocuments(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<Document> documents;
  for (size_t i = 0; i < count; ++i) {
    Document document;
    if (random.Below(3) != 0) document.first = "{\"number\":" + std::to_string(i) + ",\"text\":\"the same for all\"}";
    if (random.Below(4) == 0) document.second = Noise(&random, random.Below(50));
    // Around the size of a block, and well beyond it.
    if (random.Below(40) == 0) document.second = Noise(&random, kDocumentBlockBytes - 10 + random.Below(20));
    if (random.Below(100) == 0) document.first = std::string(5 * kDocumentBlockBytes, 'j');
    documents.push_back(std::move(document));
  }
  return documents;
}

DocumentStore MakeStore(const std::vector<Document>& documents, SectionBuffer* buffer) {
  DocumentStoreWriter writer;
  for (const Document& document : documents) EXPECT_OK(writer.Add(document.first, document.second));
  EXPECT_OK(buffer->BeginSection(SectionKind::kDocuments, {}));
  EXPECT_OK(writer.AppendTo(buffer));
  auto store = DocumentStore::Open(buffer->Find(SectionKind::kDocuments), static_cast<uint32_t>(documents.size()));
  EXPECT_OK(store);
  return *std::move(store);
}

std::vector<std::string> Findings(const DocumentStore& store) {
  std::vector<std::string> findings;
  store.CheckAll([&findings](uint64_t, std::string_view what) {
    findings.emplace_back(what);
    return findings.size() < 10;
  });
  return findings;
}

TEST(DocumentStore, GivesBackEveryDocument) {
  for (uint64_t seed : {1, 2, 3}) {
    const std::vector<Document> documents = RandomDocuments(seed, 1500);
    SectionBuffer buffer;
    const DocumentStore store = MakeStore(documents, &buffer);

    for (size_t row = 0; row < documents.size(); ++row) {
      ASSERT_OK_AND_ASSIGN(const DocumentBlock block, store.ReadBlock(static_cast<RowId>(row)));
      ASSERT_TRUE(block.Contains(static_cast<RowId>(row)));
      const DocumentBlock::Document document = block.Get(static_cast<RowId>(row));
      ASSERT_EQ(document.metadata, documents[row].first) << row;
      ASSERT_EQ(document.payload, documents[row].second) << row;
    }
    EXPECT_THAT(Findings(store), ::testing::IsEmpty());
  }
}

TEST(DocumentStore, KeepsBlocksSmall) {
  const std::vector<Document> documents(10'000, {"{}", "0123456789"});
  SectionBuffer buffer;
  const DocumentStore store = MakeStore(documents, &buffer);

  ASSERT_OK_AND_ASSIGN(const DocumentBlock block, store.ReadBlock(5000));

  EXPECT_LE(block.rows(), kMaxRowsPerDocumentBlock);
  EXPECT_LT(buffer.bytes(SectionKind::kDocuments).size(), 10'000u);  // it compresses
}

TEST(DocumentStore, GivesALongRowABlockOfItsOwn) {
  std::vector<Document> documents(100, {"{}", ""});
  documents[50].second = std::string(10 * kDocumentBlockBytes, 'p');
  SectionBuffer buffer;
  const DocumentStore store = MakeStore(documents, &buffer);

  ASSERT_OK_AND_ASSIGN(const DocumentBlock block, store.ReadBlock(50));

  EXPECT_EQ(block.first_row(), 50u);
  EXPECT_EQ(block.rows(), 1u);
}

TEST(DocumentStore, FindsRowsAmongManyEmptyOnes) {
  std::vector<Document> documents(5000);
  documents[4321].first = "{\"a\":1}";
  SectionBuffer buffer;
  const DocumentStore store = MakeStore(documents, &buffer);

  ASSERT_OK_AND_ASSIGN(const DocumentBlock block, store.ReadBlock(4321));

  EXPECT_LE(block.rows(), kMaxRowsPerDocumentBlock);
  EXPECT_EQ(block.Get(4321).metadata, "{\"a\":1}");
}

TEST(DocumentStoreWriter, KnowsWhetherThereIsAnything) {
  DocumentStoreWriter writer;
  ASSERT_OK(writer.Add("", ""));
  EXPECT_FALSE(writer.any());
  ASSERT_OK(writer.Add("", "p"));
  EXPECT_TRUE(writer.any());
}

TEST(DocumentStoreWriter, KeepsNothingOfWhatItHasWritten) {
  DocumentStoreWriter writer;
  Random random(1);
  std::string payload(1000, ' ');
  for (int i = 0; i < 1000; ++i) {
    for (char& byte : payload) byte = static_cast<char>(random.Below(256));
    ASSERT_OK(writer.Add("", payload));
  }
  EXPECT_GT(writer.buffered_bytes(), 1'000'000u);
  testing::SectionBuffer buffer;
  ASSERT_OK(buffer.BeginSection(SectionKind::kDocuments, {}));
  ASSERT_OK(writer.AppendTo(&buffer));
  EXPECT_LT(writer.buffered_bytes(), 100'000u);
}

TEST(DocumentStoreWriter, RefusesDocumentsBeyondTheLimits) {
  DocumentStoreWriter writer;

  EXPECT_THAT(writer.Add(std::string(kMaxMetadataBytes + 1, ' '), ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metadata")));
  EXPECT_THAT(writer.Add("", std::string(kMaxPayloadBytes + 1, ' ')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("payload")));
}

TEST(DocumentStore, HoldsTheLongestDocument) {
  const std::vector<Document> documents = {
      {"{}", ""}, {std::string(kMaxMetadataBytes, ' '), std::string(kMaxPayloadBytes, 'p')}, {"{}", ""}};
  SectionBuffer buffer;
  const DocumentStore store = MakeStore(documents, &buffer);

  ASSERT_OK_AND_ASSIGN(const DocumentBlock block, store.ReadBlock(1));

  EXPECT_EQ(block.Get(1).metadata.size(), kMaxMetadataBytes);
  EXPECT_EQ(block.Get(1).payload.size(), kMaxPayloadBytes);
}

TEST(DocumentStore, RefusesARowThatIsNotThere) {
  SectionBuffer buffer;
  const DocumentStore store = MakeStore({{"{}", ""}}, &buffer);

  EXPECT_THAT(store.ReadBlock(1), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("row 1")));
}

TEST(DocumentStore, RefusesAClaimedLengthBeforeItAllocates) {
  SectionBuffer buffer;
  MakeStore({{"{}", ""}}, &buffer);
  std::string& bytes = buffer.bytes(SectionKind::kDocuments);
  const uint64_t index = LoadUnaligned<uint64_t>(bytes.data() + 16);
  StoreUnaligned(bytes.data() + index + 12, uint32_t{80u << 20});  // plain_bytes

  ASSERT_OK_AND_ASSIGN(const DocumentStore store, DocumentStore::Open(buffer.Find(SectionKind::kDocuments), 1));

  EXPECT_THAT(store.ReadBlock(0), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("plain length")));
}

// Without checksums, whatever the bytes are, the store answers or reports damage, and stays within its bounds.
TEST(DocumentStore, SurvivesHostileBytes) {
  SectionBuffer good;
  const std::vector<Document> documents = RandomDocuments(4, 100);
  MakeStore(documents, &good);
  const std::string original = good.bytes(SectionKind::kDocuments);
  const uint64_t index = LoadUnaligned<uint64_t>(original.data() + 16);
  static constexpr uint64_t kNasty[] = {0, 1, 64, 100, 0x7FFFFFFF, 0xFFFFFFFF, uint64_t{1} << 63, ~uint64_t{0}};
  Random random(5);

  for (int round = 0; round < 1000; ++round) {
    std::string bytes = original;
    for (uint64_t edits = 1 + random.Below(4); edits > 0; --edits) {
      // Mostly the index and the header; sometimes the blocks.
      const uint64_t area = random.Below(8);
      const uint64_t begin = area == 0 ? 64 : area == 1 ? 0 : index;
      const uint64_t end = area == 1 ? 24 : bytes.size();
      const uint64_t offset = begin + random.Below((end - begin) / 4) * 4;
      const uint64_t value = random.Below(2) == 0 ? kNasty[random.Below(std::size(kNasty))] : random.Below(200);
      if (offset + 8 <= bytes.size() && random.Below(2) == 0) {
        StoreUnaligned(bytes.data() + offset, value);
      } else {
        StoreUnaligned(bytes.data() + offset, static_cast<uint32_t>(value));
      }
    }
    SectionBuffer buffer;
    ASSERT_OK(buffer.BeginSection(SectionKind::kDocuments, {}));
    ASSERT_OK(buffer.Append(AsBytes(bytes)));
    const auto store = DocumentStore::Open(buffer.Find(SectionKind::kDocuments), 100);
    if (!store.ok()) {
      EXPECT_THAT(store, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("buffer.vcnt")));
      continue;
    }
    for (RowId row = 0; row < 100; row += 9) {
      const auto block = store->ReadBlock(row);
      if (block.ok()) {
        EXPECT_TRUE(block->Contains(row));
        block->Get(row);
      }
    }
    Findings(*store);
  }
}

}  // namespace
}  // namespace varve
