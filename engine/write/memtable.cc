#include "engine/write/memtable.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "base/check.h"
#include "index/dense_distance.h"

namespace varve {
namespace {

// Vectors of so many bytes share a chunk: large enough to scan well, small enough that a small memtable stays small.
constexpr size_t kChunkTargetBytes = size_t{1} << 20;
constexpr uint32_t kMinChunkRows = 16;
constexpr uint32_t kMaxChunkRows = 1024;

int CompareKeys(std::string_view ns_a, std::string_view key_a, std::string_view ns_b, std::string_view key_b) {
  const int by_namespace = ns_a.compare(ns_b);
  return by_namespace != 0 ? by_namespace : key_a.compare(key_b);
}

}  // namespace

Memtable::Memtable(const Schema& schema, const Limits& limits, uint64_t seed, MemoryBudget* budget)
    : schema_(schema), limits_(limits), budget_(budget), random_(seed) {
  size_t vector_bytes = 0;
  columns_.reserve(schema.fields.size());
  for (const FieldSpec& field : schema.fields) {
    Column column;
    column.stride = AlignUp(field.vector_bytes(), 64);
    column.cosine = field.metric == Metric::kCosine;
    vector_bytes += column.stride + (column.cosine ? sizeof(float) : 0);
    columns_.push_back(column);
  }
  const size_t code_bytes = limits.coded ? MemtableCodes::RowBytes(schema) : 0;
  row_bytes_ = sizeof(Row) + 2 * sizeof(void*) + vector_bytes + code_bytes;
  // A small memtable has small chunks: what is allocated must stay near what it is allowed.
  const size_t target = std::min(kChunkTargetBytes, limits_.bytes / 8);
  const size_t wanted = std::clamp<size_t>(target / std::max<size_t>(vector_bytes, 1), kMinChunkRows, kMaxChunkRows);
  chunk_rows_ = static_cast<uint32_t>(std::bit_floor(wanted));
  chunk_shift_ = static_cast<uint32_t>(std::countr_zero(chunk_rows_));
  for (Column& column : columns_) {
    column.offset = chunk_bytes_;
    chunk_bytes_ += column.stride * chunk_rows_;
    column.norms_offset = chunk_bytes_;
    if (column.cosine) chunk_bytes_ += AlignUp(sizeof(float) * chunk_rows_, 64);
  }
  // A group of writes may be as large as the memtable itself and come when it is nearly full.
  max_chunks_ = 2 * (limits_.bytes / (row_bytes_ * chunk_rows_)) + 4;
  chunks_ = std::make_unique<std::atomic<Chunk*>[]>(max_chunks_);
  if (code_bytes > 0) codes_ = std::make_unique<MemtableCodes>(schema, max_chunks_ * chunk_rows_, seed);
  head_ = NewTower(kMaxHeight);
  TakeFromBudget();
}

Memtable::~Memtable() {
  for (size_t i = 0; i < max_chunks_; ++i) delete chunks_[i].load(std::memory_order_relaxed);
  if (budget_ != nullptr) budget_->Give(MemoryBudget::Use::kMemtables, taken_bytes_);
}

void Memtable::TakeFromBudget() {
  const size_t now = arena_.bytes() + chunks_made_ * (chunk_bytes_ + chunk_rows_ * sizeof(Row*)) +
                     max_chunks_ * sizeof(std::atomic<Chunk*>) + (codes_ != nullptr ? codes_->bytes() : 0);
  if (now == taken_bytes_) return;
  if (budget_ != nullptr) budget_->Take(MemoryBudget::Use::kMemtables, now - taken_bytes_);
  taken_bytes_ = now;
}

size_t Memtable::RowBytes(const NewRow& row) const {
  return row_bytes_ + row.ns.size() + row.key.size() + row.metadata.size() + row.payload.size();
}

bool Memtable::Fits(size_t bytes, size_t rows) const {
  const size_t room = max_chunks_ * chunk_rows_ - this->rows();
  if (rows > room) return false;
  return empty() || (this->bytes() + bytes <= limits_.bytes && this->rows() + rows <= limits_.rows);
}

Memtable::Row* Memtable::NewTower(int height) {
  void* memory = arena_.Allocate(sizeof(Row) + sizeof(std::atomic<Row*>) * static_cast<size_t>(height), 8);
  Row* row = new (memory) Row;
  row->height = static_cast<uint32_t>(height);
  for (int level = 0; level < height; ++level) new (&row->tower()[level]) std::atomic<Row*>(nullptr);
  return row;
}

int Memtable::RandomHeight() {
  // One in four nodes reaches the next level.
  const int height = 1 + std::countr_zero(random_.Next() | (uint64_t{1} << 62)) / 2;
  return std::min(height, kMaxHeight);
}

Memtable::Row* Memtable::FindBefore(std::string_view ns, std::string_view key, Row** before) const {
  Row* node = head_;
  for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
    for (;;) {
      Row* next = node->tower()[level].load(std::memory_order_acquire);
      if (next == nullptr || CompareKeys(next->ns, next->key, ns, key) >= 0) break;
      node = next;
    }
    if (before != nullptr) before[level] = node;
  }
  return node;
}

Memtable::Row* Memtable::Insert(const NewRow& fresh, Sequence born) {
  const uint32_t number = rows_.load(std::memory_order_relaxed);
  const size_t chunk_index = number >> chunk_shift_;
  VARVE_CHECK(chunk_index < max_chunks_);
  Chunk* chunk = chunks_[chunk_index].load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk;
    chunk->rows.resize(chunk_rows_);
    chunk->vectors.resize(std::max<size_t>(chunk_bytes_, 64));
    chunks_[chunk_index].store(chunk, std::memory_order_release);
    ++chunks_made_;
  }
  const int height = RandomHeight();
  Row* row = NewTower(height);
  row->ns = arena_.Copy(fresh.ns);
  row->key = arena_.Copy(fresh.key);
  row->metadata = arena_.Copy(fresh.metadata);
  row->payload = arena_.Copy(fresh.payload);
  row->born = born;
  row->created_at_us = fresh.created_at_us;
  row->updated_at_us = fresh.updated_at_us;
  row->expires_at_ms = fresh.expires_at_ms;
  row->number = number;
  const uint32_t in_chunk = number & (chunk_rows_ - 1);
  for (size_t f = 0; f < columns_.size(); ++f) {
    if (f >= fresh.vectors.size() || fresh.vectors[f].empty()) continue;
    const Column& column = columns_[f];
    std::byte* target = chunk->vectors.data() + column.offset + column.stride * in_chunk;
    std::memcpy(target, fresh.vectors[f].data(), fresh.vectors[f].size());
    row->present |= uint64_t{1} << f;
    if (column.cosine) {
      const FieldSpec& field = schema_.fields[f];
      const float inverse = InverseNorm(target, field.element, field.dimension);
      std::memcpy(chunk->vectors.data() + column.norms_offset + sizeof(float) * in_chunk, &inverse, sizeof(inverse));
    }
  }
  chunk->rows[in_chunk] = row;

  // The new row comes before older rows of its key: FindBefore stops in front of the first row that is not below it.
  Row* before[kMaxHeight];
  const int old_height = height_.load(std::memory_order_relaxed);
  FindBefore(fresh.ns, fresh.key, before);
  for (int level = old_height; level < height; ++level) before[level] = head_;
  if (height > old_height) height_.store(height, std::memory_order_relaxed);
  for (int level = 0; level < height; ++level) {
    row->tower()[level].store(before[level]->tower()[level].load(std::memory_order_relaxed), std::memory_order_relaxed);
    before[level]->tower()[level].store(row, std::memory_order_release);
  }
  bytes_.fetch_add(RowBytes(fresh), std::memory_order_relaxed);
  rows_.store(number + 1, std::memory_order_release);
  if (codes_ != nullptr && (number + 1) % kSignBlockRows == 0) codes_->Extend(*this);
  TakeFromBudget();
  return row;
}

Memtable::Row* Memtable::LowerBound(std::string_view ns, std::string_view key) const {
  Row* row = FindBefore(ns, key, nullptr)->tower()[0].load(std::memory_order_acquire);
  // Rows that still come before may have been inserted there since the search looked.
  while (row != nullptr && CompareKeys(row->ns, row->key, ns, key) < 0) row = Next(row);
  return row;
}

Memtable::Row* Memtable::FindNewest(std::string_view ns, std::string_view key) const {
  Row* row = LowerBound(ns, key);
  return row != nullptr && row->ns == ns && row->key == key ? row : nullptr;
}

const Memtable::Row* Memtable::FindVisible(std::string_view ns, std::string_view key, Sequence visible) const {
  for (const Row* row = FindNewest(ns, key); row != nullptr && row->ns == ns && row->key == key; row = Next(row)) {
    if (row->born <= visible) return row->VisibleAt(visible) ? row : nullptr;
  }
  return nullptr;
}

uint32_t Memtable::EstimateRows(std::string_view ns) const {
  // One in 256 rows reaches this level.
  constexpr int kLevel = 4;
  constexpr uint32_t kRowsPerNode = 256;
  Row* before[kMaxHeight];
  std::fill(std::begin(before), std::end(before), head_);
  FindBefore(ns, "", before);
  uint32_t nodes = 0;
  for (const Row* row = before[kLevel];;) {
    row = row->tower()[kLevel].load(std::memory_order_acquire);
    if (row == nullptr || row->ns > ns) return nodes * kRowsPerNode;
    nodes += row->ns == ns;
  }
}

Memtable::Row* Memtable::row(uint32_t number) const {
  return chunks_[number >> chunk_shift_].load(std::memory_order_acquire)->rows[number & (chunk_rows_ - 1)];
}

const std::byte* Memtable::vector(uint32_t number, size_t field) const {
  const Column& column = columns_[field];
  const Chunk* chunk = chunks_[number >> chunk_shift_].load(std::memory_order_acquire);
  return chunk->vectors.data() + column.offset + column.stride * (number & (chunk_rows_ - 1));
}

float Memtable::inverse_norm(uint32_t number, size_t field) const {
  const Chunk* chunk = chunks_[number >> chunk_shift_].load(std::memory_order_acquire);
  float inverse;
  std::memcpy(&inverse,
              chunk->vectors.data() + columns_[field].norms_offset + sizeof(float) * (number & (chunk_rows_ - 1)),
              sizeof(inverse));
  return inverse;
}

}  // namespace varve
