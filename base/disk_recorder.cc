#include "base/disk_recorder.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/publish.h"
#include "base/status.h"

namespace varve {

absl::Status DiskRecorder::Begin(FileSystem* fs, const std::string& root) {
  names_ = DiskTree();
  trace_ = DiskTrace();
  next_ = 1;
  std::string path;
  for (const std::string& part : SplitDiskPath(root)) {
    path += "/" + part;
    MakeDirectory(path);
    Sync(Find(DirectoryOf(path)), size(), DiskOperation::Kind::kSyncDirectory);
  }
  RETURN_IF_ERROR(AddTree(fs, root));
  trace_.initial = size();
  on_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status DiskRecorder::AddTree(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, fs->List(path));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string child = JoinPath(path, name);
    ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(child));
    if (info.is_directory) {
      MakeDirectory(child);
      RETURN_IF_ERROR(AddTree(fs, child));
      continue;
    }
    ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(fs, child, std::numeric_limits<uint64_t>::max()));
    const DiskInode inode = CreateFile(child);
    Write(inode, 0, bytes);
    Sync(inode, size());
  }
  Sync(Find(path), size(), DiskOperation::Kind::kSyncDirectory);
  return absl::OkStatus();
}

void DiskRecorder::GoOn(DiskTrace trace) {
  trace_ = std::move(trace);
  names_ = DiskTree();
  for (const DiskOperation& operation : trace_.operations) {
    names_.Apply(operation, /*names_only=*/true);
    next_ = std::max(next_, operation.inode + 1);
  }
  on_.store(true, std::memory_order_release);
}

void DiskRecorder::Add(DiskOperation operation) {
  names_.Apply(operation, /*names_only=*/true);
  trace_.operations.push_back(std::move(operation));
}

DiskInode DiskRecorder::Make(DiskOperation::Kind kind, const std::string& path) {
  const std::optional<DiskTree::Place> place = names_.Find(path);
  const DiskInode inode = next_++;
  if (!place.has_value()) return inode;
  if (place->inode.has_value()) {
    Add({.kind = DiskOperation::Kind::kRemoveFile,
         .inode = *place->inode,
         .directory = place->directory,
         .name = place->name});
  }
  Add({.kind = kind, .inode = inode, .directory = place->directory, .name = place->name});
  return inode;
}

void DiskRecorder::Remove(const std::string& path, DiskOperation::Kind kind) {
  const std::optional<DiskTree::Place> place = names_.Find(path);
  if (!place.has_value() || !place->inode.has_value()) return;
  Add({.kind = kind, .inode = *place->inode, .directory = place->directory, .name = place->name});
}

void DiskRecorder::Rename(const std::string& from, const std::string& to) {
  const std::optional<DiskTree::Place> source = names_.Find(from);
  const std::optional<DiskTree::Place> target = names_.Find(to);
  if (!source.has_value() || !source->inode.has_value() || !target.has_value()) return;
  Add({.kind = DiskOperation::Kind::kRename,
       .inode = *source->inode,
       .directory = source->directory,
       .name = source->name,
       .to_directory = target->directory,
       .to_name = target->name});
}

void DiskRecorder::Link(const std::string& from, const std::string& to) {
  const std::optional<DiskTree::Place> target = names_.Find(to);
  if (!target.has_value()) return;
  Add({.kind = DiskOperation::Kind::kLink, .inode = Find(from), .directory = target->directory, .name = target->name});
}

void DiskRecorder::Write(DiskInode inode, uint64_t offset, std::string_view bytes) {
  if (!bytes.empty())
    Add({.kind = DiskOperation::Kind::kWrite, .inode = inode, .offset = offset, .bytes = std::string(bytes)});
}

void DiskRecorder::Truncate(DiskInode inode, uint64_t length) {
  Add({.kind = DiskOperation::Kind::kTruncate, .inode = inode, .offset = length});
}

void DiskRecorder::Sync(DiskInode inode, size_t begun, DiskOperation::Kind kind) {
  Add({.kind = kind, .inode = inode, .begun = begun});
}

DiskInode DiskRecorder::Find(const std::string& path) const {
  const std::optional<DiskTree::Place> place = names_.Find(path);
  return place.has_value() && place->inode.has_value() ? *place->inode : std::numeric_limits<DiskInode>::max();
}

bool DiskRecorder::Exists(const std::string& path) const {
  const std::optional<DiskTree::Place> place = names_.Find(path);
  return place.has_value() && place->inode.has_value();
}

}  // namespace varve
