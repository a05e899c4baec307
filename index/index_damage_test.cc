// Damaged and hostile sections of every registered type: a search ends with an answer or with DataLoss, never with a
// crash or a read outside of the sections (which are allocations of their own, for the sanitizers to watch).
#include <string>
#include <vector>

#include "index/index_fixture.h"

namespace varve {
namespace {

using testing::SearchOne;
using testing::StatusIs;
using testing::TestField;

constexpr uint32_t kDamagedCount = 400;
constexpr VectorShape kDamagedShape = {.dimension = 5, .metric = Metric::kL2, .element = ElementType::kF32};

class IndexDamageTest : public ::testing::TestWithParam<const FieldIndexFactory*> {
 protected:
  void SetUp() override { ASSERT_OK(field_.Build(*GetParam())); }

  std::vector<SectionKind> Sections() {
    std::vector<SectionKind> kinds;
    for (uint16_t kind = 1; kind <= 21; ++kind) {
      if (field_.sections().Find(static_cast<SectionKind>(kind)).present()) {
        kinds.push_back(static_cast<SectionKind>(kind));
      }
    }
    return kinds;
  }

  // Opens and searches in every way; whatever is wrong must be DataLoss, or Unimplemented for a newer version.
  void ExpectNoCrash() {
    field_.Dump(*GetParam());
    field_.Verify(*GetParam(), /*deep=*/true);
    const auto searcher = field_.Open(*GetParam());
    if (!searcher.ok()) {
      ASSERT_TRUE(absl::IsDataLoss(searcher.status()) || absl::IsUnimplemented(searcher.status())) << searcher.status();
      return;
    }
    RowSet some(kDamagedCount);
    for (uint32_t row = 0; row < kDamagedCount; row += 2) some.Add(row);
    SlotFilter filtered = field_.AllRows();
    filtered.allowed = &some;
    const ParamMap params = {{"ef", 5}};
    for (const SlotFilter& filter : {field_.AllRows(), filtered}) {
      const auto found = SearchOne(**searcher, field_.RandomQuery(1), 5, filter, {.params = &params});
      ASSERT_TRUE(found.ok() || absl::IsDataLoss(found.status())) << found.status();
      if (found.ok()) {
        ASSERT_EQ(found->size(), 5);
      }
    }
  }

  TestField field_{kDamagedShape, kDamagedCount};
};

TEST_P(IndexDamageTest, RandomBytesDoNoHarm) {
  Random random(11);
  for (const SectionKind kind : Sections()) {
    for (int round = 0; round < 150; ++round) {
      const absl::Span<std::byte> bytes = field_.sections().MutableBytes(kind);
      if (bytes.empty()) continue;
      const std::vector<std::byte> saved(bytes.begin(), bytes.end());
      // From one byte to a stretch of them, often near the start, where headers are.
      const size_t at =
          static_cast<size_t>(random.Below(random.Below(2) == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 160)));
      const size_t length = std::min<size_t>(bytes.size() - at, size_t{1} << random.Below(12));
      for (size_t i = 0; i < length; ++i) bytes[at + i] = static_cast<std::byte>(random.Next());
      ExpectNoCrash();
      std::copy(saved.begin(), saved.end(), bytes.begin());
    }
  }
}

TEST_P(IndexDamageTest, ExtremeNumbersDoNoHarm) {
  for (const SectionKind kind : Sections()) {
    if (kind == SectionKind::kVectors) continue;
    const size_t words = field_.sections().MutableBytes(kind).size() / sizeof(uint32_t);
    for (size_t word = 0; word < std::min<size_t>(words, 48); ++word) {
      for (const uint32_t value :
           {0u, 1u, kDamagedCount, kDamagedCount - 1, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
        std::byte* place = field_.sections().MutableBytes(kind).data() + word * sizeof(uint32_t);
        uint32_t saved;
        std::memcpy(&saved, place, sizeof(saved));
        std::memcpy(place, &value, sizeof(value));
        ExpectNoCrash();
        std::memcpy(place, &saved, sizeof(saved));
      }
    }
  }
}

TEST_P(IndexDamageTest, SectionsOfAnotherLengthAreRefused) {
  for (const SectionKind kind : Sections()) {
    const size_t size = field_.sections().MutableBytes(kind).size();
    for (const size_t other : {size_t{0}, size_t{1}, size / 2, size - 1, size + 1, size + 4096}) {
      TestField field(kDamagedShape, kDamagedCount);
      ASSERT_OK(field.Build(*GetParam()));
      field.sections().Resize(kind, other);
      EXPECT_THAT(field.Open(*GetParam()), StatusIs(absl::StatusCode::kDataLoss, ::testing::_))
          << SectionKindName(kind) << " of " << other;
      EXPECT_FALSE(field.Verify(*GetParam(), /*deep=*/false).empty());
    }
  }
}

TEST_P(IndexDamageTest, MissingSectionsAreRefused) {
  for (const SectionKind kind : Sections()) {
    TestField field(kDamagedShape, kDamagedCount);
    ASSERT_OK(field.Build(*GetParam()));
    field.sections().Remove(kind);
    EXPECT_THAT(field.Open(*GetParam()), StatusIs(absl::StatusCode::kDataLoss, ::testing::_)) << SectionKindName(kind);
  }
}

// Finds every block damaged but those of `good` sections' first bytes.
class FailingVerifier final : public BlockVerifier {
 public:
  // Bytes below `good` pass.
  explicit FailingVerifier(uint64_t good) : good_(good) { verified_ = std::make_unique<std::atomic<uint64_t>[]>(1024); }

 protected:
  absl::Status VerifySlow(uint64_t offset, uint64_t length) const override {
    return offset + length <= good_ ? absl::OkStatus() : DataLoss("block is damaged");
  }

 private:
  uint64_t good_;
};

TEST_P(IndexDamageTest, NothingIsReadFromADamagedBlock) {
  const FailingVerifier headers_only(128);
  field_.sections().SetVerifier(&headers_only);
  const auto searcher = field_.Open(*GetParam());
  ASSERT_OK(searcher);
  for (const bool exact : {false, true}) {
    const ParamMap ef = {{"ef", 5}};
    SearchParams params{.params = &ef};
    params.exact = exact;
    EXPECT_THAT(SearchOne(**searcher, field_.RandomQuery(1), 5, field_.AllRows(), params),
                StatusIs(absl::StatusCode::kDataLoss, ::testing::HasSubstr("block is damaged")));
  }
}

INSTANTIATE_TEST_SUITE_P(Every, IndexDamageTest, ::testing::ValuesIn(testing::DenseFactories()), testing::FactoryName);

}  // namespace
}  // namespace varve
