// A batch as the caller gave it, checked against the schema and the limits and brought into stored form, before it
// joins the write queue: everything that needs no other row.
#ifndef VARVE_ENGINE_WRITE_BATCH_VALIDATOR_H_
#define VARVE_ENGINE_WRITE_BATCH_VALIDATOR_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/schema.h"
#include "varve/write_batch.h"

namespace varve {

// A question about the metadata that a record has at the moment of a write.
using MetadataCondition = std::function<absl::StatusOr<bool>(std::string_view metadata)>;

// One operation with its vectors and JSON in stored form.
struct PreparedOperation {
  WriteBatch::Kind kind = WriteBatch::Kind::kPut;
  std::string ns;
  std::string key;
  std::vector<std::string> vectors;  // by field position; empty: not given
  std::optional<std::string> metadata;
  std::optional<std::string> patch;
  std::optional<std::string> payload;
  std::optional<int64_t> ttl_seconds;
  bool clear_ttl = false;
  std::optional<Sequence> if_sequence;
  // Deletes: where the record is gone, or has another sequence and does not satisfy this, the operation is left out
  // instead of failing its batch.
  const MetadataCondition* unless_changed = nullptr;
  bool left_out = false;
};

struct PreparedBatch {
  std::vector<PreparedOperation> operations;
  size_t bytes = 0;  // of its rows in a memtable: at least what the memtable counts, but for what updates keep
  size_t rows = 0;   // that it makes

  bool deletes_namespace() const {
    return operations.size() == 1 && operations[0].kind == WriteBatch::Kind::kDeleteNamespace;
  }
};

// Errors: InvalidArgument naming the operation (from 0), its key and the field.
absl::StatusOr<PreparedBatch> PrepareBatch(const Schema& schema, const WriteBatch& batch);

// Namespace and key within their limits.
absl::Status ValidateNamespace(std::string_view ns);
absl::Status ValidateKey(std::string_view key);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_BATCH_VALIDATOR_H_
