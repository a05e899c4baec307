#include "segment/block_checksums.h"

#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

constexpr uint64_t kBlock = BlockVerifier::kBlockBytes;

// Random bytes followed by their block checksums.
class ChecksummedFile {
 public:
  explicit ChecksummedFile(uint64_t covered) {
    Random random(covered);
    while (bytes.size() < covered) bytes += static_cast<char>(random.Next());
    BlockChecksummer checksummer;
    checksummer.Append(bytes);
    const std::vector<Crc32c> checksums = checksummer.Finish();
    const std::string_view encoded(reinterpret_cast<const char*>(checksums.data()), checksums.size() * 4);
    table = {covered, encoded.size(), ComputeCrc32c(encoded)};
    bytes += encoded;
  }
  void Flip(uint64_t offset) { bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10); }
  FileBlockVerifier Verifier(bool trusting = false) const {
    return FileBlockVerifier(AsBytes(bytes), table, &name, trusting);
  }

  const std::string name = "a.vcnt";
  std::string bytes;
  BlockChecksumTable table;
};

TEST(BlockChecksummer, DoesNotDependOnHowBytesCome) {
  Random random(1);
  std::string data(3 * kBlock + 100, '\0');
  for (char& c : data) c = static_cast<char>(random.Next());
  BlockChecksummer whole;
  whole.Append(data);
  BlockChecksummer pieces;
  for (size_t position = 0; position < data.size();) {
    const size_t length = std::min<size_t>(data.size() - position, random.Below(40'000));
    pieces.Append(std::string_view(data).substr(position, length));
    position += length;
  }

  const std::vector<Crc32c> checksums = whole.Finish();

  EXPECT_EQ(checksums, pieces.Finish());
  ASSERT_EQ(checksums.size(), 4u);
  EXPECT_EQ(checksums[1], ComputeCrc32c(std::string_view(data).substr(kBlock, kBlock)));
  EXPECT_EQ(checksums[3], ComputeCrc32c(std::string_view(data).substr(3 * kBlock)));
}

TEST(BlockChecksummer, HasNoShortBlockAfterAWholeOne) {
  BlockChecksummer checksummer;
  checksummer.Append(std::string(2 * kBlock, 'x'));
  EXPECT_EQ(checksummer.Finish().size(), 2u);
  EXPECT_TRUE(BlockChecksummer().Finish().empty());
}

TEST(FileBlockVerifier, AcceptsWhatWasWritten) {
  for (const uint64_t covered : {uint64_t{1}, kBlock - 1, kBlock, kBlock + 1, 200 * kBlock + 77}) {
    const ChecksummedFile file(covered);
    FileBlockVerifier verifier = file.Verifier();
    EXPECT_FALSE(verifier.IsVerified(0, covered));
    EXPECT_OK(verifier.Verify(0, covered));
    EXPECT_TRUE(verifier.IsVerified(0, covered));
    EXPECT_OK(file.Verifier().VerifyEverything());
  }
}

TEST(FileBlockVerifier, ChecksOnlyWhatIsTouched) {
  ChecksummedFile file(5 * kBlock);
  file.Flip(3 * kBlock + 5);
  const FileBlockVerifier verifier = file.Verifier();

  EXPECT_OK(verifier.Verify(0, 3 * kBlock));
  EXPECT_FALSE(verifier.IsVerified(3 * kBlock, 1));
  EXPECT_THAT(verifier.Verify(3 * kBlock - 1, 2),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(std::to_string(3 * kBlock))));
  EXPECT_FALSE(verifier.IsVerified(3 * kBlock, 1));
  EXPECT_OK(verifier.Verify(4 * kBlock, kBlock));
  EXPECT_OK(verifier.Verify(3 * kBlock + 5, 0));
}

TEST(FileBlockVerifier, FindsEveryFlippedByteAtOpen) {
  const ChecksummedFile good(2 * kBlock + 50);
  for (uint64_t offset = 0; offset < good.bytes.size(); offset += 1021) {
    ChecksummedFile file = good;
    file.Flip(offset);
    EXPECT_THAT(file.Verifier().VerifyEverything(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("a.vcnt")));
  }
}

TEST(FileBlockVerifier, ChecksTheTableItselfFirst) {
  ChecksummedFile file(2 * kBlock);
  file.Flip(2 * kBlock + 7);  // the second block's entry

  EXPECT_THAT(file.Verifier().Verify(0, 1), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("BLOCK_CHECKSUMS")));
}

TEST(FileBlockVerifier, TrustsWhenItIsTold) {
  ChecksummedFile file(kBlock);
  file.Flip(100);
  const FileBlockVerifier verifier = file.Verifier(/*trusting=*/true);

  EXPECT_TRUE(verifier.IsVerified(0, kBlock));
  EXPECT_OK(verifier.Verify(0, kBlock));
}

TEST(FileBlockVerifier, MayBeUsedByManyThreads) {
  ChecksummedFile file(70 * kBlock);
  file.Flip(69 * kBlock);
  const FileBlockVerifier verifier = file.Verifier();
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;

  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&verifier, &failures] {
      for (uint64_t block = 0; block < 70; ++block) {
        if (!verifier.Verify(block * kBlock + 3, 10).ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(failures, 4);
}

}  // namespace
}  // namespace varve
