#include "tests/crash_states/explorer.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/memory_file_system.h"
#include "base/random.h"
#include "tests/crash_states/fault_points.h"
#include "tests/crash_states/recovery_check.h"

namespace varve::testing {
namespace {

constexpr std::string_view kPowerLane = "power";
constexpr std::string_view kKillLane = "kill";
// At least, of each operation that is crashed.
constexpr uint64_t kStatesPerPoint = 3;
constexpr size_t kSecondPoints = 6;
constexpr size_t kSecondStates = 4;

// A crash: the first `point` operations were done, and the disk lost what `state` says. In the lane "kill" only the
// process died, and nothing was lost.
struct Crash {
  bool killed = false;
  size_t point = 0;
  std::string state;
};

std::vector<DiskFault> LiesOf(const Flaw* flaw) { return flaw == nullptr ? std::vector<DiskFault>() : flaw->lies; }

// A workload that was run once, and what is crashed of it.
class Run {
 public:
  Run(const Workload& workload, const Flaw* flaw) : lab_({.lies = LiesOf(flaw)}) {
    workload.run(&lab_);
    lab_.Kill();
    trace_ = lab_.disk.trace();
    setting_ = MakeRecoverySetting(&lab_);
    setting_.lies = LiesOf(flaw);
  }

  const std::string& error() const { return lab_.error(); }
  const DiskTrace& trace() const { return trace_; }
  const RecoverySetting& setting() const { return setting_; }
  bool beside() const { return lab_.beside; }

  // Recovers from a crash.
  Findings Recover(const Crash& crash, FileSystem* disk) const {
    if (!crash.killed) return CheckRecovery(setting_, disk, nullptr);
    DiskTrace begun = trace_;
    begun.operations.resize(crash.point);
    return CheckRecovery(setting_, disk, &begun);
  }
  // Recovers from a crash of a recovery.
  Findings RecoverAgain(const Findings& first, FileSystem* disk) const {
    RecoverySetting setting = setting_;
    setting.ledgers = first.ledgers;
    return CheckRecovery(setting, disk, nullptr);
  }
  std::string JudgeAgain(const Crash& crash, const Findings& first, size_t point, const Findings& second) const;

 private:
  Lab lab_;
  DiskTrace trace_;
  RecoverySetting setting_;
};

// What a recovery that was cut short may leave is what the whole one left. Only after the death of a process its
// recovery may lose what was never durable, as long as it has not opened.
std::string Run::JudgeAgain(const Crash& crash, const Findings& first, size_t point, const Findings& second) const {
  if (!second.complaint.empty()) return second.complaint;
  for (size_t i = 0; i < first.ledgers.size(); ++i) {
    const Ledger& after = first.ledgers[i];
    const Found& found = second.found[i];
    if (!crash.killed || after.steps.front().issued <= point) {
      if (!found.exists) return after.directory + ": is gone";
      const Ledger::Fit fit = after.FindPrefix(found.content, point, /*killed=*/false);
      if (fit.steps == kNever) return after.directory + ": " + fit.complaint;
      continue;
    }
    const Ledger& before = *std::find_if(setting_.ledgers.begin(), setting_.ledgers.end(),
                                         [&](const Ledger& ledger) { return ledger.directory == after.directory; });
    if (!found.exists && before.MustExist(crash.point)) return after.directory + ": is gone";
    if (!found.exists) continue;
    const Ledger::Fit fit = before.FindPrefix(found.content, crash.point, /*killed=*/false);
    if (fit.steps == kNever) return after.directory + ": " + fit.complaint;
  }
  return "";
}

class Explorer {
 public:
  Explorer(const Workload& workload, const ExploreOptions& options)
      : workload_(workload), options_(options), random_(options.seed), run_(workload, options.flaw) {}

  ExploreReport Explore();

 private:
  void CrashAt(size_t point, size_t most);
  // False: enough is wrong.
  bool Check(const Crash& crash, const DiskImage& image);
  void CrashRecovery(const Crash& crash, const Findings& first);
  void Fail(const Crash& crash, const std::string& second, const std::string& complaint);

  const Workload& workload_;
  const ExploreOptions& options_;
  Random random_;
  Run run_;
  ExploreReport report_;
  std::map<uint64_t, Findings> recovered_;  // by image; without traces
  std::set<uint64_t> second_images_;
};

ExploreReport Explorer::Explore() {
  if (!run_.error().empty()) {
    report_.failures.push_back(workload_.name + " fails without any crash: " + run_.error());
    return report_;
  }
  const size_t first = run_.trace().initial;
  const size_t last = run_.trace().operations.size();
  // Every operation, if there are states for it; else one in some, other ones with another seed.
  const size_t step =
      std::max<size_t>(1, (last - first + 1) * kStatesPerPoint / std::max<uint64_t>(1, options_.most_states));
  const size_t begin = first + random_.Below(std::min(step, last - first + 1));
  for (size_t point = begin; point <= last && report_.failures.size() < options_.most_failures; point += step) {
    // What one point leaves over the next ones may use.
    const uint64_t left = options_.most_states - std::min<uint64_t>(report_.states, options_.most_states);
    CrashAt(point, std::max<uint64_t>(kStatesPerPoint, left / ((last - point) / step + 1)));
    ++report_.points;
  }
  report_.images = recovered_.size();
  return report_;
}

void Explorer::CrashAt(size_t point, size_t most) {
  const CrashDisk disk(run_.trace(), point);
  std::vector<Crash> crashes{{.killed = true, .point = point, .state = "all"}};
  for (std::string& state : disk.States({.most = most, .seed = options_.seed + point, .beside = run_.beside()})) {
    crashes.push_back({.point = point, .state = std::move(state)});
  }
  std::set<uint64_t> seen;
  for (const Crash& crash : crashes) {
    const absl::StatusOr<DiskImage> image = disk.Build(crash.state);
    if (!image.ok()) return Fail(crash, "", image.status().ToString());
    if (!crash.killed && !seen.insert(image->hash).second) continue;
    if (!Check(crash, *image)) return;
  }
}

bool Explorer::Check(const Crash& crash, const DiskImage& image) {
  ++(crash.killed ? report_.kills : report_.states);
  Findings findings;
  const auto known = crash.killed ? recovered_.end() : recovered_.find(image.hash);
  const bool is_new = known == recovered_.end();
  if (is_new) {
    findings = run_.Recover(crash, image.disk.get());
  } else {
    findings = known->second;
  }
  const std::string complaint = Judge(run_.setting().ledgers, findings, crash.point, crash.killed);
  if (!complaint.empty()) {
    Fail(crash, "", complaint);
    return report_.failures.size() < options_.most_failures;
  }
  for (size_t i = 0; i < findings.found.size(); ++i) {
    const Ledger& ledger = run_.setting().ledgers[i];
    if (!findings.found[i].exists) continue;
    const Ledger::Fit fit = ledger.FindPrefix(findings.found[i].content, crash.point, crash.killed);
    if (fit.steps < ledger.Least(crash.point, /*killed=*/true)) ++report_.lost;
  }
  if (!is_new) return true;
  if (random_.Below(options_.recoveries_crashed) == 0) CrashRecovery(crash, findings);
  if (!crash.killed) {
    findings.trace = {};
    recovered_.emplace(image.hash, std::move(findings));
  }
  return report_.failures.size() < options_.most_failures;
}

void Explorer::CrashRecovery(const Crash& crash, const Findings& first) {
  const size_t begun = crash.killed ? crash.point : first.trace.initial;
  const size_t end = first.trace.operations.size();
  for (size_t i = 0; i < std::min(kSecondPoints, end - begun); ++i) {
    const size_t point = begun + 1 + random_.Below(end - begun);
    const CrashDisk disk(first.trace, point);
    for (const std::string& state : disk.States({.most = kSecondStates, .seed = random_.Next()})) {
      const absl::StatusOr<DiskImage> image = disk.Build(state);
      if (image.ok() && !second_images_.insert(image->hash).second) continue;
      const std::string second = ">" + std::to_string(point) + ">" + state;
      ++report_.states;
      ++report_.second;
      const std::string complaint =
          image.ok() ? run_.JudgeAgain(crash, first, point, run_.RecoverAgain(first, image->disk.get()))
                     : image.status().ToString();
      if (!complaint.empty()) Fail(crash, second, complaint);
      if (report_.failures.size() >= options_.most_failures) return;
    }
  }
}

void Explorer::Fail(const Crash& crash, const std::string& second, const std::string& complaint) {
  std::string line = std::string(crash.killed ? kKillLane : kPowerLane) + " " + std::to_string(options_.seed) + " " +
                     workload_.name + " " + std::to_string(crash.point) + " " + crash.state + second;
  std::string where = "at the end";
  if (crash.point > 0) where = "after " + DescribeDiskOperation(run_.trace(), crash.point - 1);
  report_.failures.push_back(line + "\n  " + where + ": " + complaint + "\n  again: VARVE_TEST_CRASH_REPLAY='" + line +
                             "' " +
                             (options_.flaw == nullptr ? "" : "VARVE_TEST_CRASH_FLAW=" + options_.flaw->name + " ") +
                             "crash_states_test --gtest_filter='*Replay*'");
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<size_t> ParsePosition(const std::string& text) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ExploreReport Explore(const Workload& workload, const ExploreOptions& options) {
  const FlawScope scope(options.flaw);
  return Explorer(workload, options).Explore();
}

namespace {

void DescribeOperations(const DiskTrace& trace, size_t end, std::vector<std::string>* operations) {
  for (size_t i = trace.initial; i < std::min(end, trace.operations.size()); ++i) {
    operations->push_back(DescribeDiskOperation(trace, i));
  }
}

}  // namespace

ReplayReport Replay(std::string_view line, const Flaw* flaw) {
  const FlawScope scope(flaw);
  ReplayReport report{"expected LANE SEED WORKLOAD POINT STATE, not " + std::string(line), {}};
  const std::vector<std::string> words = Split(line, ' ');
  if (words.size() != 5) return report;
  const std::optional<Workload> workload = FindWorkload(words[2]);
  if (words[0] == kErrorLane && workload.has_value()) {
    const FaultPoint fault = PointOf(*workload, ParsePosition(words[3]).value_or(kNever), words[4]);
    report.complaint = TryFault(*workload, fault, flaw).complaint;
    report.operations.push_back(fault.site);
    return report;
  }
  if (words[0] != kPowerLane && words[0] != kKillLane) return report;
  const std::vector<std::string> states = Split(words[4], '>');
  const std::optional<size_t> point = ParsePosition(words[3]);
  if (!workload.has_value() || !point.has_value() || (states.size() != 1 && states.size() != 3)) return report;
  const Run run(*workload, flaw);
  report.complaint = run.error();
  if (!report.complaint.empty()) return report;
  const Crash crash{.killed = words[0] == kKillLane, .point = *point, .state = states[0]};
  absl::StatusOr<DiskImage> image = CrashDisk(run.trace(), crash.point).Build(crash.state);
  report.complaint = image.status().ToString();
  if (!image.ok()) return report;
  DescribeOperations(run.trace(), crash.point, &report.operations);
  report.operations.push_back("crash: " + crash.state);
  const Findings findings = run.Recover(crash, image->disk.get());
  report.complaint = Judge(run.setting().ledgers, findings, crash.point, crash.killed);
  const size_t second = states.size() == 3 ? ParsePosition(states[1]).value_or(0) : findings.trace.operations.size();
  DiskTrace recovery = findings.trace;
  if (crash.killed) recovery.initial = crash.point;
  DescribeOperations(recovery, second, &report.operations);
  if (!report.complaint.empty() || states.size() == 1) return report;
  image = CrashDisk(findings.trace, second).Build(states[2]);
  report.complaint = image.status().ToString();
  if (!image.ok()) return report;
  report.operations.push_back("crash: " + states[2]);
  const Findings again = run.RecoverAgain(findings, image->disk.get());
  report.complaint = run.JudgeAgain(crash, findings, second, again);
  DescribeOperations(again.trace, again.trace.operations.size(), &report.operations);
  return report;
}

}  // namespace varve::testing
