// One bit per dimension of the vectors in a memtable (compression/rabitq_codes.h), so that a search need not compare
// its query with every row: of a large memtable it reads a twentieth of the bytes, and compares the few rows that may
// be among the best. Thread-safe as the memtable: one writer, any number of readers without locks.
#ifndef VARVE_ENGINE_WRITE_MEMTABLE_CODES_H_
#define VARVE_ENGINE_WRITE_MEMTABLE_CODES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/aligned_bytes.h"
#include "compression/rabitq_codes.h"
#include "varve/schema.h"

namespace varve {

class Memtable;

class MemtableCodes {
 public:
  // Fewer rows are as well compared one by one; of so many the center is taken.
  static constexpr uint32_t kFirstRows = 1024;

  // Whether the vectors of a field are coded: f32 of a metric that the codes know, long enough for tight bounds.
  static bool Covers(const FieldSpec& field);
  // What the codes of a row take over all fields; 0: none is coded.
  static size_t RowBytes(const Schema& schema);

  // For a memtable that never has more than `most_rows` rows.
  MemtableCodes(const Schema& schema, size_t most_rows, uint64_t seed);

  // Writer only, for every 32 rows that `memtable` gets: codes whole blocks of the rows that it has by now, at most
  // two.
  void Extend(const Memtable& memtable);

  // Rows below this number are coded: a multiple of kSignBlockRows.
  uint32_t rows() const { return rows_.load(std::memory_order_acquire); }
  // The coder of a field (position in the schema), if there are coded rows; null if the field is not covered.
  const RabitqCoder* coder(size_t field) const { return fields_[field].coder.get(); }
  // The codes of rows 32 * number and following.
  const std::byte* block(uint32_t number, size_t field) const {
    return groups_[number / kGroupBlocks].get() + fields_[field].offset +
           (number % kGroupBlocks) * fields_[field].block_bytes;
  }
  // What was allocated; writer only.
  size_t bytes() const { return allocated_bytes_; }

 private:
  static constexpr uint32_t kGroupBlocks = 32;

  struct Field {
    size_t offset = 0;  // of its blocks in a group
    size_t block_bytes = 0;
    std::unique_ptr<RabitqCoder> coder;
  };

  void MakeCoders(const Memtable& memtable);
  void EncodeBlock(const Memtable& memtable, uint32_t number);

  const Schema& schema_;
  const uint64_t seed_;
  std::vector<Field> fields_;
  size_t group_bytes_ = 0;
  std::vector<AlignedBytes> groups_;  // never resized; those of coded rows are constant
  size_t allocated_bytes_ = 0;
  std::atomic<uint32_t> rows_{0};
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_MEMTABLE_CODES_H_
