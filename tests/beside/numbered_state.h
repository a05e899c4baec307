// States that tell by themselves which they are. Batch b (1, 2, ...) writes all keys of group b modulo kGroups: some it
// puts, with the number b in metadata and vector, the rest it deletes. What a collection holds after batch b thus
// follows from b alone, and any mixture of two states shows.
#ifndef VARVE_TESTS_BESIDE_NUMBERED_STATE_H_
#define VARVE_TESTS_BESIDE_NUMBERED_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/collection.h"

namespace varve::testing {

inline constexpr uint32_t kGroups = 192;
inline constexpr uint32_t kGroupKeys = 16;
inline constexpr uint32_t kStateDimension = 8;

struct StateKey {
  uint32_t group = 0;
  uint32_t number = 0;
};

std::string NamespaceOf(uint32_t group);
std::string NameOf(const StateKey& key);
std::optional<StateKey> ParseKey(const std::string& ns, const std::string& name);

// Whether batch `batch` puts the key of that number in its group; else it deletes it. Number 0 is always put.
bool Puts(uint64_t batch, uint32_t number);
// Every batch of this kind puts all its keys, so that it can be a bulk load.
bool IsBulkLoad(uint64_t batch);
std::vector<float> VectorOf(uint64_t batch, uint32_t number);
std::string MetadataOf(uint64_t batch);
// The last batch up to `batch` that wrote the group; 0: none did.
uint64_t LastBatchOf(uint32_t group, uint64_t batch);
// How many records there are after batch `batch`.
uint64_t RecordsAfter(uint64_t batch);

WriteBatch MakeBatch(uint64_t batch);

// What some records say of the state that they are of: a record of batch b says that the state is at or behind b, and
// before the next batch of its group. Thread-compatible.
class StateEvidence {
 public:
  // Errors: DataLoss for a record that no batch wrote, that contradicts another, or that there is twice.
  absl::Status Add(const Record& record);
  // The state is after one of the batches [first, last].
  uint64_t first() const { return first_; }
  uint64_t last() const { return last_; }
  // The records are all of a state, whose number it gives. Errors: DataLoss if they are of none.
  absl::StatusOr<uint64_t> WholeState() const;
  // They are some of the state after `batch`. Errors: DataLoss.
  absl::Status CheckIsOf(uint64_t batch) const;

 private:
  uint64_t first_ = 0;
  uint64_t last_ = kGroups - 1;
  uint64_t records_ = 0;
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> seen_;  // (group, number) -> batch
};

// Reads all by a scan. Gives the number of the state.
absl::StatusOr<uint64_t> ScanState(Collection* collection, const ReadOptions& options = {});

}  // namespace varve::testing

#endif  // VARVE_TESTS_BESIDE_NUMBERED_STATE_H_
