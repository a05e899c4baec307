// What threads asked of a collection and were told, and whether that can be: linearizability (Herlihy, Wing,
// "Linearizability: A Correctness Condition for Concurrent Objects", TOPLAS 1990).
//
// A history is legal if each call can be given one instant between its invocation and its return such that, one after
// the other in the order of these instants, a simple map of keys gives every answer that was given. Batches, searches,
// scans and snapshots concern several keys, so the map is checked as a whole, not key by key. The engine's sequence
// numbers are checked as well, and make it stricter: a row has one, no two rows share one, and they grow in the order
// of the instants.
#ifndef VARVE_TESTS_SUPPORT_HISTORY_H_
#define VARVE_TESTS_SUPPORT_HISTORY_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "varve/types.h"

namespace varve::testing {

constexpr size_t kHistoryKeys = 8;

// What a key holds: the marks of the steps that its vector, its metadata and the whole row come from. All 0: nothing.
struct Cell {
  uint32_t row = 0;
  uint32_t vector = 0;
  uint32_t metadata = 0;
  bool present() const { return row != 0; }
  friend auto operator<=>(const Cell&, const Cell&) = default;
};
using Cells = std::array<Cell, kHistoryKeys>;

// One operation of a batch. `mark` is not 0 and no other step has it. Deleting a namespace is deleting its keys.
struct Step {
  enum class Kind { kPut, kInsert, kUpdate, kDelete };
  Kind kind = Kind::kPut;
  size_t key = 0;
  uint32_t mark = 0;
  bool sets_vector = true;  // an update sets one of these or both, a put both
  bool sets_metadata = true;
  std::optional<Cell> expected = std::nullopt;  // compare and set
};

// A key as a read found it.
struct Seen {
  size_t key = 0;
  Cell cell;              // nothing, or a row
  Sequence sequence = 0;  // of the row
};

struct Call {
  int thread = 0;  // below 32; a thread's calls do not overlap
  uint64_t invoked = 0;
  uint64_t returned = 0;
  // A write: its steps, all or none of which were done.
  std::vector<Step> steps;
  absl::StatusCode outcome = absl::StatusCode::kOk;
  bool one_sequence = false;  // a bulk load: the rows have one sequence together
  // A read: the keys that it told of, in one instant. A snapshot is a read of its own instant: what was read through it
  // later is listed here.
  std::vector<Seen> seen;
  std::optional<uint64_t> count;     // of keys that hold something
  std::optional<Sequence> snapshot;  // all up to this sequence, and nothing later
};

// What was found in a copy, or by a reader in another process: everything up to `sequence` and nothing later.
struct PrefixRead {
  int reader = 0;  // whose reads follow each other, and never go back
  uint64_t invoked = 0;
  uint64_t returned = 0;
  Sequence sequence = 0;
  std::vector<Seen> seen;
};

std::string Describe(const Cell& cell);
std::string Describe(const Call& call);

// Empty, or what is wrong. The keys hold nothing at the beginning.
std::string FindViolation(const std::vector<Call>& calls, const std::vector<PrefixRead>& prefixes = {});

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_HISTORY_H_
