#include "engine/admin/verify_run.h"

#include <charconv>

#include "base/publish.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"

namespace varve {
namespace {

// The number behind the last "offset " of a message; 0 if there is none. Messages name offsets so (base/status.h).
uint64_t OffsetIn(std::string_view message) {
  constexpr std::string_view kMark = "offset ";
  const size_t at = message.rfind(kMark);
  uint64_t offset = 0;
  if (at == std::string_view::npos) return 0;
  std::from_chars(message.data() + at + kMark.size(), message.data() + message.size(), offset);
  return offset;
}

}  // namespace

std::string VerifyRun::PathOf(std::string_view name) const {
  return directory_.empty() ? std::string(name) : JoinPath(directory_, name);
}

bool VerifyRun::HasMovedOn() const {
  if (!live_) return false;
  const absl::StatusOr<pb::Manifest> manifest = ReadManifestFile(fs_, directory_, kManifestName);
  return manifest.ok() && manifest->generation() != generation_;
}

void VerifyRun::AddDamage(std::string_view file, uint64_t offset, std::string_view section, std::string_view what) {
  report_.ok = false;
  if (!seen_.emplace(file, offset, what).second) return;
  report_.damage.push_back({std::string(file), offset, std::string(section), std::string(what)});
}

void VerifyRun::AddWarning(std::string_view file, std::string_view what) {
  report_.warnings.push_back(std::string(file) + ": " + std::string(what));
}

absl::Status VerifyRun::AddStatus(std::string_view file, const absl::Status& status) {
  if (status.ok()) return status;
  if (!absl::IsDataLoss(status) && !absl::IsNotFound(status) && !absl::IsUnimplemented(status)) return status;
  std::string_view what(status.message().data(), status.message().size());
  const uint64_t offset = OffsetIn(what);
  if (absl::IsNotFound(status)) {
    if (HasMovedOn()) return Aborted(PathOf(file) + ": removed by the writer");
    what = "missing";
  }
  for (const std::string& prefix : {PathOf(file) + ": ", std::string(file) + ": "}) {
    if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
  }
  AddDamage(file, offset, "", what);
  return absl::OkStatus();
}

void VerifyRun::CountFile(std::string_view name) {
  const absl::StatusOr<FileInfo> info = fs_->Stat(PathOf(name));
  if (!info.ok() || info->is_directory) return;
  ++report_.files;
  report_.bytes += info->size;
}

}  // namespace varve
