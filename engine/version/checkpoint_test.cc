#include "engine/version/checkpoint.h"

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/memory_file_system.h"
#include "engine/version/state_test_support.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using testing::StatusIs;

constexpr FileId kId = 5;

class CheckpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::MakeDirectories(fs_.get(), "/c");
    *checkpoint_.mutable_manifest() = testing::EmptyManifest();
    checkpoint_.mutable_manifest()->set_checkpoint_id(kId);
    checkpoint_.mutable_manifest()->set_next_file_id(kId + 1);
    checkpoint_.set_log_number(3);
    checkpoint_.set_log_offset(4096);
  }
  void WriteGood() {
    ASSERT_OK(WriteCheckpoint(fs_.get(), "/c", kId, checkpoint_));
    ASSERT_OK_AND_ASSIGN(bytes_, ReadWholeFile(fs_.get(), path_, 1 << 20));
  }
  absl::Status ReadOf(const std::string& bytes) {
    EXPECT_OK(PublishFile(fs_.get(), path_, bytes));
    return ReadCheckpoint(fs_.get(), path_).status();
  }
  // The same with the right checksum behind it.
  absl::Status ReadOfSealed(std::string bytes) {
    bytes.resize(bytes.size() - 4);
    ByteWriter writer;
    writer.Bytes(bytes);
    writer.Fixed(ComputeCrc32c(bytes));
    return ReadOf(writer.str());
  }

  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  const std::string path_ = "/c/checkpoint/0000000005.vckp";
  pb::Checkpoint checkpoint_;
  std::string bytes_;
};

TEST_F(CheckpointTest, RoundTrips) {
  WriteGood();
  ASSERT_OK_AND_ASSIGN(const pb::Checkpoint read, ReadCheckpoint(fs_.get(), path_));
  EXPECT_EQ(read.SerializeAsString(), checkpoint_.SerializeAsString());
  EXPECT_EQ(bytes_.substr(0, 4), "VCKP");
  EXPECT_EQ(bytes_.size(), 16 + checkpoint_.ByteSizeLong() + 4);
}

TEST_F(CheckpointTest, AMissingFileIsNotFound) {
  EXPECT_THAT(ReadCheckpoint(fs_.get(), path_), StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(CheckpointTest, EveryFlippedBitIsDamage) {
  WriteGood();
  for (size_t i = 0; i < bytes_.size(); ++i) {
    std::string flipped = bytes_;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    ASSERT_THAT(ReadOf(flipped), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_))) << "byte " << i;
  }
}

TEST_F(CheckpointTest, EveryTruncationAndExtensionIsDamage) {
  WriteGood();
  for (size_t length = 0; length < bytes_.size(); ++length) {
    ASSERT_THAT(ReadOf(bytes_.substr(0, length)), StatusIs(absl::StatusCode::kDataLoss, _)) << length;
  }
  EXPECT_THAT(ReadOf(bytes_ + '\0'), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST_F(CheckpointTest, ALengthThatIsNotTheFilesIsDamage) {
  WriteGood();
  for (const uint64_t length : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    std::string forged = bytes_;
    StoreUnaligned(forged.data() + 8, length);
    EXPECT_THAT(ReadOfSealed(forged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length")));
  }
}

TEST_F(CheckpointTest, ANewerVersionIsUnimplemented) {
  WriteGood();
  std::string forged = bytes_;
  StoreUnaligned(forged.data() + 4, uint32_t{2});
  EXPECT_THAT(ReadOfSealed(forged), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("version 2")));
  StoreUnaligned(forged.data() + 4, uint32_t{0});
  EXPECT_THAT(ReadOfSealed(forged), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST_F(CheckpointTest, UnknownFieldsAreUnimplemented) {
  WriteGood();
  std::string payload = checkpoint_.SerializeAsString() + std::string("\xf8\x07\x01", 3);  // field 127 = 1
  std::string forged = bytes_.substr(0, 16) + payload + "crc!";
  StoreUnaligned(forged.data() + 8, uint64_t{payload.size()});
  EXPECT_THAT(ReadOfSealed(forged), StatusIs(absl::StatusCode::kUnimplemented, _));
}

TEST_F(CheckpointTest, TheEmbeddedManifestIsChecked) {
  WriteGood();
  pb::Checkpoint forged = checkpoint_;
  forged.mutable_manifest()->set_collection_uuid("not hex");
  const std::string payload = forged.SerializeAsString();
  std::string bytes = bytes_.substr(0, 16) + payload + "crc!";
  StoreUnaligned(bytes.data() + 8, uint64_t{payload.size()});
  EXPECT_THAT(ReadOfSealed(bytes), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("uuid")));
}

TEST_F(CheckpointTest, AManifestThatDoesNotNameItIsNotWritten) {
  checkpoint_.mutable_manifest()->set_checkpoint_id(4);
  EXPECT_THAT(WriteCheckpoint(fs_.get(), "/c", kId, checkpoint_), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(fs_->Stat(path_), StatusIs(absl::StatusCode::kNotFound, _));
}

}  // namespace
}  // namespace varve
