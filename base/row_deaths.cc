#include "base/row_deaths.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace varve {

RowDeaths::RowDeaths(uint32_t rows, MemoryBudget* budget)
    : rows_(rows), chunks_((size_t{rows} + kChunkRows - 1) / kChunkRows), budget_(budget) {}

RowDeaths::~RowDeaths() {
  for (const std::atomic<Chunk*>& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
  for (Range* range = ranges_.load(std::memory_order_relaxed); range != nullptr;)
    delete std::exchange(range, range->next);
  if (budget_ != nullptr) budget_->Give(MemoryBudget::Use::kMemtables, bytes_);
}

void RowDeaths::Kill(uint32_t row, uint64_t killer) {
  VARVE_DCHECK(row < rows_ && killer != 0);
  if (KillerOf(row) != 0) return;
  std::atomic<Chunk*>& slot = chunks_[row / kChunkRows];
  Chunk* chunk = slot.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk[kChunkRows]();
    slot.store(chunk, std::memory_order_release);
    bytes_ += kChunkRows * sizeof(Chunk);
    if (budget_ != nullptr) budget_->Take(MemoryBudget::Use::kMemtables, kChunkRows * sizeof(Chunk));
  }
  ++kills_;
  chunk[row % kChunkRows].store(killer, std::memory_order_relaxed);
  any_.store(true, std::memory_order_release);
}

void RowDeaths::KillRange(uint32_t first, uint32_t last, uint64_t killer) {
  VARVE_DCHECK(last <= rows_ && killer != 0);
  if (first >= last) return;
  // The release also covers the single deaths stored before: see KillerOf.
  ++range_count_;
  ranges_.store(new Range{first, last, killer, ranges_.load(std::memory_order_relaxed)}, std::memory_order_release);
  any_.store(true, std::memory_order_release);
}

// Ranges are read before single deaths: who sees a range also sees the single deaths that were there before it, and
// those came first. Of several ranges the oldest, which is last in the list, was first.
uint64_t RowDeaths::KillerOf(uint32_t row) const {
  VARVE_DCHECK(row < rows_);
  uint64_t killer = 0;
  for (const Range* range = ranges_.load(std::memory_order_acquire); range != nullptr; range = range->next) {
    if (row >= range->first && row < range->last) killer = range->killer;
  }
  const Chunk* chunk = chunks_[row / kChunkRows].load(std::memory_order_acquire);
  if (chunk != nullptr) {
    const uint64_t single = chunk[row % kChunkRows].load(std::memory_order_relaxed);
    if (single != 0) killer = single;
  }
  return killer;
}

void RowDeaths::ForEach(const std::function<void(uint32_t row, uint64_t killer)>& visit) const {
  if (empty()) return;
  const Range* const newest = ranges_.load(std::memory_order_acquire);
  std::array<uint64_t, kChunkRows> killers{};
  for (size_t c = 0; c < chunks_.size(); ++c) {
    const auto base = static_cast<uint32_t>(c * kChunkRows);
    const uint32_t end = std::min<uint32_t>(kChunkRows, rows_ - base);
    const Chunk* chunk = chunks_[c].load(std::memory_order_acquire);
    killers.fill(0);
    for (const Range* range = newest; range != nullptr; range = range->next) {
      const uint32_t first = std::max(range->first, base);
      const uint32_t last = std::min(range->last, base + end);
      if (first < last) std::fill(killers.begin() + (first - base), killers.begin() + (last - base), range->killer);
    }
    for (uint32_t i = 0; i < end; ++i) {
      const uint64_t single = chunk == nullptr ? 0 : chunk[i].load(std::memory_order_relaxed);
      const uint64_t killer = single != 0 ? single : killers[i];
      if (killer != 0) visit(base + i, killer);
    }
  }
}

}  // namespace varve
