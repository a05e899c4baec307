#include "engine/version/collection_state.h"

#include <thread>

#include "varve/executor.h"

namespace varve {

namespace {

// Vectors of so many bytes are scanned in about the time of a few graph searches.
constexpr size_t kScanBytes = size_t{8} << 20;
constexpr size_t kMinRows = 4096;
constexpr size_t kMaxRows = 65'536;

}  // namespace

Memtable::Limits CollectionState::MemtableLimits() const {
  Memtable::Limits limits;
  limits.bytes = std::min(options.memtable_bytes, budget->share(MemoryBudget::Use::kMemtables) / 3);
  limits.rows = options.memtable_rows;
  if (limits.rows == 0) {
    size_t row_bytes = 0;
    for (const FieldSpec& field : schema.fields) row_bytes = std::max(row_bytes, field.vector_bytes());
    limits.rows = static_cast<uint32_t>(std::clamp(kScanBytes / std::max<size_t>(row_bytes, 1), kMinRows, kMaxRows));
  }
  return limits;
}

int CollectionState::BuildThreads() const {
  if (options.threads > 0) return options.threads;
  if (options.executor != nullptr) return options.executor->Concurrency();
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace varve
