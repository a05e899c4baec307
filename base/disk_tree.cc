#include "base/disk_tree.h"

#include <algorithm>
#include <utility>

namespace varve {

std::vector<std::string> SplitDiskPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
  }
  return parts;
}

void DiskTree::Apply(const DiskOperation& operation, bool names_only) {
  using Kind = DiskOperation::Kind;
  switch (operation.kind) {
    case Kind::kCreateFile:
    case Kind::kMakeDirectory:
      // Made already where an earlier name of it was lost.
      nodes_[operation.inode].is_directory = operation.kind == Kind::kMakeDirectory;
      nodes_[operation.directory].names[operation.name] = operation.inode;
      break;
    case Kind::kLink:
      nodes_[operation.inode];
      nodes_[operation.directory].names[operation.name] = operation.inode;
      break;
    case Kind::kRename: {
      std::map<std::string, DiskInode, std::less<>>& names = nodes_[operation.directory].names;
      if (const auto found = names.find(operation.name); found != names.end() && found->second == operation.inode) {
        names.erase(found);
      }
      nodes_[operation.inode];
      nodes_[operation.to_directory].names[operation.to_name] = operation.inode;
      break;
    }
    case Kind::kRemoveFile:
    case Kind::kRemoveDirectory: {
      std::map<std::string, DiskInode, std::less<>>& names = nodes_[operation.directory].names;
      // A name that points to another inode by now was made by an operation that replaced it, whatever its order.
      if (const auto found = names.find(operation.name); found != names.end() && found->second == operation.inode) {
        names.erase(found);
      }
      break;
    }
    case Kind::kWrite:
      if (!names_only) Write(operation.inode, operation.offset, operation.bytes);
      break;
    case Kind::kTruncate:
      if (!names_only) SetSize(operation.inode, std::min(size(operation.inode), operation.offset));
      break;
    case Kind::kSync:
    case Kind::kFailedSync:
    case Kind::kSyncDirectory:
      break;
  }
}

std::string* DiskTree::MutableBytes(Node* node) const {
  // Copied unless nobody else holds them.
  if (node->bytes == nullptr || node->bytes.use_count() > 1) {
    node->bytes = std::make_shared<std::string>(node->bytes == nullptr ? std::string() : *node->bytes);
  }
  return const_cast<std::string*>(node->bytes.get());
}

void DiskTree::Write(DiskInode inode, uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  std::string* contents = MutableBytes(&nodes_[inode]);
  if (contents->size() < offset + bytes.size()) contents->resize(offset + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), contents->begin() + static_cast<std::ptrdiff_t>(offset));
}

void DiskTree::SetSize(DiskInode inode, uint64_t size) {
  Node& node = nodes_[inode];
  if (node.size() != size) MutableBytes(&node)->resize(size, '\0');
}

std::optional<DiskTree::Place> DiskTree::Find(std::string_view path) const {
  Place place{0, "", DiskInode{0}};
  for (std::string& part : SplitDiskPath(path)) {
    if (!place.inode.has_value()) return std::nullopt;
    const Node* directory = node(*place.inode);
    if (directory == nullptr || !directory->is_directory) return std::nullopt;
    place.directory = *place.inode;
    const auto found = directory->names.find(part);
    place.inode = found == directory->names.end() ? std::nullopt : std::optional<DiskInode>(found->second);
    place.name = std::move(part);
  }
  return place;
}

const DiskTree::Node* DiskTree::node(DiskInode inode) const {
  const auto found = nodes_.find(inode);
  return found == nodes_.end() ? nullptr : &found->second;
}

uint64_t DiskTree::size(DiskInode inode) const {
  const Node* found = node(inode);
  return found == nullptr ? 0 : found->size();
}

std::map<DiskInode, std::string> DiskTree::Paths() const {
  std::map<DiskInode, std::string> paths{{0, "/"}};
  std::vector<std::pair<DiskInode, std::string>> open{{0, ""}};
  while (!open.empty()) {
    const auto [directory, path] = open.back();
    open.pop_back();
    for (const auto& [name, inode] : nodes_.at(directory).names) {
      if (!paths.emplace(inode, path + "/" + name).second) continue;
      if (nodes_.at(inode).is_directory) open.emplace_back(inode, path + "/" + name);
    }
  }
  return paths;
}

}  // namespace varve
