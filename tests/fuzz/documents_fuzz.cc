// Section DOCUMENTS: reading ends with an answer or DataLoss, and with an answer where the full check finds nothing.
#include <string>

#include "base/bytes.h"
#include "segment/document_store.h"
#include "tests/fuzz/exact_sections.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr uint32_t kMaxRows = 1000;

void RunDocuments(std::string_view bytes) {
  FuzzInput input(bytes);
  const uint32_t rows = input.Number<uint16_t>() % (kMaxRows + 1);
  ExactSections sections;
  sections.Set(SectionKind::kDocuments, input.Rest());
  const absl::StatusOr<DocumentStore> store = DocumentStore::Open(sections.Find(SectionKind::kDocuments), rows);
  if (!store.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(store.status()));
    return;
  }
  bool sound = true;
  store->CheckAll([&](uint64_t, std::string_view) { return sound = false; });
  for (RowId row = 0; row < rows;) {
    const absl::StatusOr<DocumentBlock> block = store->ReadBlock(row);
    if (!block.ok()) {
      FUZZ_CHECK(absl::IsDataLoss(block.status()) && !sound);
      // A large damaged block would be decoded again for each of its rows.
      row += 7;
      continue;
    }
    FUZZ_CHECK(block->Contains(row));
    size_t total = 0;
    for (uint32_t i = 0; i < block->rows(); ++i) {
      const DocumentBlock::Document document = block->Get(block->first_row() + i);
      for (const char c : document.metadata) total += static_cast<unsigned char>(c);
      total += document.payload.size();
    }
    FUZZ_CHECK(total < uint64_t{1} << 40);
    row = block->first_row() + block->rows();
  }
  FUZZ_CHECK(absl::IsInvalidArgument(store->ReadBlock(rows).status()));
}

std::vector<std::string> DocumentsSeeds() {
  std::vector<std::string> seeds;
  for (const uint16_t rows : {1, 7, 300}) {
    DocumentStoreWriter writer;
    for (int i = 0; i < rows; ++i) {
      const std::string metadata = i % 5 == 0 ? "" : "{\"n\":" + std::to_string(i) + ",\"text\":\"some words\"}";
      FUZZ_CHECK_OK(writer.Add(metadata, std::string(static_cast<size_t>(i % 200), 'p')));
    }
    ExactSections sections;
    FUZZ_CHECK_OK(sections.BeginSection(SectionKind::kDocuments, {}));
    FUZZ_CHECK_OK(writer.AppendTo(&sections));
    ByteWriter seed;
    seed.Fixed(rows);
    seed.Bytes(sections.Bytes(SectionKind::kDocuments));
    seeds.push_back(seed.Take());
  }
  return seeds;
}

}  // namespace

FuzzTarget DocumentsTarget() { return {.name = "documents", .run = RunDocuments, .seeds = DocumentsSeeds}; }

}  // namespace varve::fuzz
