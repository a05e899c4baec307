#include "engine/write/memtable_codes.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/write/memtable.h"

namespace varve {
namespace {

// The error of the estimate falls with the root of the dimension.
constexpr uint32_t kFewestDimensions = 64;
constexpr uint32_t kBlocksAtOnce = 2;

bool HasField(const Memtable& memtable, uint32_t number, size_t field) {
  return ((memtable.row(number)->present >> field) & 1) != 0;
}

RabitqCoder::Input InputOf(const Memtable& memtable, uint32_t number, size_t field) {
  RabitqCoder::Input input;
  if (!HasField(memtable, number, field)) return input;
  input.vector = reinterpret_cast<const float*>(memtable.vector(number, field));
  if (memtable.schema().fields[field].metric == Metric::kCosine) {
    input.inverse_norm = memtable.inverse_norm(number, field);
  }
  return input;
}

std::vector<float> CenterOf(const Memtable& memtable, uint32_t rows, size_t field) {
  std::vector<double> sum(memtable.schema().fields[field].dimension);
  double count = 0;
  for (uint32_t number = 0; number < rows; ++number) {
    const RabitqCoder::Input input = InputOf(memtable, number, field);
    if (input.vector == nullptr) continue;
    ++count;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += double{input.vector[i]} * double{input.inverse_norm};
  }
  std::vector<float> center(sum.size());
  for (size_t i = 0; i < sum.size() && count > 0; ++i) center[i] = static_cast<float>(sum[i] / count);
  return center;
}

}  // namespace

bool MemtableCodes::Covers(const FieldSpec& field) {
  return field.element == ElementType::kF32 && field.dimension >= kFewestDimensions && RabitqCoder::Knows(field.metric);
}

size_t MemtableCodes::RowBytes(const Schema& schema) {
  size_t bytes = 0;
  for (const FieldSpec& field : schema.fields) {
    if (Covers(field)) bytes += RabitqCoder::BlockBytes(field.dimension) / kSignBlockRows;
  }
  return bytes;
}

MemtableCodes::MemtableCodes(const Schema& schema, size_t most_rows, uint64_t seed)
    : schema_(schema),
      seed_(seed),
      fields_(schema.fields.size()),
      groups_(most_rows / (kGroupBlocks * kSignBlockRows) + 1) {
  for (size_t f = 0; f < fields_.size(); ++f) {
    if (!Covers(schema.fields[f])) continue;
    fields_[f].offset = group_bytes_;
    fields_[f].block_bytes = RabitqCoder::BlockBytes(schema.fields[f].dimension);
    group_bytes_ += fields_[f].block_bytes * kGroupBlocks;
  }
}

void MemtableCodes::Extend(const Memtable& memtable) {
  const uint32_t full = memtable.rows() / kSignBlockRows * kSignBlockRows;
  uint32_t done = rows_.load(std::memory_order_relaxed);
  if (full < kFirstRows) return;
  if (done == 0) MakeCoders(memtable);
  // The first rows are caught up with step by step: no write waits for all of them.
  const uint32_t goal = std::min<uint32_t>(full, done + kBlocksAtOnce * kSignBlockRows);
  for (; done < goal; done += kSignBlockRows) EncodeBlock(memtable, done / kSignBlockRows);
  rows_.store(goal, std::memory_order_release);
}

void MemtableCodes::MakeCoders(const Memtable& memtable) {
  for (size_t f = 0; f < fields_.size(); ++f) {
    const FieldSpec& field = schema_.fields[f];
    if (!Covers(field)) continue;
    fields_[f].coder =
        std::make_unique<RabitqCoder>(field.metric, field.dimension, CenterOf(memtable, kFirstRows, f), seed_ + f);
  }
}

void MemtableCodes::EncodeBlock(const Memtable& memtable, uint32_t number) {
  VARVE_CHECK(number / kGroupBlocks < groups_.size());
  AlignedBytes& group = groups_[number / kGroupBlocks];
  if (group == nullptr) {
    group = AllocateAligned(group_bytes_);
    VARVE_CHECK(group != nullptr);
    allocated_bytes_ += group_bytes_;
  }
  for (size_t f = 0; f < fields_.size(); ++f) {
    const Field& field = fields_[f];
    if (field.coder == nullptr) continue;
    std::array<RabitqCoder::Input, kSignBlockRows> rows;
    for (uint32_t i = 0; i < kSignBlockRows; ++i) rows[i] = InputOf(memtable, number * kSignBlockRows + i, f);
    field.coder->Encode(rows, group.get() + field.offset + (number % kGroupBlocks) * field.block_bytes);
  }
}

}  // namespace varve
