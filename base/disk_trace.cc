#include "varve/disk_trace.h"

#include "base/disk_tree.h"

namespace varve {

std::string_view DiskOperationName(DiskOperation::Kind kind) {
  using Kind = DiskOperation::Kind;
  switch (kind) {
    case Kind::kCreateFile:
      return "create";
    case Kind::kMakeDirectory:
      return "make directory";
    case Kind::kLink:
      return "link";
    case Kind::kRename:
      return "rename";
    case Kind::kRemoveFile:
      return "remove";
    case Kind::kRemoveDirectory:
      return "remove directory";
    case Kind::kWrite:
      return "write";
    case Kind::kTruncate:
      return "truncate";
    case Kind::kSync:
      return "sync";
    case Kind::kFailedSync:
      return "failed sync";
    case Kind::kSyncDirectory:
      return "sync directory";
  }
  return "";
}

std::string DescribeDiskOperation(const DiskTrace& trace, size_t index) {
  using Kind = DiskOperation::Kind;
  const DiskOperation& operation = trace.operations[index];
  DiskTree tree;
  for (size_t i = 0; i < index; ++i) tree.Apply(trace.operations[i], /*names_only=*/true);
  const std::map<DiskInode, std::string> paths = tree.Paths();
  const auto path = [&](DiskInode inode) {
    const auto found = paths.find(inode);
    return found == paths.end() ? "(without a name: " + std::to_string(inode) + ")" : found->second;
  };
  const auto name = [&](DiskInode directory, const std::string& entry) {
    return (directory == 0 ? "" : path(directory)) + "/" + entry;
  };
  std::string text = std::to_string(index) + " " + std::string(DiskOperationName(operation.kind)) + " ";
  switch (operation.kind) {
    case Kind::kCreateFile:
    case Kind::kMakeDirectory:
    case Kind::kLink:
    case Kind::kRemoveFile:
    case Kind::kRemoveDirectory:
      return text + name(operation.directory, operation.name);
    case Kind::kRename:
      return text + name(operation.directory, operation.name) + " to " +
             name(operation.to_directory, operation.to_name);
    case Kind::kWrite:
      return text + path(operation.inode) + " " + std::to_string(operation.offset) + "+" +
             std::to_string(operation.bytes.size());
    case Kind::kTruncate:
      return text + path(operation.inode) + " to " + std::to_string(operation.offset);
    case Kind::kSync:
    case Kind::kFailedSync:
    case Kind::kSyncDirectory:
      return text + path(operation.inode);
  }
  return text;
}

}  // namespace varve
