#include "varve/write_batch.h"

namespace varve {

void WriteBatch::Put(RecordInput record, std::optional<Sequence> if_sequence) {
  operations_.push_back({.kind = Kind::kPut, .record = std::move(record), .if_sequence = if_sequence});
}

void WriteBatch::Insert(RecordInput record, std::optional<Sequence> if_sequence) {
  operations_.push_back({.kind = Kind::kInsert, .record = std::move(record), .if_sequence = if_sequence});
}

void WriteBatch::Update(RecordUpdate update, std::optional<Sequence> if_sequence) {
  operations_.push_back({.kind = Kind::kUpdate, .update = std::move(update), .if_sequence = if_sequence});
}

void WriteBatch::Delete(std::string ns, std::string key, std::optional<Sequence> if_sequence) {
  operations_.push_back(
      {.kind = Kind::kDelete, .record = {.ns = std::move(ns), .key = std::move(key)}, .if_sequence = if_sequence});
}

void WriteBatch::DeleteNamespace(std::string ns) {
  operations_.push_back({.kind = Kind::kDeleteNamespace, .record = {.ns = std::move(ns)}});
}

}  // namespace varve
