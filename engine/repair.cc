#include "engine/repair.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/directories.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/version/beside_writer.h"
#include "engine/version/collection_copy.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "varve/collection.h"

namespace varve {
namespace {

constexpr std::string_view kSalvageSuffix = ".salvage";
// Reading goes on behind a sector that cannot be read; zeros take its place, which every checksum finds.
constexpr size_t kSectorBytes = 4096;
constexpr size_t kSectorsAtOnce = 256;

class Repair {
 public:
  Repair(FileSystem* fs, Clock* clock, std::string from, std::string to)
      : fs_(fs),
        clock_(clock),
        from_(WithoutTrailingSlashes(std::move(from))),
        to_(WithoutTrailingSlashes(std::move(to))) {}

  absl::StatusOr<RepairReport> Run() {
    RETURN_IF_ERROR(CheckMayBeCopied(fs_, from_, to_));
    if (WriterIsLive(fs_, from_)) return FailedPrecondition(from_ + ": is open for writing: close it first");
    RETURN_IF_ERROR(CheckUnused(Copy()));
    RETURN_IF_ERROR(CheckUnused(to_ + std::string(kTemporarySuffix)));
    const absl::Status done = RunInCopy();
    const absl::Status removed = RemoveTree(fs_, Copy());
    RETURN_IF_ERROR(done);
    RETURN_IF_ERROR(removed);
    return std::move(report_);
  }

 private:
  std::string Copy() const { return to_ + std::string(kSalvageSuffix); }

  // Whatever has one of the names that are needed on the way may be anybody's, even what is to be repaired.
  absl::Status CheckUnused(const std::string& path) {
    const absl::StatusOr<FileInfo> info = fs_->Stat(path);
    if (absl::IsNotFound(info.status())) return absl::OkStatus();
    RETURN_IF_ERROR(info.status());
    return AlreadyExists(path + ": is needed on the way; if an earlier repair left it, remove it");
  }

  absl::Status RunInCopy() {
    RETURN_IF_ERROR(MakeDirectories(fs_, Copy()));
    RETURN_IF_ERROR(CopyFiles());
    Options options;
    options.file_system = fs_;
    options.clock = clock_;
    options.background_merges = false;
    options.recovery = RecoveryMode::kSalvage;
    {
      ASSIGN_OR_RETURN(const std::unique_ptr<Collection> salvaged, Collection::Open(Copy(), options));
      const CollectionStats stats = salvaged->Stats();
      report_.recovery = stats.recovery;
      report_.rows = stats.live_rows;
      RETURN_IF_ERROR(salvaged->Close());
    }
    CopyRequest request;
    request.fs = fs_;
    request.clock = clock_;
    request.from = Copy();
    request.to = to_;
    return CopyCollection(request).status();
  }

  absl::Status CopyFiles() {
    for (const std::string_view folder : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
      RETURN_IF_ERROR(fs_->CreateDirectory(JoinPath(Copy(), folder)));
    }
    ASSIGN_OR_RETURN(const std::vector<DirectoryEntry> entries, ListCollection(fs_, from_));
    for (const DirectoryEntry& entry : entries) {
      const bool is_ours = entry.kind != FileKind::kUnknown && entry.kind != FileKind::kTemporary;
      if (is_ours) RETURN_IF_ERROR(CopyFile(entry.name));
    }
    for (const std::string_view name : {kManifestName, kManifestBackupName}) {
      RETURN_IF_ERROR(CopyFile(std::string(name)));
    }
    return absl::OkStatus();
  }

  // A file that is missing, or a directory in its place, is left out: the salvage says what that means.
  absl::Status CopyFile(const std::string& name) {
    const absl::StatusOr<std::unique_ptr<RandomAccessFile>> from = fs_->OpenForRead(JoinPath(from_, name));
    if (absl::IsNotFound(from.status()) || absl::IsDataLoss(from.status())) return absl::OkStatus();
    RETURN_IF_ERROR(from.status());
    ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> to, fs_->CreateFile(JoinPath(Copy(), name)));
    ASSIGN_OR_RETURN(const uint64_t size, (*from)->Size());
    std::string buffer(kSectorBytes * kSectorsAtOnce, '\0');
    uint64_t lost = 0;
    for (uint64_t offset = 0; offset < size;) {
      const size_t wanted = std::min<uint64_t>(buffer.size(), size - offset);
      absl::StatusOr<size_t> read = (*from)->Read(offset, wanted, buffer.data());
      if (absl::IsDataLoss(read.status())) {
        ASSIGN_OR_RETURN(const uint64_t bytes, ReadSectors(**from, offset, wanted, buffer.data()));
        lost += bytes;
        read = wanted;
      }
      RETURN_IF_ERROR(read.status());
      if (*read == 0) break;
      RETURN_IF_ERROR(to->Append(std::string_view(buffer).substr(0, *read)).status);
      offset += *read;
    }
    if (lost != 0) report_.unreadable.push_back(name + ": " + std::to_string(lost) + " bytes cannot be read");
    RETURN_IF_ERROR(to->Sync());
    return to->Close();
  }

  // Sector by sector. How many bytes cannot be read: zeros stand in for them.
  static absl::StatusOr<uint64_t> ReadSectors(const RandomAccessFile& from, uint64_t offset, size_t length,
                                              char* buffer) {
    uint64_t lost = 0;
    for (size_t done = 0; done < length; done += kSectorBytes) {
      const size_t bytes = std::min(kSectorBytes, length - done);
      const absl::StatusOr<size_t> read = from.Read(offset + done, bytes, buffer + done);
      if (!read.ok() && !absl::IsDataLoss(read.status())) return read.status();
      if (read.ok() && *read == bytes) continue;
      std::fill_n(buffer + done, bytes, '\0');
      lost += bytes;
    }
    return lost;
  }

  FileSystem* const fs_;
  Clock* const clock_;
  const std::string from_;
  const std::string to_;
  RepairReport report_;
};

}  // namespace

absl::StatusOr<RepairReport> RepairCollection(const std::string& directory, const std::string& destination,
                                              const RepairOptions& options) {
  FileSystem* fs = options.file_system != nullptr ? options.file_system : FileSystem::Default();
  return Repair(fs, options.clock != nullptr ? options.clock : Clock::Default(), directory, destination).Run();
}

}  // namespace varve
