// Directories kept from each version of the format are opened, verified and searched, with the answers of their time;
// and this build writes those of its own version byte for byte as they are.
//
//   VARVE_GOLDEN        the folder that holds v1/; set by the build
//   VARVE_GOLDEN_WRITE  set: writes the directories of this build's version anew; see docs/testing.md
#include <lz4.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "engine/admin/verify.h"
#include "gtest/gtest.h"
#include "tests/damage/answers.h"
#include "tests/damage/corpus.h"
#include "tests/support/status_matchers.h"

namespace varve::testing {
namespace {

constexpr uint64_t kGoldenSeed = 1;
// What compressed the documents of the directories: another release may compress the same bytes otherwise.
constexpr std::string_view kGoldenLz4 = "1.9.4";
constexpr uint64_t kMaxGoldenBytes = 300'000;

std::filesystem::path CellPath(const std::string& version, const std::string& cell) {
  const char* folder = std::getenv("VARVE_GOLDEN");
  return folder == nullptr ? std::filesystem::path() : std::filesystem::path(folder) / version / cell;
}

std::string CurrentVersion() { return "v" + std::to_string(kFormatVersion); }

void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// The corpus that a golden directory is written from.
absl::StatusOr<Corpus> MakeGolden(const Cell& cell) {
  absl::StatusOr<Corpus> corpus = MakeCorpus(cell, kGoldenSeed);
  if (corpus.ok()) corpus->files.erase("LOCK");  // names a process
  return corpus;
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (std::getenv("VARVE_GOLDEN") == nullptr) GTEST_SKIP() << "VARVE_GOLDEN is not set";
    ASSERT_OK_AND_ASSIGN(corpus_, MakeGolden(*FindCell(GetParam())));
    if (std::getenv("VARVE_GOLDEN_WRITE") == nullptr) return;
    const std::filesystem::path path = CellPath(CurrentVersion(), GetParam());
    std::filesystem::remove_all(path);
    for (const auto& [name, bytes] : corpus_.files) WriteBytes(path / "collection" / name, bytes);
    WriteBytes(path / "answers.json", corpus_.answers);
  }

  // The directory of a version, in memory.
  void Load(const std::string& version) {
    const std::filesystem::path path = CellPath(version, GetParam());
    ASSERT_OK_AND_ASSIGN(files_, ReadFiles(FileSystem::Default(), (path / "collection").string()));
    std::ifstream answers(path / "answers.json", std::ios::binary);
    answers_.assign(std::istreambuf_iterator<char>(answers), {});
    fs_ = Restore(files_);
  }

  Corpus corpus_;
  Files files_;
  std::string answers_;
  ManualClock clock_{ReadingTime()};
  std::unique_ptr<FileSystem> fs_;
};

TEST_P(GoldenTest, IsReadVerifiedAndTakenOver) {
  Load("v1");
  if (HasFatalFailure()) return;
  VerifyOptions options;
  options.file_system = fs_.get();
  options.deep = true;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(kCorpusDirectory, options));
  EXPECT_TRUE(report.ok) << (report.damage.empty() ? "" : report.damage[0].file + ": " + report.damage[0].what);
  EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
  {
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs_.get(), &clock_)));
    ASSERT_OK_AND_ASSIGN(const std::string answers, Ask(reader.get()));
    EXPECT_EQ(answers, answers_);
  }
  for (int opening = 0; opening < 2; ++opening) {
    ASSERT_OK_AND_ASSIGN(const auto writer, Collection::Open(kCorpusDirectory, WriterOptions(fs_.get(), &clock_)));
    EXPECT_EQ(Ask(writer.get()).value_or(""), answers_);
    ASSERT_OK(writer->Merge(/*full=*/true));
    EXPECT_EQ(Ask(writer.get()).value_or(""), answers_);
    ASSERT_OK(writer->Close());
  }
}

TEST_P(GoldenTest, IsWrittenByThisBuildByteForByte) {
  if (LZ4_versionString() != kGoldenLz4) {
    GTEST_SKIP() << "liblz4 is " << LZ4_versionString() << ", the directories were written with " << kGoldenLz4;
  }
  Load(CurrentVersion());
  if (HasFatalFailure()) return;
  EXPECT_EQ(corpus_.answers, answers_);
  for (const auto& [name, bytes] : corpus_.files) {
    EXPECT_TRUE(files_.contains(name)) << name << " is new";
    EXPECT_TRUE(files_[name] == bytes) << name << " has other bytes than version " << kFormatVersion << " had";
  }
  EXPECT_EQ(files_.size(), corpus_.files.size());
}

std::vector<std::string> GoldenCells() {
  std::vector<std::string> names;
  for (const Cell& cell : Cells()) {
    if (cell.golden) names.push_back(cell.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cells, GoldenTest, ::testing::ValuesIn(GoldenCells()), [](const auto& cell) {
  std::string name = cell.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(GoldenFolder, IsSmall) {
  if (std::getenv("VARVE_GOLDEN") == nullptr) GTEST_SKIP() << "VARVE_GOLDEN is not set";
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::getenv("VARVE_GOLDEN"))) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_LT(bytes, kMaxGoldenBytes);
}

}  // namespace
}  // namespace varve::testing
