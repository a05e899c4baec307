// How a Lab judges a life in which calls fail.
#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/admin/verify.h"
#include "tests/crash_states/lab.h"
#include "tests/crash_states/lab_listener.h"

namespace varve::testing {
namespace {

// What a writer says from its final failure on.
constexpr std::string_view kNoMoreWrites = "takes no more writes";

}  // namespace

bool Lab::IsFaultOver() const {
  return healed_ || (trouble_.fault->times != DiskFault::kForever && disk.failures() >= trouble_.fault->times);
}

Lab::Next Lab::Judge(const absl::Status& status, const std::string& what, int attempt) {
  if (!trouble_.fault.has_value() || disk.failures() == 0) {
    Fail(status, what);
    return Next::kNothing;
  }
  listener_->told = true;
  const std::string message(status.message());
  if (const size_t at = message.find(kNoMoreWrites); at != std::string::npos) {
    const std::string says = message.substr(at);
    if (poison_.empty()) poison_ = says;
    if (!IsFaultFinal()) Complain(what + ": a failure that is not final stops the writer: " + says);
    if (says != poison_) Complain(what + " says another error than before: " + says + ", before: " + poison_);
  }
  CheckReaders(what);
  if (!ok() || !IsFaultOver() || within_) return Next::kNothing;
  // What failed goes through when it is tried again, if need be once the collection is opened anew.
  if (attempt == 1 && message.find("cannot be flushed") != std::string::npos) {
    // A flush that failed in the background is tried again after some time, which stands still here, or when asked for.
    Fail(collection_->Flush().status(), "flush");
  }
  if (attempt == 1) return Next::kAgain;
  if (attempt == 2 && !poison_.empty() && collection_ != nullptr) return Reopen() ? Next::kAgain : Next::kNothing;
  Complain(what + " fails again when nothing is wrong any more: " + status.ToString());
  return Next::kNothing;
}

bool Lab::IsFaultFinal() const {
  // From there on everything fails: what comes first may be soft, and what follows final.
  if (trouble_.fault->times == DiskFault::kForever) return true;
  const std::vector<DiskWatch::Call> calls = watch.calls();
  if (calls.size() <= trouble_.fault->skip) return false;
  const auto& [call, path, doing] = calls[trouble_.fault->skip];
  const int error = trouble_.fault->error;
  const bool no_room = error == ENOSPC || error == EDQUOT;
  if (call == DiskCall::kWrite && no_room && !trouble_.fault->partial) return false;  // refused
  if (path.ends_with(".vwal")) {
    return call == DiskCall::kWrite || call == DiskCall::kSync || call == DiskCall::kTruncate ||
           call == DiskCall::kClose;
  }
  return path.ends_with("/manifest.json") || path.ends_with("/manifest.json.1") || call == DiskCall::kSyncDirectory;
}

void Lab::NoteFault() {
  if (!trouble_.fault.has_value() || met_at_ != kNever || disk.failures() == 0) return;
  met_at_ = now();
  ledgers_of_then_ = ledgers;
}

// They see what was acknowledged and nothing else, or an error as long as there are any.
void Lab::CheckReaders(const std::string& what) {
  if (collection_ == nullptr) return;
  const absl::StatusOr<Content> content = ReadContent(collection_.get());
  if (!content.ok()) {
    if (!trouble_.fault.has_value() || IsFaultOver()) {
      Complain("after " + what + " readers fail: " + content.status().ToString());
    }
    return;
  }
  if (const Content expected = ContentOf(directory_); *content != expected) {
    Complain("after " + what + " readers see: " + DescribeDifference(expected, *content));
  }
}

bool Lab::Reopen() {
  load_.reset();
  (void)collection_->Close();  // it says what the writes said
  collection_.reset();
  executor.Settle();
  absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(directory_, options);
  if (!opened.ok()) {
    Complain("it does not open again after a failure: " + opened.status().ToString());
    return false;
  }
  collection_ = *std::move(opened);
  executor.Settle();
  poison_.clear();
  Resolve();
  MakeDurable(ledger(directory_));
  return ok();
}

void Lab::Resolve() {
  if (!trouble_.fault.has_value()) return;
  const absl::StatusOr<Content> content = ReadContent(collection_.get());
  if (!content.ok()) {
    if (IsFaultOver()) Complain("once opened, readers fail: " + content.status().ToString());
    return;
  }
  const Content expected = ContentOf(directory_);
  Ledger* const of = ledger(directory_);
  for (Content& maybe : of->maybe) EraseExpired(clock.WallMicros() / 1000, &maybe);
  if (*content != expected) {
    if (std::find(of->maybe.begin(), of->maybe.end(), *content) == of->maybe.end()) {
      return Complain("once opened, readers see: " + DescribeDifference(expected, *content));
    }
    of->steps.push_back({.what = "what had failed", .issued = now(), .acked = now(), .after = *content});
  }
  of->maybe.clear();
}

void Lab::Conclude() {
  if (!trouble_.fault.has_value()) return;
  disk.Heal();
  healed_ = true;
  if (open()) {
    Put("after the fault", 77);
    Checkpoint();
    Close();
  } else if (trouble_.fault->times == DiskFault::kForever) {
    closed_well_ = false;  // it may have had nothing to publish
  }
  // What could not be removed just before the end is removed by the next opening.
  const std::vector<DiskWatch::Call> calls = watch.calls();
  const bool is_removal = calls.size() <= trouble_.fault->skip ||
                          calls[trouble_.fault->skip].call == DiskCall::kRemoveFile ||
                          calls[trouble_.fault->skip].call == DiskCall::kList ||
                          calls[trouble_.fault->skip].path.find("/lost+found") != std::string::npos;
  if (ok() && closed_well_ && !is_removal) CheckNothingLeft(directory_);
  collection_.reset();
  executor.Settle();
  if (ok() && disk.open_handles() != 0) {
    Complain(std::to_string(disk.open_handles()) + " files, mappings or locks were never closed");
  }
}

// A publication removes what failed ones have left.
void Lab::CheckNothingLeft(const std::string& directory) {
  VerifyOptions verify;
  verify.file_system = memory.get();
  const absl::StatusOr<VerifyReport> report = VerifyPath(directory, verify);
  Fail(report.status(), "verify");
  if (!report.ok()) return;
  if (!report->damage.empty()) Complain("verify after a failure: " + report->damage.front().file);
  for (const std::string& warning : report->warnings) {
    if (!warning.starts_with("lost+found")) Complain("left after a failure: " + warning);
  }
}

bool Lab::WasTold() const { return listener_->told; }

}  // namespace varve::testing
