// A salvage keeps every row and record that is good, and its account says exactly what was kept and what was not.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "engine/admin/verify.h"
#include "engine/repair.h"
#include "engine/version/manifest.h"
#include "gtest/gtest.h"
#include "segment.pb.h"
#include "segment/segment_footer.h"
#include "tests/damage/answers.h"
#include "tests/damage/corpus.h"
#include "tests/support/status_matchers.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

class SegmentSalvageTest : public ::testing::Test {
 protected:
  void Make(const std::string& cell) { Make(*FindCell(cell)); }
  void Make(const Cell& cell) {
    ASSERT_OK_AND_ASSIGN(corpus_, MakeCorpus(cell, 5));
    files_ = corpus_.files;
  }
  // The first segment that the manifest names.
  std::string FirstSegment() {
    const pb::Manifest manifest = *DecodeManifest(corpus_.files.at("manifest.json"), "");
    return SegmentName(manifest.segments(0).id());
  }
  static std::string SegmentName(FileId id) {
    return "segments/" + std::string(10 - std::to_string(id).size(), '0') + std::to_string(id) + ".vcnt";
  }
  // Where a section of a segment begins, and its length.
  std::pair<uint64_t, uint64_t> Section(const std::string& segment, pb::SectionKind kind) {
    const std::string& bytes = corpus_.files.at(segment);
    const SegmentFooter footer = *DecodeSegmentFooter(bytes, "");
    pb::SegmentHeader header;
    EXPECT_TRUE(header.ParseFromString(
        bytes.substr(footer.header_offset, bytes.size() - SegmentFooter::kEncodedBytes - footer.header_offset)));
    for (const pb::Section& section : header.sections()) {
      if (section.kind() == kind) return {section.offset(), section.length()};
    }
    ADD_FAILURE() << "no such section";
    return {0, 0};
  }
  void Flip(const std::string& file, uint64_t offset) {
    files_[file][offset] = static_cast<char>(files_[file][offset] ^ 1);
  }

  // Salvages, then opens what it left as everybody does. Fills answers_ and info_.
  void Salvage() {
    fs_ = Restore(files_);
    Options options = WriterOptions(fs_.get(), &clock_);
    options.recovery = RecoveryMode::kSalvage;
    {
      ASSERT_OK_AND_ASSIGN(const auto salvaged, Collection::Open(kCorpusDirectory, options));
      info_ = salvaged->Stats().recovery;
      ASSERT_OK_AND_ASSIGN(answers_, Ask(salvaged.get()));
      ASSERT_OK(salvaged->Close());
    }
    VerifyOptions verify;
    verify.file_system = fs_.get();
    verify.deep = true;
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(kCorpusDirectory, verify));
    EXPECT_TRUE(report.ok) << (report.damage.empty() ? "" : report.damage[0].file + ": " + report.damage[0].what);
    ASSERT_OK_AND_ASSIGN(const auto reader,
                         Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs_.get(), &clock_)));
    EXPECT_EQ(*Ask(reader.get()), answers_);
  }
  std::set<std::string> Records(const std::string& answers) {
    const std::vector<std::string> lines = RecordLines(answers);
    return {lines.begin(), lines.end()};
  }
  // Of the right records, how many are not there; nothing else may be.
  size_t Lost() {
    const std::set<std::string> right = Records(corpus_.answers);
    const std::set<std::string> kept = Records(answers_);
    for (const std::string& line : kept) EXPECT_TRUE(right.contains(line)) << line;
    return right.size() - kept.size();
  }
  SalvagedFile Account(const std::string& file) {
    for (const SalvagedFile& one : info_.salvaged) {
      if (one.file == file) return one;
    }
    ADD_FAILURE() << "no account of " << file;
    return {};
  }

  Corpus corpus_;
  Files files_;
  ManualClock clock_{ReadingTime()};
  std::unique_ptr<FileSystem> fs_;
  RecoveryInfo info_;
  std::string answers_;
};

TEST_F(SegmentSalvageTest, OfAGoodCollectionKeepsAllAndCountsIt) {
  for (const char* cell : {"hnsw-f32-l2", "fields", "logs", "killed-in-load", "backup", "empty"}) {
    SCOPED_TRACE(cell);
    Make(cell);
    Salvage();
    EXPECT_EQ(answers_, corpus_.answers);
    EXPECT_TRUE(info_.salvage_report.empty());
    for (const SalvagedFile& file : info_.salvaged) {
      EXPECT_EQ(file.why, "") << file.file;
      EXPECT_EQ(file.rows_dropped + file.bytes_dropped + file.last_dropped, 0u) << file.file;
      EXPECT_EQ(file.bytes, corpus_.files.at(file.file).size()) << file.file;
    }
  }
}

TEST_F(SegmentSalvageTest, KeepsTheRowsWhoseBlocksAreGood) {
  Make("large");
  const std::string segment = FirstSegment();
  const auto [offset, length] = Section(segment, pb::VECTORS);
  ASSERT_GT(length, 2u << 16) << "there are several blocks";
  Flip(segment, offset + length / 2);
  Salvage();
  const SalvagedFile account = Account(segment);
  EXPECT_GT(account.rows_kept, 100u);
  EXPECT_GT(account.rows_dropped, 100u);
  EXPECT_EQ(Lost(), account.rows_dropped);
  EXPECT_THAT(account.why, HasSubstr("offset"));
  EXPECT_GT(account.last_dropped, 0u);
  ASSERT_EQ(info_.salvage_report.size(), 1u);
  EXPECT_THAT(info_.salvage_report[0], HasSubstr(segment));
}

TEST_F(SegmentSalvageTest, ADamagedGraphCostsNoRow) {
  Cell cell = *FindCell("large");
  cell.schema.fields[0].index.params["m"] = 64;
  Make(cell);
  const std::string segment = FirstSegment();
  const auto [offset, length] = Section(segment, pb::GRAPH);
  // A block that holds nothing but the graph.
  Flip(segment, ((offset >> 16) + 1) << 16);
  ASSERT_LT(((offset >> 16) + 1) << 16, offset + length);
  Salvage();
  EXPECT_EQ(Lost(), 0u);
  EXPECT_EQ(Account(segment).rows_dropped, 0u);
  EXPECT_NE(Account(segment).why, "");
}

TEST_F(SegmentSalvageTest, ASegmentThatIsGoneCostsItsRowsAlone) {
  Make("hnsw-f32-l2");
  const std::string segment = FirstSegment();
  files_.erase(segment);
  Salvage();
  const SalvagedFile account = Account(segment);
  EXPECT_EQ(account.rows_kept, 0u);
  EXPECT_EQ(account.bytes, 0u);
  EXPECT_EQ(Lost(), account.rows_dropped);
  EXPECT_GT(Records(answers_).size(), 0u) << "what lies in the other segment and in the log is kept";
}

TEST_F(SegmentSalvageTest, WithoutItsBitmapASegmentKeepsItsRowsAndNewerOnesWin) {
  Make("hnsw-f32-l2");
  for (auto& [name, bytes] : files_) {
    if (name.ends_with(".vdel")) Flip(name, bytes.size() / 2);
  }
  Salvage();
  const std::set<std::string> right = Records(corpus_.answers);
  const std::set<std::string> kept = Records(answers_);
  EXPECT_TRUE(std::includes(kept.begin(), kept.end(), right.begin(), right.end()));
  size_t back = 0;
  for (const std::string& line : kept) {
    EXPECT_TRUE(corpus_.records.contains(line)) << line;
    back += right.contains(line) ? 0 : 1;
  }
  EXPECT_GT(back, 0u) << "what was deleted is back, as the report says";
  ASSERT_EQ(info_.salvage_report.size(), 1u);
  EXPECT_THAT(info_.salvage_report[0], HasSubstr("may be back"));
}

// The keys of a damaged segment are looked up while a bulk load's segment enters.
TEST_F(SegmentSalvageTest, ABulkLoadIsKeptThoughAnotherSegmentIsDamaged) {
  Make("killed-in-load");
  const std::string segment = FirstSegment();
  Flip(segment, Section(segment, pb::IDS).first + 70);
  Salvage();
  EXPECT_LT(Lost(), Account(segment).rows_dropped) << "the load has replaced some of them";
  uint64_t loaded = 0;
  for (const SalvagedFile& file : info_.salvaged) {
    if (file.file.ends_with(".vcnt") && file.why.empty()) loaded = std::max(loaded, file.rows_kept);
  }
  EXPECT_GE(loaded, 40u) << "the load's segment is whole";
}

TEST_F(SegmentSalvageTest, GoesOnFromACheckpointThoughFilesAreDamagedToo) {
  Make("fields");
  files_.erase("manifest.json");
  files_["manifest.json.1"].resize(10);
  const std::string segment = FirstSegment();
  Flip(segment, 70);
  const std::unique_ptr<FileSystem> damaged = Restore(files_);
  EXPECT_THAT(Collection::Open(kCorpusDirectory, WriterOptions(damaged.get(), &clock_)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("no manifest can be used")));
  Salvage();
  EXPECT_THAT(info_.fallback, HasSubstr(".vckp"));
  EXPECT_NE(Account(segment).why, "");
  EXPECT_LE(Lost(), Account(segment).rows_dropped);
}

TEST_F(SegmentSalvageTest, TheAccountOfALogCountsBatchesBytesAndSequences) {
  Make("logs");
  std::string log;
  for (const auto& [name, bytes] : files_) {
    if (log.empty() && name.ends_with(".vwal")) log = name;
  }
  Flip(log, files_[log].size() / 2);
  Salvage();
  const SalvagedFile account = Account(log);
  EXPECT_GT(account.batches_kept, 0u);
  EXPECT_GT(account.rows_kept, account.batches_kept);
  EXPECT_GT(account.bytes_dropped, 0u);
  EXPECT_EQ(account.bytes, files_[log].size());
  EXPECT_GE(account.last_dropped, account.first_dropped);
  EXPECT_GT(account.first_dropped, 0u);
  EXPECT_NE(account.why, "");
}

TEST_F(SegmentSalvageTest, RepairMakesANewCollectionAndLeavesTheOldOneAsItIs) {
  Make("large");
  const std::string segment = FirstSegment();
  const auto [offset, length] = Section(segment, pb::VECTORS);
  Flip(segment, offset + length / 2);
  fs_ = Restore(files_);
  RepairOptions options;
  options.file_system = fs_.get();
  options.clock = &clock_;
  ASSERT_OK_AND_ASSIGN(const RepairReport report, RepairCollection(kCorpusDirectory, "/new", options));
  EXPECT_EQ(*ReadFiles(fs_.get(), kCorpusDirectory), files_);
  EXPECT_EQ(fs_->List("/")->size(), 2u) << "nothing else is left";
  info_ = report.recovery;
  {
    ASSERT_OK_AND_ASSIGN(const auto reader, Collection::OpenReadOnly("/new", ReaderOptions(fs_.get(), &clock_)));
    ASSERT_OK_AND_ASSIGN(answers_, Ask(reader.get()));
  }
  EXPECT_EQ(Lost(), Account(segment).rows_dropped);
  EXPECT_EQ(report.rows, Records(answers_).size());
  VerifyOptions verify;
  verify.file_system = fs_.get();
  ASSERT_OK_AND_ASSIGN(const VerifyReport verified, VerifyPath("/new", verify));
  EXPECT_TRUE(verified.ok);
  EXPECT_TRUE(verified.warnings.empty());
  EXPECT_THAT(RepairCollection(kCorpusDirectory, "/new", options),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("/new")));
  EXPECT_THAT(RepairCollection("/none", "/other", options), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/none")));
}

}  // namespace
}  // namespace varve::testing
