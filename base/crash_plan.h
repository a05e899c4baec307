// What of a DiskTrace is not durable at one moment, in pieces: what CrashDisk builds its disks from.
#ifndef VARVE_BASE_CRASH_PLAN_H_
#define VARVE_BASE_CRASH_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/disk_tree.h"
#include "varve/disk_trace.h"

namespace varve {

// A change of a name, a cut, or the part of a write between two multiples of the grain.
struct CrashPiece {
  size_t operation = 0;
  uint64_t offset = 0;  // in the file; of a write alone
  uint64_t length = 0;
};

// A state's name in parts (varve/crash_disk.h has the grammar).
struct CrashChoice {
  std::vector<bool> kept;  // by piece
  bool sectors = false;    // pieces of 512 bytes
  bool zeros = false;
  std::optional<uint64_t> stale;   // seed
  std::optional<uint64_t> beside;  // seed
};

// Thread-compatible; the trace must outlive it and not change.
class CrashPlan {
 public:
  CrashPlan(const DiskTrace& trace, size_t point);

  const std::vector<CrashPiece>& pieces(bool sectors) const { return sectors ? sectors_ : pages_; }
  bool has_writes() const { return has_writes_; }
  // Whether a piece is a change of a name.
  bool is_name(const CrashPiece& piece) const;

  DiskTree Build(const CrashChoice& choice) const;

 private:
  void FindPending();
  void CutPieces(uint64_t grain, std::vector<CrashPiece>* pieces) const;
  void ApplyPieces(const CrashChoice& choice, size_t operation, size_t first, size_t end, DiskTree* tree) const;
  // Old bytes, or noise, for a place on the disk that was given to a file and not yet written.
  std::string StaleBytes(const CrashPiece& piece, uint64_t seed) const;

  const DiskTrace& trace_;
  const size_t point_;
  std::vector<bool> pending_;  // by operation
  bool has_writes_ = false;
  std::vector<CrashPiece> pages_;
  std::vector<CrashPiece> sectors_;
  size_t first_pending_ = 0;
  DiskTree base_;     // all before first_pending_
  DiskTree whole_;    // nothing lost
  DiskTree durable_;  // all lost
};

}  // namespace varve

#endif  // VARVE_BASE_CRASH_PLAN_H_
