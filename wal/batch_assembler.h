// Collects the records of one log into whole batches. Thread-compatible.
#ifndef VARVE_WAL_BATCH_ASSEMBLER_H_
#define VARVE_WAL_BATCH_ASSEMBLER_H_

#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "varve/types.h"
#include "wal/log_reader.h"

namespace varve {

class BatchAssembler {
 public:
  enum class Step : uint8_t {
    kIncomplete,  // the batch goes on
    kComplete,    // batch() is whole
    kMisplaced,   // the record neither begins a batch where one may begin nor continues one; it was not taken
  };

  // Takes the next record of the log.
  Step Add(LogRecord record) {
    if (!open_) records_.clear();
    if (((record.flags & kFirstOfBatch) != 0) == open_) return Step::kMisplaced;
    open_ = (record.flags & kLastOfBatch) == 0;
    records_.push_back(std::move(record));
    return open_ ? Step::kIncomplete : Step::kComplete;
  }

  // Forgets a batch that was begun.
  void Clear() {
    records_.clear();
    open_ = false;
  }

  // True while a batch was begun and not ended.
  bool open() const { return open_; }
  // The records of the batch so far; valid until the next Add or Clear.
  absl::Span<const LogRecord> batch() const { return records_; }

 private:
  std::vector<LogRecord> records_;
  bool open_ = false;
};

// The records of a batch whose sequence is above `sequence`.
inline absl::Span<const LogRecord> RecordsBehind(absl::Span<const LogRecord> batch, Sequence sequence) {
  while (!batch.empty() && batch.front().sequence <= sequence) batch.remove_prefix(1);
  return batch;
}

}  // namespace varve

#endif  // VARVE_WAL_BATCH_ASSEMBLER_H_
