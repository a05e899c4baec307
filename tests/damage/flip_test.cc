// One damaged byte anywhere in a collection: verify finds it, and whoever opens the collection gets the right answers
// or a DataLoss that names the file; never a crash, never a wrong answer.
//
// VARVE_TEST_FLIPS multiplies the number of places tried.
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "engine/admin/dump.h"
#include "engine/admin/verify.h"
#include "gtest/gtest.h"
#include "tests/damage/corpus.h"
#include "tests/support/status_matchers.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

size_t FlipFactor() {
  const char* text = std::getenv("VARVE_TEST_FLIPS");
  return text == nullptr ? 1 : std::max<size_t>(1, std::strtoul(text, nullptr, 10));
}

// Both ends densely, since that is where headers and footers stand, and every k-th byte between them.
std::vector<size_t> PlacesIn(size_t size) {
  const size_t places = 40 * FlipFactor();
  const size_t ends = 160;
  std::set<size_t> chosen;
  for (size_t i = 0; i < size; i += std::max<size_t>(1, size / places)) chosen.insert(i);
  for (size_t i = 0; i < std::min(size, ends); i += std::max<size_t>(1, 16 / FlipFactor())) {
    chosen.insert(i);
    chosen.insert(size - 1 - i);
  }
  return {chosen.begin(), chosen.end()};
}

std::string BaseName(const std::string& name) { return name.substr(name.rfind('/') + 1); }

class FlipTest : public ::testing::Test {
 protected:
  void Make(bool closed) { ASSERT_OK_AND_ASSIGN(corpus_, MakeCorpus(closed)); }

  // Calls check(files, name, place) for each damaged form of each file whose name ends so.
  template <typename Check>
  void ForEachFlip(const std::string& extension, Check check) {
    size_t found = 0;
    for (const auto& [name, bytes] : corpus_.files) {
      if (!name.ends_with(extension)) continue;
      ++found;
      for (const size_t place : PlacesIn(bytes.size())) {
        std::map<std::string, std::string> files = corpus_.files;
        files[name][place] = static_cast<char>(files[name][place] ^ (1 << (place % 8)));
        SCOPED_TRACE(name + " byte " + std::to_string(place));
        check(files, name);
        if (HasFailure()) return;
      }
    }
    EXPECT_GT(found, 0u) << "the corpus has no file " << extension;
  }

  static VerifyReport Verify(FileSystem* fs) {
    VerifyOptions options;
    options.file_system = fs;
    options.deep = true;
    absl::StatusOr<VerifyReport> report = VerifyPath(kCorpusDirectory, options);
    EXPECT_OK(report);
    return report.ok() ? *std::move(report) : VerifyReport();
  }
  static bool Names(const VerifyReport& report, const std::string& file) {
    return std::any_of(report.damage.begin(), report.damage.end(),
                       [&](const VerifyDamage& damage) { return damage.file == file; });
  }

  static absl::StatusOr<Answers> AskReader(FileSystem* fs) {
    ReadOnlyOptions options;
    options.file_system = fs;
    absl::StatusOr<std::unique_ptr<Collection>> collection = Collection::OpenReadOnly(kCorpusDirectory, options);
    if (!collection.ok()) return collection.status();
    return Ask(collection->get());
  }
  // Opening for writing recovers, publishes and closes.
  static absl::StatusOr<Answers> AskWriter(FileSystem* fs, uint64_t* dropped_bytes) {
    Options options;
    options.file_system = fs;
    options.threads = 1;
    absl::StatusOr<std::unique_ptr<Collection>> collection = Collection::Open(kCorpusDirectory, options);
    if (!collection.ok()) return collection.status();
    *dropped_bytes = (*collection)->Stats().recovery.dropped_bytes;
    absl::StatusOr<Answers> answers = Ask(collection->get());
    if (answers.ok()) {
      if (const absl::Status closed = (*collection)->Close(); !closed.ok()) return closed;
    }
    return answers;
  }

  void ExpectRightOrDataLoss(const absl::StatusOr<Answers>& answers, const std::string& name) {
    if (answers.ok()) {
      EXPECT_TRUE(*answers == corpus_.answers) << "other answers than before the damage";
    } else {
      EXPECT_THAT(answers, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(BaseName(name))));
    }
  }

  void ExpectFoundAndSafe(const std::string& extension) {
    Make(/*closed=*/true);
    ForEachFlip(extension, [&](const std::map<std::string, std::string>& files, const std::string& name) {
      const std::unique_ptr<FileSystem> fs = Restore(files);
      EXPECT_TRUE(Names(Verify(fs.get()), name)) << "verify did not find it";
      ExpectRightOrDataLoss(AskReader(fs.get()), name);
      uint64_t dropped_bytes = 0;
      ExpectRightOrDataLoss(AskWriter(fs.get(), &dropped_bytes), name);
      EXPECT_EQ(dropped_bytes, 0u) << "damage behind a clean close was taken for a torn tail";
    });
  }

  Corpus corpus_;
};

TEST_F(FlipTest, TheCorpusIsWhatItShouldBe) {
  for (const bool closed : {true, false}) {
    Make(closed);
    const std::unique_ptr<FileSystem> fs = Restore(corpus_.files);
    const VerifyReport report = Verify(fs.get());
    EXPECT_TRUE(report.ok);
    EXPECT_EQ(report.files, corpus_.files.size());
    std::string segments;
    for (const auto& [name, bytes] : corpus_.files) {
      if (!name.ends_with(".vcnt")) continue;
      ASSERT_OK_AND_ASSIGN(const std::string dump, DumpFile(std::string(kCorpusDirectory) + "/" + name, fs.get()));
      segments += dump;
    }
    EXPECT_THAT(segments, HasSubstr(R"("type":"hnsw")"));
    ASSERT_OK_AND_ASSIGN(const Answers read, AskReader(fs.get()));
    EXPECT_TRUE(read == corpus_.answers);
    EXPECT_FALSE(read == corpus_.answers_before_last);
    uint64_t dropped_bytes = 0;
    ASSERT_OK_AND_ASSIGN(const Answers written, AskWriter(fs.get(), &dropped_bytes));
    EXPECT_TRUE(written == corpus_.answers);
  }
}

TEST_F(FlipTest, InAManifestIsFoundAndHarmless) {
  ExpectFoundAndSafe("manifest.json");
  ExpectFoundAndSafe("manifest.json.1");
}
TEST_F(FlipTest, InACheckpointIsFoundAndHarmless) { ExpectFoundAndSafe(".vckp"); }
TEST_F(FlipTest, InASegmentIsFoundAndNeverAnswered) { ExpectFoundAndSafe(".vcnt"); }
TEST_F(FlipTest, InABitmapIsFoundAndNeverAnswered) { ExpectFoundAndSafe(".vdel"); }
TEST_F(FlipTest, InALogThatWasClosedIsFoundAndNeverAnswered) { ExpectFoundAndSafe(".vwal"); }

// Behind a kill nothing vouches for the last batch: damage to it is a torn tail, and is reported as one. All before it
// is vouched for.
TEST_F(FlipTest, InALogThatWasNotClosedCostsTheLastBatchAtMost) {
  Make(/*closed=*/false);
  ForEachFlip(".vwal", [&](const std::map<std::string, std::string>& files, const std::string& name) {
    const std::unique_ptr<FileSystem> fs = Restore(files);
    const VerifyReport report = Verify(fs.get());
    EXPECT_TRUE(!report.ok || !report.warnings.empty() || files.at(name) == corpus_.files.at(name));
    uint64_t dropped_bytes = 0;
    const absl::StatusOr<Answers> answers = AskWriter(fs.get(), &dropped_bytes);
    if (!answers.ok() || *answers == corpus_.answers) {
      ExpectRightOrDataLoss(answers, name);
      return;
    }
    EXPECT_TRUE(*answers == corpus_.answers_before_last);
    EXPECT_GT(dropped_bytes, 0u);
  });
}

TEST_F(FlipTest, ATruncatedOrMissingFileIsFoundAndNeverAnswered) {
  Make(/*closed=*/true);
  for (const auto& [name, bytes] : corpus_.files) {
    for (const size_t length : {size_t{0}, size_t{1}, bytes.size() / 3, bytes.size() - 1}) {
      SCOPED_TRACE(name + " cut to " + std::to_string(length));
      std::map<std::string, std::string> files = corpus_.files;
      files[name].resize(length);
      const std::unique_ptr<FileSystem> fs = Restore(files);
      EXPECT_TRUE(Names(Verify(fs.get()), name));
      ExpectRightOrDataLoss(AskReader(fs.get()), name);
    }
    SCOPED_TRACE(name + " missing");
    std::map<std::string, std::string> files = corpus_.files;
    files.erase(name);
    const std::unique_ptr<FileSystem> fs = Restore(files);
    const VerifyReport report = Verify(fs.get());
    EXPECT_TRUE(!report.ok || !report.warnings.empty() || name.ends_with(".vckp"));
    const absl::StatusOr<Answers> answers = AskReader(fs.get());
    if (answers.ok()) {
      EXPECT_TRUE(*answers == corpus_.answers);
    } else {
      EXPECT_EQ(answers.status().code(), absl::StatusCode::kDataLoss) << answers.status();
    }
  }
}

TEST_F(FlipTest, AFileInAnothersPlaceIsFoundAndNeverAnswered) {
  Make(/*closed=*/true);
  for (const std::string& extension : {std::string(".vcnt"), std::string(".vckp")}) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : corpus_.files) {
      if (name.ends_with(extension)) names.push_back(name);
    }
    ASSERT_GE(names.size(), 2u) << extension;
    std::map<std::string, std::string> files = corpus_.files;
    std::swap(files[names[0]], files[names[1]]);
    const std::unique_ptr<FileSystem> fs = Restore(files);
    const VerifyReport report = Verify(fs.get());
    EXPECT_TRUE(Names(report, names[0]) && Names(report, names[1]));
    const absl::StatusOr<Answers> answers = AskReader(fs.get());
    if (answers.ok()) {
      EXPECT_TRUE(*answers == corpus_.answers);
    } else {
      EXPECT_EQ(answers.status().code(), absl::StatusCode::kDataLoss) << answers.status();
    }
  }
}

}  // namespace
}  // namespace varve::testing
