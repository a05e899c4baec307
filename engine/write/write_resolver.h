// From operations to effects: which row each operation makes and which it kills, decided against the newest state and
// the operations before it in the same group. What comes out can be logged and applied without any further question.
#ifndef VARVE_ENGINE_WRITE_WRITE_RESOLVER_H_
#define VARVE_ENGINE_WRITE_WRITE_RESOLVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/version/row_access.h"
#include "engine/write/batch_validator.h"
#include "wal/log_format.h"

namespace varve {

// The rows of a namespace in each segment of a view: [first, last).
using NamespaceRanges = std::vector<std::pair<RowId, RowId>>;
absl::StatusOr<NamespaceRanges> FindNamespace(const ReadView& view, std::string_view ns);

// One log record and what it does.
struct Effect {
  LogEntryType type = LogEntryType::kInsert;
  std::string payload;
  bool first_of_batch = false;
  bool last_of_batch = false;
  Sequence sequence = 0;

  // Insert and Update: the new row; views into the operation that asked for it, which outlives the effect.
  bool has_row = false;
  NewRow row;
  // The row that dies, in an old part ...
  RowLocation old;
  // ... or made by an earlier effect of the group (its position), or -1.
  int64_t old_effect = -1;
  // Control entries: the namespace whose rows die.
  const std::string* deleted_namespace = nullptr;
  NamespaceRanges namespace_ranges;
};

// Resolves the batches of one group, one after the other. Made anew for each group; thread-compatible.
class WriteResolver {
 public:
  // `view` is the current one; nobody changes it while the group is resolved. Sequences begin at `first_sequence`.
  WriteResolver(const Schema& schema, const ReadView& view, Sequence first_sequence, int64_t now_us)
      : schema_(schema), view_(view), next_sequence_(first_sequence), now_us_(now_us) {}

  // Adds the batch's effects; on failure none of them. `batch` is completed in place and must outlive the effects.
  // Errors: NotFound, AlreadyExists, Aborted for conditions; InvalidArgument for a patch that does not apply; DataLoss
  // from look-ups.
  absl::Status Add(PreparedBatch* batch);

  std::vector<Effect>& effects() { return effects_; }
  // Bytes and number of the rows that would go into the memtable.
  size_t row_count() const { return row_count_; }

 private:
  // What the group did to a key so far.
  struct Pending {
    int64_t effect = -1;  // that made its row; -1: deleted
  };
  // The live row of a key as the operation finds it.
  struct Current {
    RowLocation location;
    int64_t effect = -1;
    RowFacts facts;
    bool found = false;    // there is a row, which dies if another takes its place
    bool present = false;  // and it has not expired: it counts for conditions
  };

  absl::Status AddOperations(PreparedBatch* batch);
  absl::Status AddOperation(PreparedOperation* operation);
  absl::Status AddNamespaceDelete(const PreparedOperation& operation);
  absl::StatusOr<Current> FindCurrent(const PreparedOperation& operation, const std::string& group_key) const;
  absl::Status CheckConditions(const PreparedOperation& operation, const Current& current) const;
  // Whether an operation with `unless_changed` is to be carried out.
  absl::StatusOr<bool> IsUnchanged(const PreparedOperation& operation, const Current& current) const;
  // Fills what an Update does not give from the row that it changes.
  absl::Status CompleteUpdate(PreparedOperation* operation, const Current& current) const;
  absl::Status AddRowEffect(const PreparedOperation& operation, const Current& current);
  Effect& AppendEffect(const Current& current);

  const Schema& schema_;
  const ReadView& view_;
  Sequence next_sequence_;
  const int64_t now_us_;
  std::vector<Effect> effects_;
  size_t row_count_ = 0;
  absl::flat_hash_map<std::string, Pending> pending_;
  std::vector<std::pair<std::string, Pending>> undo_;  // entries of pending_ before the current batch
  std::vector<std::string> added_;                     // keys that the current batch added to pending_
};

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_WRITE_RESOLVER_H_
