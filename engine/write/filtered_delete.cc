#include "engine/write/filtered_delete.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"
#include "engine/search/filter_compiler.h"
#include "engine/search/scanner.h"
#include "engine/write/batch_validator.h"

namespace varve {
namespace {

constexpr size_t kMaxBatchKeys = 10'000;
// Of keys, and of what a memtable may hold.
constexpr size_t kMaxBatchBytes = size_t{4} << 20;
// What a batch counts for an operation beside its key.
constexpr size_t kOperationBytes = 256;

class FilteredDelete {
 public:
  FilteredDelete(CollectionState* state, WritePath* writes, const DeleteWhereOptions& options, FilterProgram* program)
      : state_(state),
        writes_(writes),
        options_(options),
        program_(program),
        max_batch_bytes_(std::min(kMaxBatchBytes, state->MemtableLimits().bytes / 4)),
        still_matches_([program](std::string_view metadata) { return program->Matches(metadata); }) {}

  absl::Status Run() {
    while (!at_end_) {
      ASSIGN_OR_RETURN(const WriteBatch batch, NextBatch());
      if (batch.empty()) break;
      RETURN_IF_ERROR(Write(batch));
      if (options_.progress) options_.progress(deleted_);
    }
    return absl::OkStatus();
  }
  uint64_t deleted() const { return deleted_; }

 private:
  // The next records that match, behind last_, each to be deleted if it is still the one that was seen.
  absl::StatusOr<WriteBatch> NextBatch();
  absl::Status Write(const WriteBatch& batch);

  CollectionState* const state_;
  WritePath* const writes_;
  const DeleteWhereOptions& options_;
  FilterProgram* const program_;
  const size_t max_batch_bytes_;
  // Asked by the leader of the write queue, for which this thread waits: the program has one user at a time.
  const MetadataCondition still_matches_;
  std::optional<RecordPlace> last_;
  bool at_end_ = false;
  uint64_t deleted_ = 0;
};

absl::StatusOr<WriteBatch> FilteredDelete::NextBatch() {
  ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  pin.point.now_ms = state_->clock.NowMillis();
  const RecordPlace start = last_.value_or(RecordPlace{options_.ns.value_or(""), ""});
  ASSIGN_OR_RETURN(RowCursor cursor, RowCursor::Make(pin.view(), pin.point, start.ns, start.key));
  RowMatcher matcher(program_);
  WriteBatch batch;
  size_t bytes = 0;
  if (cursor.valid() && last_.has_value() && cursor.ns() == last_->ns && cursor.key() == last_->key) {
    RETURN_IF_ERROR(cursor.Next());
  }
  while (cursor.valid() && (!options_.ns.has_value() || cursor.ns() == *options_.ns)) {
    ASSIGN_OR_RETURN(const bool matches, matcher.Matches(cursor.location()));
    if (matches) {
      ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(cursor.location()));
      last_ = RecordPlace{std::string(cursor.ns()), std::string(cursor.key())};
      batch.Delete(last_->ns, last_->key, facts.sequence);
      bytes += last_->ns.size() + last_->key.size() + kOperationBytes;
      if (batch.size() == kMaxBatchKeys || bytes >= max_batch_bytes_) return batch;
    }
    RETURN_IF_ERROR(cursor.Next());
  }
  at_end_ = true;
  return batch;
}

absl::Status FilteredDelete::Write(const WriteBatch& batch) {
  ASSIGN_OR_RETURN(PreparedBatch prepared, PrepareBatch(state_->schema, batch));
  for (PreparedOperation& operation : prepared.operations) operation.unless_changed = &still_matches_;
  RETURN_IF_ERROR(writes_->Write(&prepared, options_.write));
  deleted_ += static_cast<uint64_t>(std::count_if(prepared.operations.begin(), prepared.operations.end(),
                                                  [](const PreparedOperation& o) { return !o.left_out; }));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint64_t> DeleteMatchingRows(CollectionState* state, WritePath* writes, const Filter& filter,
                                            const DeleteWhereOptions& options) {
  if (options.ns.has_value()) RETURN_IF_ERROR(ValidateNamespace(*options.ns));
  ASSIGN_OR_RETURN(const std::unique_ptr<FilterProgram> program, FilterProgram::Make(filter));
  FilteredDelete run(state, writes, options, program.get());
  if (const absl::Status status = run.Run(); !status.ok()) {
    return Annotate(status, "after " + std::to_string(run.deleted()) + " records were deleted");
  }
  return run.deleted();
}

}  // namespace varve
