// Which rows of an immutable part have died since it was published, and by which write: the overlay that lies over a
// segment's deletion bitmap until the next publication folds it in.
//
// One writer at a time; any number of readers without locks. A reader that passes its visible sequence sees exactly the
// deaths up to it: the writer stores a death before it makes its sequence visible.
#ifndef VARVE_BASE_ROW_DEATHS_H_
#define VARVE_BASE_ROW_DEATHS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "varve/memory_budget.h"

namespace varve {

class RowDeaths {
 public:
  // What single deaths take is charged to the memtables' share of `budget`, which must outlive the object; null: to
  // nobody.
  explicit RowDeaths(uint32_t rows, MemoryBudget* budget = nullptr);
  ~RowDeaths();
  RowDeaths(const RowDeaths&) = delete;
  RowDeaths& operator=(const RowDeaths&) = delete;

  // Records that `killer`, which is not 0, killed `row`. A row dies once: a second death is ignored. Killers come in
  // ascending order. O(1) and the ranges. Writer only.
  void Kill(uint32_t row, uint64_t killer);
  // Records that `killer` killed every row of first .. last - 1 that has not died before. O(1). Writer only.
  void KillRange(uint32_t first, uint32_t last, uint64_t killer);

  // The sequence that killed the row, or 0 if it lives. O(1) and the ranges: there are few, one per namespace delete
  // since the last publication, which the engine makes before they are many.
  uint64_t KillerOf(uint32_t row) const;
  bool IsDead(uint32_t row, uint64_t visible) const {
    if (empty()) return false;
    const uint64_t killer = KillerOf(row);
    return killer != 0 && killer <= visible;
  }
  // How much there is to fold. Writer only.
  uint32_t kills() const { return kills_; }  // single ones
  uint32_t ranges() const { return range_count_; }
  size_t bytes() const { return bytes_; }
  bool empty() const { return !any_.load(std::memory_order_acquire); }

  // Calls visit(row, killer) for each death, ascending by row. Safe beside the writer; deaths that it adds meanwhile
  // may be missed.
  void ForEach(const std::function<void(uint32_t row, uint64_t killer)>& visit) const;
  uint32_t rows() const { return rows_; }

 private:
  static constexpr uint32_t kChunkRows = 1024;
  using Chunk = std::atomic<uint64_t>;
  struct Range {
    uint32_t first;
    uint32_t last;
    uint64_t killer;
    Range* next;  // older
  };

  const uint32_t rows_;
  std::atomic<bool> any_{false};
  std::vector<std::atomic<Chunk*>> chunks_;
  std::atomic<Range*> ranges_{nullptr};
  MemoryBudget* const budget_;
  uint32_t kills_ = 0;
  uint32_t range_count_ = 0;
  size_t bytes_ = 0;  // of chunks
};

}  // namespace varve

#endif  // VARVE_BASE_ROW_DEATHS_H_
