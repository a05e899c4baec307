// Inodes and names as a DiskTrace makes them: what a disk would hold if these operations, and no others, had reached
// it.
#ifndef VARVE_BASE_DISK_TREE_H_
#define VARVE_BASE_DISK_TREE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "varve/disk_trace.h"

namespace varve {

// The parts of a path between slashes, without "" and ".", and with ".." applied.
std::vector<std::string> SplitDiskPath(std::string_view path);

// A value type; copies share the bytes of files until one of them is written to. Thread-compatible.
class DiskTree {
 public:
  struct Node {
    bool is_directory = false;
    std::map<std::string, DiskInode, std::less<>> names;  // a directory's
    std::shared_ptr<const std::string> bytes;             // a file's; null: empty
    uint64_t size() const { return bytes == nullptr ? 0 : bytes->size(); }
  };

  // What a path leads to, and where the name stands.
  struct Place {
    DiskInode directory = 0;
    std::string name;                // empty: the root itself
    std::optional<DiskInode> inode;  // empty: there is no such name
  };

  DiskTree() { nodes_[0].is_directory = true; }

  // Syncs change nothing. With `names_only` bytes are left out.
  void Apply(const DiskOperation& operation, bool names_only = false);
  // An inode that no name leads to: its name was lost, and another one may come.
  void MakeInode(DiskInode inode, bool is_directory) { nodes_[inode].is_directory = is_directory; }
  void Write(DiskInode inode, uint64_t offset, std::string_view bytes);
  // Cuts a file, or makes it longer with zeros.
  void SetSize(DiskInode inode, uint64_t size);

  // Empty if a directory on the way is missing.
  std::optional<Place> Find(std::string_view path) const;
  // Null for an inode that was never made.
  const Node* node(DiskInode inode) const;
  uint64_t size(DiskInode inode) const;
  // A path to each inode that can be reached from the root.
  std::map<DiskInode, std::string> Paths() const;
  const std::map<DiskInode, Node>& nodes() const { return nodes_; }

 private:
  std::string* MutableBytes(Node* node) const;

  std::map<DiskInode, Node> nodes_;
};

}  // namespace varve

#endif  // VARVE_BASE_DISK_TREE_H_
