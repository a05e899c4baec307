// The bulk load of a writable collection: sorts records in a memtable of its own, builds a segment from it, and lets
// that enter through the write queue.
#ifndef VARVE_ENGINE_BACKGROUND_BULK_LOADER_H_
#define VARVE_ENGINE_BACKGROUND_BULK_LOADER_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/background/build_resources.h"
#include "engine/background/maintenance.h"
#include "engine/version/collection_state.h"
#include "engine/write/memtable.h"
#include "engine/write/write_path.h"
#include "varve/bulk_load.h"

namespace varve {

// Thread-compatible.
class BulkLoader final : public BulkLoad {
 public:
  // All must outlive this object. `closed`: the collection was closed.
  BulkLoader(CollectionState* state, WritePath* write_path, Maintenance* maintenance, const std::atomic<bool>* closed,
             BulkLoadOptions options);

  absl::Status Add(RecordInput record) override;
  absl::Status Finish() override;
  uint64_t durable_rows() const override { return durable_rows_; }

 private:
  // Makes the memtable that sorts, with as many rows as there is memory for.
  absl::Status Begin();
  absl::Status Enter(const pb::SegmentEntry& built, const Memtable& fresh);

  CollectionState* const state_;
  WritePath* const write_path_;
  Maintenance* const maintenance_;
  const std::atomic<bool>* const closed_;
  const BulkLoadOptions options_;
  const uint32_t segment_rows_;
  MemoryLease lease_;
  std::shared_ptr<Memtable> fresh_;  // null: nothing was added since the last segment
  uint64_t added_rows_ = 0;
  uint64_t durable_rows_ = 0;
};

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_BULK_LOADER_H_
