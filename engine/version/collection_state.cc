#include "engine/version/collection_state.h"

#include <algorithm>
#include <thread>

#include "varve/executor.h"

namespace varve {

namespace {

// Vectors, or codes of vectors, of so many bytes are scanned in about the time of a few graph searches.
constexpr size_t kScanBytes = size_t{8} << 20;
constexpr size_t kMinRows = 4096;
constexpr size_t kMaxRows = 65'536;
constexpr size_t kMaxCodedRows = 262'144;

size_t ScannedRows(const FieldSpec& field) {
  if (!MemtableCodes::Covers(field)) return std::clamp(kScanBytes / field.vector_bytes(), kMinRows, kMaxRows);
  const size_t code_bytes = RabitqCoder::BlockBytes(field.dimension) / kSignBlockRows;
  return std::clamp(kScanBytes / code_bytes, kMinRows, kMaxCodedRows);
}

}  // namespace

Memtable::Limits CollectionState::MemtableLimits() const {
  Memtable::Limits limits;
  // More would make them small, and no record may be larger than a memtable.
  const size_t memtables = std::min(static_cast<size_t>(options.max_frozen_memtables) + 1, size_t{3});
  limits.bytes = std::min(options.memtable_bytes, budget->share(MemoryBudget::Use::kMemtables) / memtables);
  limits.rows = options.memtable_rows;
  limits.coded = true;
  if (limits.rows == 0) {
    size_t rows = kMaxCodedRows;
    for (const FieldSpec& field : schema.fields) rows = std::min(rows, ScannedRows(field));
    limits.rows = static_cast<uint32_t>(rows);
  }
  return limits;
}

int CollectionState::BuildThreads() const {
  if (options.threads > 0) return options.threads;
  if (options.executor != nullptr) return options.executor->Concurrency();
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace varve
