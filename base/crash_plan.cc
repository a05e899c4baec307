#include "base/crash_plan.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/random.h"

namespace varve {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSector = 512;

bool ChangesBytes(const DiskOperation& operation) {
  return operation.kind == DiskOperation::Kind::kWrite || operation.kind == DiskOperation::Kind::kTruncate;
}
bool IsSync(const DiskOperation& operation) {
  return operation.kind == DiskOperation::Kind::kSync || operation.kind == DiskOperation::Kind::kSyncDirectory;
}

}  // namespace

CrashPlan::CrashPlan(const DiskTrace& trace, size_t point)
    : trace_(trace), point_(std::min(point, trace.operations.size())), pending_(point_) {
  FindPending();
  CutPieces(kPage, &pages_);
  CutPieces(kSector, &sectors_);
  for (first_pending_ = 0; first_pending_ < point_ && !pending_[first_pending_]; ++first_pending_) {
    base_.Apply(trace_.operations[first_pending_]);
  }
  whole_ = base_;
  durable_ = base_;
  for (size_t i = first_pending_; i < point_; ++i) {
    whole_.Apply(trace_.operations[i]);
    if (!pending_[i]) {
      durable_.Apply(trace_.operations[i]);
    } else if (trace_.operations[i].kind == DiskOperation::Kind::kMakeDirectory) {
      durable_.MakeInode(trace_.operations[i].inode, /*is_directory=*/true);
    }
  }
}

void CrashPlan::FindPending() {
  // From the end: up to where the bytes of each file, and the names of each directory, are durable.
  std::map<DiskInode, size_t> bytes;
  std::map<DiskInode, size_t> names;
  const auto covers = [](const std::map<DiskInode, size_t>& synced, DiskInode inode, size_t operation) {
    const auto found = synced.find(inode);
    return found != synced.end() && operation < found->second;
  };
  for (size_t i = point_; i-- > 0;) {
    const DiskOperation& operation = trace_.operations[i];
    if (IsSync(operation)) {
      size_t& synced = (operation.kind == DiskOperation::Kind::kSync ? bytes : names)[operation.inode];
      synced = std::max(synced, operation.begun);
    } else if (operation.kind == DiskOperation::Kind::kFailedSync) {
      bytes[operation.inode] = 0;  // the syncs behind it do not count
    } else if (ChangesBytes(operation)) {
      pending_[i] = !covers(bytes, operation.inode, i);
      has_writes_ = has_writes_ || pending_[i];
    } else {
      // A name that moves between directories is durable when both are.
      pending_[i] = !covers(names, operation.directory, i) ||
                    (operation.kind == DiskOperation::Kind::kRename && !covers(names, operation.to_directory, i));
    }
  }
}

void CrashPlan::CutPieces(uint64_t grain, std::vector<CrashPiece>* pieces) const {
  for (size_t i = 0; i < point_; ++i) {
    if (!pending_[i]) continue;
    const DiskOperation& operation = trace_.operations[i];
    if (operation.kind != DiskOperation::Kind::kWrite) {
      pieces->push_back({i});
      continue;
    }
    const uint64_t end = operation.offset + operation.bytes.size();
    for (uint64_t from = operation.offset; from < end;) {
      const uint64_t to = std::min(end, (from / grain + 1) * grain);
      pieces->push_back({i, from, to - from});
      from = to;
    }
  }
}

bool CrashPlan::is_name(const CrashPiece& piece) const { return !ChangesBytes(trace_.operations[piece.operation]); }

DiskTree CrashPlan::Build(const CrashChoice& choice) const {
  DiskTree tree = base_;
  const std::vector<CrashPiece>& all = pieces(choice.sectors);
  size_t next = 0;
  for (size_t i = first_pending_; i < point_; ++i) {
    if (!pending_[i]) {
      tree.Apply(trace_.operations[i]);
      continue;
    }
    const size_t first = next;
    while (next < all.size() && all[next].operation == i) ++next;
    ApplyPieces(choice, i, first, next, &tree);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const DiskOperation& operation = trace_.operations[all[i].operation];
    if (choice.kept[i] || !ChangesBytes(operation)) continue;
    const uint64_t size = tree.size(operation.inode);
    if ((choice.zeros || choice.stale.has_value()) && size < whole_.size(operation.inode)) {
      tree.SetSize(operation.inode, whole_.size(operation.inode));
    }
    if (!choice.beside.has_value() || operation.kind != DiskOperation::Kind::kWrite) continue;
    const uint64_t from = all[i].offset / kPage * kPage;
    const uint64_t to = std::min(tree.size(operation.inode), from + kPage);
    if (from < to) tree.Write(operation.inode, from, StaleBytes({i, from, to - from}, *choice.beside));
  }
  return tree;
}

void CrashPlan::ApplyPieces(const CrashChoice& choice, size_t operation, size_t first, size_t end,
                            DiskTree* tree) const {
  const DiskOperation& done = trace_.operations[operation];
  if (done.kind != DiskOperation::Kind::kWrite) {
    if (choice.kept[first]) {
      tree->Apply(done);
    } else if (done.kind == DiskOperation::Kind::kMakeDirectory) {
      tree->MakeInode(done.inode, /*is_directory=*/true);
    }
    return;
  }
  const std::vector<CrashPiece>& all = pieces(choice.sectors);
  for (size_t i = first; i < end; ++i) {
    const CrashPiece& piece = all[i];
    if (choice.kept[i]) {
      tree->Write(done.inode, piece.offset,
                  std::string_view(done.bytes).substr(piece.offset - done.offset, piece.length));
    } else if (choice.stale.has_value()) {
      // Only what the file had not before: what was durable there stays.
      const uint64_t from = std::max(piece.offset, durable_.size(done.inode));
      if (from >= piece.offset + piece.length) continue;
      tree->Write(done.inode, from, StaleBytes({i, from, piece.offset + piece.length - from}, *choice.stale));
    }
  }
}

std::string CrashPlan::StaleBytes(const CrashPiece& piece, uint64_t seed) const {
  Random random(Mix64(seed) ^ Mix64(piece.operation * 2 + 1) ^ piece.offset);
  // What stood in the same place of another file, which may be whole and well formed.
  if (random.Below(2) == 0) {
    std::vector<const DiskTree::Node*> others;
    for (const auto& [inode, node] : whole_.nodes()) {
      if (node.size() >= piece.offset + piece.length) others.push_back(&node);
    }
    if (!others.empty()) return others[random.Below(others.size())]->bytes->substr(piece.offset, piece.length);
  }
  std::string bytes(piece.length, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

}  // namespace varve
