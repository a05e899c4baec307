// The damage sweep: see docs/testing.md, "Damage".
//
//   VARVE_TEST_DAMAGE  how many mutants (30,000 by default; under a sanitizer a tenth of it)
//   VARVE_TEST_SEED    what the corpora and the choice of mutants are made from
//   VARVE_TEST_REPLAY  a line that a failure printed: that mutant alone
//   VARVE_TEST_KEEP    with it: a directory into which the damaged collection is written
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/damage/answers.h"
#include "tests/damage/damage_check.h"
#include "tests/damage/mutants.h"
#include "tests/support/status_matchers.h"

// Told of the end of the process by the sanitizers, where there is one.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace varve::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr int kSlower = 10;
#else
constexpr int kSlower = 1;
#endif
// One mutant takes milliseconds. Whatever computes or waits this long hangs. Counted in ticks of timers, so that the
// time for which the process is stopped does not count.
constexpr int kHangSeconds = 10 * kSlower;  // of processor time
constexpr int kStuckTicks = 18;             // of ten seconds: the machine may be busy
// Every so many-th mutant is tried in the whole collection too.
constexpr uint64_t kWholeOneIn = 10;

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The line of the mutant that is being tried, for whoever dies of it.
char current_line[512];
volatile std::sig_atomic_t stuck_ticks = 0;
volatile std::sig_atomic_t hang_ticks = 0;
volatile std::sig_atomic_t is_watched = 0;

// While it lives, a hang ends the process.
class Watch {
 public:
  explicit Watch(const std::string& line) {
    std::snprintf(current_line, sizeof(current_line), "%s", line.c_str());
    stuck_ticks = 0;
    hang_ticks = 0;
    is_watched = 1;
  }
  ~Watch() { is_watched = 0; }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
};

void PrintCurrentLine() {
  std::fputs("\nended while it tried\n", stderr);
  std::fputs(current_line, stderr);
  std::fputs("\n", stderr);
}

void DieOfSignal(int signal) {
  PrintCurrentLine();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void WatchForDeath() {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(PrintCurrentLine);
  } else {
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, DieOfSignal);
  }
  std::signal(SIGALRM, [](int signal) {
    stuck_ticks = stuck_ticks + 1;
    if (is_watched != 0 && stuck_ticks > kStuckTicks) DieOfSignal(signal);
  });
  std::signal(SIGPROF, [](int signal) {
    hang_ticks = hang_ticks + 1;
    if (is_watched != 0 && hang_ticks > kHangSeconds) DieOfSignal(signal);
  });
  const auto start = [](__itimer_which timer, int seconds) {
    struct itimerval interval {};
    interval.it_interval.tv_sec = interval.it_value.tv_sec = seconds;
    ::setitimer(timer, &interval, nullptr);
  };
  start(ITIMER_REAL, 10);
  start(ITIMER_PROF, 1);
}

// Writes the damaged collection into a directory of the disk, for other tools to look at.
void KeepFiles(const DamagedFiles& damaged, const std::string& directory) {
  for (const std::string& name : damaged.directories) std::filesystem::create_directories(directory + "/" + name);
  for (const auto& [name, bytes] : damaged.files) {
    const std::filesystem::path path = directory + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
}

// A corpus, its twin, and the check over both.
struct Subject {
  Corpus corpus;
  Corpus twin;
  std::unique_ptr<DamageCheck> check;
};

class DamageSweep : public ::testing::Test {
 protected:
  void SetUp() override { WatchForDeath(); }

  void Make(const Cell& cell) {
    auto subject = std::make_unique<Subject>();
    ASSERT_OK_AND_ASSIGN(subject->corpus, MakeCorpus(cell, seed_));
    ASSERT_OK_AND_ASSIGN(subject->twin, MakeCorpus(cell, seed_, /*twin=*/true));
    subject->check = std::make_unique<DamageCheck>(subject->corpus, subject->twin, &counts_);
    subjects_[cell.name] = std::move(subject);
  }

  // `whole`: in the collection too.
  void Try(const Mutant& mutant, bool whole) {
    const std::string line = absl::StrCat("damage ", seed_, " ", mutant.corpus->cell.name, " ", *mutant.file, " ",
                                          MutationText(mutant.mutation));
    const Watch watch(line);
    DamageCheck& check = *subjects_.at(mutant.corpus->cell.name)->check;
    std::string wrong;
    const bool of_bytes = IsOfBytes(mutant.mutation.kind);
    if (of_bytes) wrong = check.CheckFile(*mutant.file, mutant.mutation);
    if (wrong.empty() && (whole || !of_bytes)) wrong = check.CheckCollection(*mutant.file, mutant.mutation);
    if (wrong.empty()) return;
    if (++failures_ <= NumberFrom("VARVE_TEST_SHOWN", 20)) ADD_FAILURE() << line << "\n" << wrong;
  }

  const uint64_t seed_ = NumberFrom("VARVE_TEST_SEED", 7);
  std::map<std::string, std::unique_ptr<Subject>> subjects_;
  DamageCounts counts_;
  size_t failures_ = 0;
};

TEST_F(DamageSweep, EachCorpusIsWhatItsCellSays) {
  for (const Cell& cell : Cells()) {
    SCOPED_TRACE(cell.name);
    Make(cell);
    if (HasFatalFailure()) return;
    const Corpus& corpus = subjects_.at(cell.name)->corpus;
    ASSERT_OK_AND_ASSIGN(const Corpus again, MakeCorpus(cell, seed_));
    EXPECT_EQ(again.files, corpus.files) << "the same seed gives other bytes";
    EXPECT_NE(subjects_.at(cell.name)->twin.files, corpus.files);
    const std::unique_ptr<FileSystem> fs = Restore(corpus.files);
    ManualClock clock(ReadingTime());
    {
      ASSERT_OK_AND_ASSIGN(const auto reader,
                           Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock)));
      ASSERT_OK_AND_ASSIGN(const std::string answers, Ask(reader.get()));
      EXPECT_EQ(answers, corpus.answers);
      EXPECT_FALSE(corpus.shorter.contains(answers));
    }
    VerifyOptions options;
    options.file_system = fs.get();
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, VerifyPath(kCorpusDirectory, options));
    EXPECT_TRUE(report.ok);
    ASSERT_OK_AND_ASSIGN(const auto writer, Collection::Open(kCorpusDirectory, WriterOptions(fs.get(), &clock)));
    ASSERT_OK_AND_ASSIGN(const std::string answers, Ask(writer.get()));
    EXPECT_EQ(answers, corpus.answers);
  }
}

TEST_F(DamageSweep, FindsWhatIsWrongAndAnswersNothingWrong) {
  const size_t budget = NumberFrom("VARVE_TEST_DAMAGE", 30'000) / kSlower;
  MutantClasses classes;
  for (const Cell& cell : Cells()) {
    Make(cell);
    if (HasFatalFailure()) return;
    // The bytes of the large one are no others than those of the small ones.
    AddMutants(subjects_.at(cell.name)->corpus, seed_, cell.rows > 100 ? 1 : 4, &classes);
  }
  const std::vector<Mutant> mutants = ChooseMutants(classes, seed_, budget);
  Random random(seed_);
  for (const Mutant& mutant : mutants) Try(mutant, random.Below(kWholeOneIn) == 0);
  std::printf(
      "damage: %zu mutants of %zu, %zu corpora, seed %llu: %llu files alone, %llu collections, %llu unchanged; "
      "%llu refused, %llu right, %llu shorter and said so; at most %llu KiB allocated; %zu failures\n",
      mutants.size(), classes.size(), subjects_.size(), static_cast<unsigned long long>(seed_),
      static_cast<unsigned long long>(counts_.alone), static_cast<unsigned long long>(counts_.whole),
      static_cast<unsigned long long>(counts_.same), static_cast<unsigned long long>(counts_.refused),
      static_cast<unsigned long long>(counts_.right), static_cast<unsigned long long>(counts_.shorter),
      static_cast<unsigned long long>(counts_.peak_bytes >> 10), failures_);
  EXPECT_EQ(failures_, 0u);
  EXPECT_GT(counts_.refused, mutants.size() / 2);
}

// Bytes that nobody reads, pads and all, are verify's alone. A third of the budget; from three million on, every byte.
TEST_F(DamageSweep, VerifyFindsAFlippedByteWhereverItIs) {
  uint64_t bytes = 0;
  for (const Cell& cell : Cells()) {
    if (cell.rows > 100) continue;
    Make(cell);
    if (HasFatalFailure()) return;
    for (const auto& [name, content] : subjects_.at(cell.name)->corpus.files) bytes += content.size();
  }
  const uint64_t budget = NumberFrom("VARVE_TEST_DAMAGE", 30'000) / kSlower / 3;
  const uint64_t step = std::max<uint64_t>(1, bytes / std::max<uint64_t>(1, budget));
  Random random(seed_);
  uint64_t tried = 0;
  for (const auto& [cell, subject] : subjects_) {
    for (const auto& [name, content] : subject->corpus.files) {
      if (name == "LOCK") continue;  // its text is for people
      for (uint64_t offset = random.Below(step); offset < content.size(); offset += step) {
        const Mutation flip{.kind = MutationKind::kFlip, .offset = offset, .length = random.Below(8)};
        const std::string line = absl::StrCat("damage ", seed_, " ", cell, " ", name, " ", MutationText(flip));
        const Watch watch(line);
        const std::string wrong = subject->check->CheckVerifyAlone(name, flip);
        ++tried;
        if (wrong.empty()) continue;
        ++failures_;
        ADD_FAILURE() << line << "\n" << wrong;
        if (failures_ > 20) return;
      }
    }
  }
  std::printf("damage: verify was shown %llu flipped bytes of %llu, and missed %zu\n",
              static_cast<unsigned long long>(tried), static_cast<unsigned long long>(bytes), failures_);
}

TEST_F(DamageSweep, ReplaysALine) {
  const char* line = std::getenv("VARVE_TEST_REPLAY");
  if (line == nullptr) GTEST_SKIP() << "VARVE_TEST_REPLAY is not set: there is no line to replay";
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  ASSERT_EQ(words.size(), 5u) << "expected: damage SEED CORPUS FILE MUTATION";
  ASSERT_EQ(words[1], std::to_string(seed_)) << "set VARVE_TEST_SEED to the seed of the line";
  const Cell* cell = FindCell(words[2]);
  ASSERT_NE(cell, nullptr) << words[2];
  const std::optional<Mutation> mutation = ParseMutation(words[4]);
  ASSERT_TRUE(mutation.has_value()) << words[4];
  Make(*cell);
  if (HasFatalFailure()) return;
  if (const char* directory = std::getenv("VARVE_TEST_KEEP"); directory != nullptr) {
    const Subject& subject = *subjects_.at(cell->name);
    KeepFiles(Damage(*mutation, words[3], subject.corpus, subject.twin), directory);
  }
  Try({&subjects_.at(cell->name)->corpus, &words[3], *mutation}, /*whole=*/true);
}

TEST(MutationTest, TextAndBack) {
  for (const char* text : {"flip@12.7", "set@0=255", "int@8:4=4294967295", "zero@512+512", "neighbour@0+4096",
                           "from@4096+512=segments/0000000001.vcnt", "cut@17", "zeros+4096", "tail+84",
                           "swap=manifest.json.1", "foreign", "missing", "empty", "directory", "both-missing"}) {
    const std::optional<Mutation> mutation = ParseMutation(text);
    ASSERT_TRUE(mutation.has_value()) << text;
    EXPECT_EQ(MutationText(*mutation), text);
  }
  for (const char* text : {"", "flip", "flip@", "flip@1", "flip@1.2x", "set@1=2=3", "other@1"}) {
    EXPECT_FALSE(ParseMutation(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace varve::testing
