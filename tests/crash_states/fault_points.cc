#include "tests/crash_states/fault_points.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "base/random.h"
#include "tests/crash_states/recovery_check.h"

namespace varve::testing {
namespace {

struct ErrorName {
  int error;
  std::string_view name;
};
constexpr ErrorName kErrors[] = {{EIO, "EIO"},       {ENOSPC, "ENOSPC"}, {EDQUOT, "EDQUOT"},
                                 {EMFILE, "EMFILE"}, {ENFILE, "ENFILE"}, {ENOMEM, "ENOMEM"},
                                 {EROFS, "EROFS"},   {EINTR, "EINTR"},   {EXDEV, "EXDEV"},
                                 {EMLINK, "EMLINK"}, {ENOLCK, "ENOLCK"}, {EOPNOTSUPP, "EOPNOTSUPP"}};
constexpr std::string_view kPart = "+part";
constexpr std::string_view kOnce = "/once";
constexpr std::string_view kForever = "/forever";

// What each call may return, by its manual. EINTR where FileSystem::Default() does not go on by itself.
std::vector<int> ErrorsOf(DiskCall call) {
  switch (call) {
    case DiskCall::kCreateFile:
      return {EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EROFS};
    case DiskCall::kOpenForAppend:
      return {EIO, EMFILE, ENFILE, ENOMEM, EROFS};
    case DiskCall::kOpenForRead:
    case DiskCall::kMap:
    case DiskCall::kList:
    case DiskCall::kIsLocked:
      return {EIO, EMFILE, ENFILE, ENOMEM};
    case DiskCall::kStat:
      return {EIO, ENOMEM};
    case DiskCall::kCreateDirectory:
      return {EIO, ENOSPC, EDQUOT, ENOMEM, EROFS, EINTR};
    case DiskCall::kRemoveDirectory:
    case DiskCall::kRemoveFile:
      return {EIO, ENOMEM, EROFS, EINTR};
    case DiskCall::kRename:
      return {EIO, ENOSPC, EDQUOT, ENOMEM, EROFS, EINTR};
    case DiskCall::kLink:
      return {EIO, ENOSPC, EDQUOT, ENOMEM, EROFS, EXDEV, EMLINK, EINTR};
    case DiskCall::kSyncDirectory:
      return {EIO, ENOSPC, EDQUOT, EMFILE, ENFILE, EROFS};
    case DiskCall::kLock:
      return {EIO, ENOSPC, EMFILE, ENFILE, ENOLCK, EROFS};
    case DiskCall::kWrite:
      return {EIO, ENOSPC, EDQUOT};
    case DiskCall::kPreallocate:
      return {EIO, ENOSPC, EDQUOT, EOPNOTSUPP};
    case DiskCall::kTruncate:
      return {EIO, EROFS};
    case DiskCall::kSync:
      return {EIO, ENOSPC, EDQUOT, EROFS};
    case DiskCall::kClose:
      return {EIO, ENOSPC, EDQUOT};
    case DiskCall::kRead:
      return {EIO, ENOMEM};
  }
  return {};
}

std::string NameOf(int error) {
  for (const ErrorName& known : kErrors) {
    if (known.error == error) return std::string(known.name);
  }
  return "";
}

std::optional<DiskFault> ParseFault(std::string_view how) {
  DiskFault fault;
  if (how.ends_with(kOnce)) {
    fault.times = 1;
    how.remove_suffix(kOnce.size());
  } else if (how.ends_with(kForever)) {
    how.remove_suffix(kForever.size());
  } else {
    return std::nullopt;
  }
  if (how.ends_with(kPart)) {
    fault.partial = true;
    how.remove_suffix(kPart.size());
  }
  for (const ErrorName& known : kErrors) {
    if (known.name != how) continue;
    fault.error = known.error;
    return fault;
  }
  return std::nullopt;
}

// Without what numbers files, keys and random names.
std::string Class(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool is_number = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (!is_number) {
      result += c;
    } else if (result.empty() || result.back() != '#') {
      result += '#';
    }
  }
  const size_t trash = result.find(".dropped-");
  if (trash == std::string::npos) return result;
  return result.substr(0, trash) + ".dropped" + (result.find('/', trash) == std::string::npos ? "" : "/...");
}

std::string SiteOf(const DiskWatch::Call& call) {
  return std::string(DiskCallName(call.call)) + " " + Class(call.path) + " in " + Class(call.doing);
}

std::vector<DiskWatch::Call> CallsOf(const Workload& workload) {
  Lab lab;
  workload.run(&lab);
  return lab.error().empty() ? lab.watch.calls() : std::vector<DiskWatch::Call>();
}

// Whether somebody must hear of it: not of what is tried for the better, and done in another way or later if it fails.
bool MustBeTold(const FaultPoint& point) {
  if (point.site.find("/lost+found") != std::string::npos) return false;  // what should go there stays where it was
  switch (point.call) {
    case DiskCall::kWrite:
    case DiskCall::kSync:
    case DiskCall::kRename:
    case DiskCall::kTruncate:
    case DiskCall::kCreateFile:
    case DiskCall::kOpenForAppend:
    case DiskCall::kCreateDirectory:
    case DiskCall::kLock:
    case DiskCall::kClose:
      return true;
    default:
      return false;
  }
}

std::string CheckAfter(const RecoverySetting& setting, FileSystem* disk, const DiskTrace* trace, size_t point) {
  const Findings findings = CheckRecovery(setting, disk, trace);
  return Judge(setting.ledgers, findings, point, /*killed=*/trace != nullptr);
}

// What a loss of power at one moment leaves at worst.
std::string CheckWorst(RecoverySetting setting, const std::vector<Ledger>& ledgers, int64_t now_ms,
                       const DiskTrace& trace, size_t point) {
  setting.ledgers = ledgers;
  for (Ledger& ledger : setting.ledgers) ledger.ForgetExpired(now_ms);
  const absl::StatusOr<DiskImage> worst = CrashDisk(trace, point).Build("none");
  const std::string complaint =
      worst.ok() ? CheckAfter(setting, worst->disk.get(), nullptr, point) : worst.status().ToString();
  return complaint.empty() ? "" : "after a loss of power: " + complaint;
}

}  // namespace

std::vector<FaultPoint> FindFaultPoints(const Workload& workload, uint64_t seed) {
  const std::vector<DiskWatch::Call> calls = CallsOf(workload);
  std::map<std::string, std::vector<size_t>> sites;
  for (size_t i = 0; i < calls.size(); ++i) sites[SiteOf(calls[i])].push_back(i);
  std::vector<FaultPoint> points;
  Random random(seed);
  for (const auto& [site, indices] : sites) {
    const DiskCall call = calls[indices.front()].call;
    for (const int error : ErrorsOf(call)) {
      for (const std::string_view part : {std::string_view(), kPart}) {
        if (!part.empty() && call != DiskCall::kWrite) continue;
        for (const std::string_view mode : {kOnce, kForever}) {
          const size_t index = indices[random.Below(indices.size())];
          points.push_back({call, site, index, NameOf(error) + std::string(part) + std::string(mode)});
        }
      }
    }
  }
  return points;
}

FaultPoint PointOf(const Workload& workload, size_t index, const std::string& how) {
  const std::vector<DiskWatch::Call> calls = CallsOf(workload);
  if (index >= calls.size() || !ParseFault(how).has_value()) return {};
  return {calls[index].call, SiteOf(calls[index]), index, how};
}

FaultReport TryFault(const Workload& workload, const FaultPoint& point, const Flaw* flaw) {
  const FlawScope scope(flaw);
  LabTrouble trouble;
  trouble.fault = ParseFault(point.how);
  if (!trouble.fault.has_value()) return {false, "no fault: " + point.how};
  trouble.fault->skip = point.index;
  Lab lab(std::move(trouble));
  workload.run(&lab);
  const size_t before = lab.disk.trace_size();
  const std::vector<Ledger> ledgers_before = lab.ledgers;
  lab.Conclude();
  FaultReport report;
  const std::vector<DiskWatch::Call> calls = lab.watch.calls();
  report.reached = calls.size() > point.index && SiteOf(calls[point.index]) == point.site && lab.disk.failures() > 0;
  report.complaint = lab.error();
  if (report.complaint.empty() && report.reached && !lab.WasTold() && MustBeTold(point)) {
    report.complaint = "nobody was told";
  }
  lab.Kill();
  if (!report.complaint.empty()) return report;
  const RecoverySetting setting = MakeRecoverySetting(&lab);
  const DiskTrace trace = lab.disk.trace();
  report.complaint = CheckAfter(setting, lab.memory.get(), &trace, trace.operations.size());
  if (!report.complaint.empty()) return report;
  const int64_t now_ms = lab.clock.WallMicros() / 1000;
  report.complaint = CheckWorst(setting, ledgers_before, now_ms, trace, before);
  if (!report.complaint.empty() || lab.met_at() >= before) return report;
  report.complaint = CheckWorst(setting, lab.ledgers_of_then(), now_ms, trace, lab.met_at());
  return report;
}

std::string FaultLine(uint64_t seed, const Workload& workload, const FaultPoint& point) {
  return std::string(kErrorLane) + " " + std::to_string(seed) + " " + workload.name + " " +
         std::to_string(point.index) + " " + point.how;
}

}  // namespace varve::testing
