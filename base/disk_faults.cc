#include "base/disk_faults.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace varve {
namespace {

constexpr std::array<std::string_view, kDiskCalls> kNames = {
    "create", "open for append", "open for read", "map",       "stat",           "list", "mkdir",
    "rmdir",  "unlink",          "rename",        "link",      "sync directory", "lock", "is locked",
    "write",  "fallocate",       "ftruncate",     "fdatasync", "close",          "read"};

// Those that change the disk: a process that has died makes none of them any more.
bool IsChange(DiskCall call) {
  switch (call) {
    case DiskCall::kCreateFile:
    case DiskCall::kCreateDirectory:
    case DiskCall::kRemoveDirectory:
    case DiskCall::kRemoveFile:
    case DiskCall::kRename:
    case DiskCall::kLink:
    case DiskCall::kSyncDirectory:
    case DiskCall::kLock:
    case DiskCall::kWrite:
    case DiskCall::kTruncate:
    case DiskCall::kSync:
      return true;
    default:
      return false;
  }
}

bool IsReading(DiskCall call) {
  switch (call) {
    case DiskCall::kOpenForRead:
    case DiskCall::kMap:
    case DiskCall::kStat:
    case DiskCall::kList:
    case DiskCall::kRead:
      return true;
    default:
      return false;
  }
}

absl::Status Injected(int error, DiskCall call, const std::string& path) {
  const absl::Status status = ErrnoStatus(error, DiskCallName(call), path, IsReading(call));
  return {status.code(), std::string(status.message()) + " (injected)"};
}

bool Matches(const DiskFault& fault, DiskCall call, const std::string& path) {
  if (!fault.calls.empty() && std::find(fault.calls.begin(), fault.calls.end(), call) == fault.calls.end())
    return false;
  return path.find(fault.path_part) != std::string::npos && path.ends_with(fault.path_end);
}

}  // namespace

std::string_view DiskCallName(DiskCall call) { return kNames[static_cast<size_t>(call)]; }

void DiskFaults::Add(DiskFault fault) {
  absl::MutexLock lock(&mutex_);
  rules_.push_back({std::move(fault)});
}

void DiskFaults::Clear() {
  absl::MutexLock lock(&mutex_);
  rules_.clear();
  room_ = kUnlimited;
  left_ = kUnlimited;
}

void DiskFaults::SetRoom(int64_t bytes, bool partial) {
  absl::MutexLock lock(&mutex_);
  room_ = bytes;
  partial_ = partial;
}

DiskFaults::Verdict DiskFaults::Decide(DiskCall call, const std::string& path, uint64_t bytes) {
  ++calls_[static_cast<size_t>(call)];
  if (IsChange(call) && left_.fetch_sub(1) <= 0) {
    left_ = -1;
    return {Internal(std::string(DiskCallName(call)) + " " + path + ": the process has been stopped (injected)")};
  }
  if (on_call_) on_call_(call, path);
  absl::MutexLock lock(&mutex_);
  for (Rule& rule : rules_) {
    if (!Matches(rule.fault, call, path)) continue;
    const uint64_t index = rule.seen++;
    if (index < rule.fault.skip || index - rule.fault.skip >= rule.fault.times) continue;
    ++failures_;
    if (rule.fault.error == 0) return {.pretend = true};
    Verdict verdict{.status = Injected(rule.fault.error, call, path), .injected = true};
    if (rule.fault.partial && bytes > 1) verdict.bytes = 1 + random_.Below(bytes - 1);
    return verdict;
  }
  return call == DiskCall::kWrite ? TakeRoom(path, bytes) : Verdict();
}

DiskFaults::Verdict DiskFaults::TakeRoom(const std::string& path, uint64_t bytes) {
  const uint64_t fits = std::min(bytes, static_cast<uint64_t>(std::max<int64_t>(room_, 0)));
  Verdict verdict;
  if (fits < bytes) {
    verdict.status = Injected(ENOSPC, DiskCall::kWrite, path);
    verdict.bytes = partial_ ? fits : 0;
  }
  room_ -= static_cast<int64_t>(verdict.status.ok() ? bytes : verdict.bytes);
  return verdict;
}

}  // namespace varve
