#include "segment/deletion_bitmap.h"

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

const std::string kPath = "/0000000001.0000000042.vdel";

class DeletionBitmap : public ::testing::Test {
 protected:
  DeletionBitmap() {
    for (size_t i = 0; i < 16; ++i) header_.collection.bytes[i] = static_cast<char>(i);
    header_.segment = 1;
    header_.file_id = 42;
    header_.durable_sequence = 1000;
  }

  std::string Write(const RowSet& dead) {
    const auto published = WriteDeletionBitmap(fs_.get(), kPath, header_, dead);
    EXPECT_OK(published);
    auto bytes = ReadWholeFile(fs_.get(), kPath, uint64_t{1} << 30);
    EXPECT_OK(bytes);
    EXPECT_EQ(published->bytes, bytes->size());
    EXPECT_EQ(published->crc, Crc32c{LoadUnaligned<uint32_t>(bytes->data() + bytes->size() - 4)});
    return *std::move(bytes);
  }
  absl::StatusOr<LoadedBitmap> Read(std::string_view bytes) {
    EXPECT_OK(PublishFile(fs_.get(), kPath, bytes));
    return ReadDeletionBitmap(fs_.get(), kPath);
  }
  // With the checksum made right again.
  absl::StatusOr<LoadedBitmap> ReadRemade(std::string bytes) {
    const size_t end = bytes.size() - 4;
    StoreUnaligned(bytes.data() + end, ComputeCrc32c(std::string_view(bytes).substr(0, end)));
    return Read(bytes);
  }

  const std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  DeletionBitmapHeader header_;
};

RowSet SomeRows(uint32_t rows, uint64_t one_in, uint64_t seed) {
  Random random(seed);
  RowSet set(rows);
  for (uint32_t row = 0; row < rows; ++row) {
    if (random.Below(one_in) == 0) set.Add(row);
  }
  return set;
}

TEST_F(DeletionBitmap, GivesBackTheSet) {
  for (const uint32_t rows : {1u, 63u, 64u, 65u, 1000u, 5000u}) {
    for (const uint64_t one_in : {1, 2, 31, 32, 33, 100, 100'000}) {
      const RowSet dead = SomeRows(rows, one_in, rows + one_in);
      const std::string bytes = Write(dead);

      ASSERT_OK_AND_ASSIGN(const LoadedBitmap loaded, ReadDeletionBitmap(fs_.get(), kPath));

      EXPECT_EQ(loaded.dead, dead);
      EXPECT_EQ(loaded.header.collection, header_.collection);
      EXPECT_EQ(loaded.header.segment, 1u);
      EXPECT_EQ(loaded.header.file_id, 42u);
      EXPECT_EQ(loaded.header.durable_sequence, 1000u);
      EXPECT_EQ(loaded.header.rows, rows);
      EXPECT_EQ(loaded.header.dead, dead.Count());
      EXPECT_EQ(loaded.bytes, bytes.size());
      EXPECT_EQ(loaded.crc, Crc32c{LoadUnaligned<uint32_t>(bytes.data() + bytes.size() - 4)});
    }
  }
}

TEST_F(DeletionBitmap, HasTheDocumentedBytes) {
  RowSet dead(300);
  dead.Add(5);
  dead.Add(260);

  const std::string bytes = Write(dead);

  ASSERT_EQ(bytes.size(), 64u + 8 + 4);
  EXPECT_EQ(bytes.substr(0, 8), std::string("VDEL\1\0\0\0", 8));
  EXPECT_EQ(bytes.substr(8, 16), std::string(header_.collection.view()));
  EXPECT_EQ(LoadUnaligned<uint64_t>(bytes.data() + 24), 1u);
  EXPECT_EQ(LoadUnaligned<uint64_t>(bytes.data() + 32), 42u);
  EXPECT_EQ(LoadUnaligned<uint32_t>(bytes.data() + 40), 300u);
  EXPECT_EQ(LoadUnaligned<uint32_t>(bytes.data() + 44), 2u);
  EXPECT_EQ(LoadUnaligned<uint64_t>(bytes.data() + 48), 1000u);
  EXPECT_EQ(bytes[56], 2);  // sorted rows
  EXPECT_EQ(bytes.substr(57, 7), std::string(7, '\0'));
  EXPECT_EQ(LoadUnaligned<uint32_t>(bytes.data() + 64), 5u);
  EXPECT_EQ(LoadUnaligned<uint32_t>(bytes.data() + 68), 260u);
}

TEST_F(DeletionBitmap, TakesTheSmallerEncoding) {
  RowSet few(6400);
  few.Add(1);
  EXPECT_EQ(Write(few).size(), 64u + 4 + 4);
  RowSet all(6400);
  all.AddRange(0, 6400);
  EXPECT_EQ(Write(all).size(), 64u + 800 + 4);
}

TEST_F(DeletionBitmap, RejectsEveryFlippedBit) {
  for (const uint64_t one_in : {2, 100}) {
    const std::string bytes = Write(SomeRows(500, one_in, 1));
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_THAT(Read(damaged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(".vdel"))) << bit;
    }
  }
}

TEST_F(DeletionBitmap, RejectsEveryTruncationAndATail) {
  const std::string bytes = Write(SomeRows(500, 2, 1));
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_THAT(Read(bytes.substr(0, length)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(".vdel")));
  }
  EXPECT_THAT(ReadRemade(bytes + std::string(4, '\0')), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length")));
}

TEST_F(DeletionBitmap, RefusesWhatNoWriterWrites) {
  RowSet dead(300);
  dead.Add(5);
  dead.Add(260);
  const std::string good = Write(dead);
  const auto edited = [&good](size_t offset, auto value) {
    std::string bytes = good;
    StoreUnaligned(bytes.data() + offset, value);
    return bytes;
  };

  EXPECT_THAT(ReadRemade(edited(56, uint8_t{3})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("encoding")));
  EXPECT_THAT(ReadRemade(edited(60, uint8_t{1})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("reserved")));
  EXPECT_THAT(ReadRemade(edited(44, uint32_t{301})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("dead rows")));
  EXPECT_THAT(ReadRemade(edited(44, uint32_t{1})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length")));
  EXPECT_THAT(ReadRemade(edited(64, uint32_t{260})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ascend")));
  EXPECT_THAT(ReadRemade(edited(68, uint32_t{300})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("beyond")));
  EXPECT_THAT(ReadRemade(edited(40, uint32_t{0xFFFFFFFF})), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("rows")));
  EXPECT_THAT(ReadRemade(edited(4, uint32_t{2})), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
}

TEST_F(DeletionBitmap, RefusesABitBeyondTheLastRow) {
  RowSet dead(70);
  dead.AddRange(0, 70);
  std::string words = Write(dead);
  words[64 + 8] = '\x7F';  // rows 64 .. 70

  EXPECT_THAT(ReadRemade(words), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("beyond")));
}

TEST_F(DeletionBitmap, RefusesMoreRowsThanItsSegment) {
  Write(SomeRows(500, 100, 1));

  EXPECT_OK(ReadDeletionBitmap(fs_.get(), kPath, 500));
  EXPECT_THAT(ReadDeletionBitmap(fs_.get(), kPath, 499), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("rows")));
}

TEST_F(DeletionBitmap, IsNotFoundWhereThereIsNone) {
  EXPECT_THAT(ReadDeletionBitmap(fs_.get(), "/none.vdel"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

}  // namespace
}  // namespace varve
