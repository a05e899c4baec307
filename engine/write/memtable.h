// Rows since the last flush, searchable at once.
//
// One writer at a time (the leader of the write queue), any number of readers without locks. A row is never moved or
// changed but for its death; it carries the sequence that made it and the one that killed it, so that every reader sees
// the rows of its own visible sequence: never half a batch, and snapshots come for free.
//
// Rows are found by key through a skip list (Pugh, "Skip Lists: A Probabilistic Alternative to Balanced Trees", CACM
// 1990) ordered by namespace, key, and newest first; vectors lie in chunks, row-major, for scans.
#ifndef VARVE_ENGINE_WRITE_MEMTABLE_H_
#define VARVE_ENGINE_WRITE_MEMTABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "base/arena.h"
#include "base/page_allocator.h"
#include "base/random.h"
#include "engine/write/memtable_codes.h"
#include "varve/memory_budget.h"
#include "varve/schema.h"
#include "varve/types.h"

namespace varve {

// The bytes of a row's vectors, by the position of the field in the schema; empty: the row lacks the field.
using RowVectors = std::vector<std::string_view>;

// A whole row on its way into a memtable. Views are copied.
struct NewRow {
  std::string_view ns;
  std::string_view key;
  RowVectors vectors;
  std::string_view metadata;
  std::string_view payload;
  int64_t created_at_us = 0;
  int64_t updated_at_us = 0;
  int64_t expires_at_ms = kNeverExpires;
};

class Memtable {
 public:
  // One row. All but `killer` is constant once the row can be found.
  struct Row {
    std::string_view ns;
    std::string_view key;
    std::string_view metadata;
    std::string_view payload;
    Sequence born = 0;
    std::atomic<Sequence> killer{0};  // 0: lives
    int64_t created_at_us = 0;
    int64_t updated_at_us = 0;
    int64_t expires_at_ms = kNeverExpires;
    uint64_t present = 0;  // bit f: the row has field f of the schema
    uint32_t number = 0;   // in order of insertion
    uint32_t height = 0;   // of the tower that follows in memory
    std::atomic<Row*>* tower() { return reinterpret_cast<std::atomic<Row*>*>(this + 1); }
    const std::atomic<Row*>* tower() const { return reinterpret_cast<const std::atomic<Row*>*>(this + 1); }

    bool VisibleAt(Sequence visible) const {
      if (born > visible) return false;
      const Sequence killed = killer.load(std::memory_order_acquire);
      return killed == 0 || killed > visible;
    }
  };

  struct Limits {
    size_t bytes = SIZE_MAX;
    uint32_t rows = UINT32_MAX;
    bool coded = false;  // for fast scans (memtable_codes.h)
  };
  // `limits` bound what Fits() admits, but for `coded`. What is allocated is taken from `budget`, if there is one, and
  // given back by the destructor. `schema` and `budget` must outlive the memtable.
  Memtable(const Schema& schema, const Limits& limits, uint64_t seed, MemoryBudget* budget = nullptr);
  ~Memtable();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // Bytes that a row takes.
  size_t RowBytes(const NewRow& row) const;
  // Whether rows of so many bytes and of this number can be added now. An empty memtable takes any.
  bool Fits(size_t bytes, size_t rows) const;

  // Writer only. The row can be found at once, and is seen by readers whose visible sequence is at least `born`.
  Row* Insert(const NewRow& row, Sequence born);
  // Writer only. A row dies once.
  void Kill(Row* row, Sequence killer) { row->killer.store(killer, std::memory_order_release); }

  // The newest row of a key, dead or alive; null if there is none.
  Row* FindNewest(std::string_view ns, std::string_view key) const;
  // The row of a key that a reader sees at `visible`, expired or not; null if there is none.
  const Row* FindVisible(std::string_view ns, std::string_view key, Sequence visible) const;
  // The first row at or above (ns, key) in the order of namespace, key, newest first; null at the end.
  Row* LowerBound(std::string_view ns, std::string_view key) const;
  // About how many rows a namespace has; 0 if they are few.
  uint32_t EstimateRows(std::string_view ns) const;
  static Row* Next(const Row* row) { return row->tower()[0].load(std::memory_order_acquire); }

  // Rows inserted so far, dead ones included; rows below this number may be read.
  uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  Row* row(uint32_t number) const;
  // The stored bytes of field `field` (position in the schema); meaningful only if the row has it.
  const std::byte* vector(uint32_t number, size_t field) const;
  // Codes of the vectors; null if none are kept.
  const MemtableCodes* codes() const { return codes_.get(); }
  // 1 / norm of that vector, for fields compared by cosine.
  float inverse_norm(uint32_t number, size_t field) const;

  bool empty() const { return rows() == 0; }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // What was allocated for it; writer only.
  size_t allocated_bytes() const { return taken_bytes_; }
  const Schema& schema() const { return schema_; }

  // The range of sequences that this memtable holds the effects of; kept by the engine.
  Sequence first_sequence = 0;
  Sequence last_sequence = 0;

 private:
  static constexpr int kMaxHeight = 16;

  struct Column {
    size_t stride = 0;        // bytes from one row's vector to the next, a multiple of 64
    size_t offset = 0;        // of the column within a chunk's vectors
    size_t norms_offset = 0;  // of the inverse norms, for cosine
    bool cosine = false;
  };
  struct Chunk {
    std::vector<Row*> rows;
    LargeVector<std::byte> vectors;  // starts on a page
  };

  void TakeFromBudget();
  Row* NewTower(int height);
  int RandomHeight();
  // Fills before[level] with the last node below (ns, key) on each level.
  Row* FindBefore(std::string_view ns, std::string_view key, Row** before) const;

  const Schema& schema_;
  const Limits limits_;
  MemoryBudget* const budget_;
  std::vector<Column> columns_;
  size_t row_bytes_ = 0;     // fixed part: Row, tower, vectors
  uint32_t chunk_rows_ = 0;  // a power of two
  uint32_t chunk_shift_ = 0;
  size_t chunk_bytes_ = 0;
  std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  size_t max_chunks_ = 0;
  size_t chunks_made_ = 0;
  size_t taken_bytes_ = 0;  // from the budget
  std::unique_ptr<MemtableCodes> codes_;

  Arena arena_;
  Random random_;
  Row* head_;
  std::atomic<int> height_{1};
  std::atomic<uint32_t> rows_{0};
  std::atomic<size_t> bytes_{0};
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_MEMTABLE_H_
