// One way to damage one file of a collection, as a value with a text form, so that one line replays it.
#ifndef VARVE_TESTS_DAMAGE_MUTATION_H_
#define VARVE_TESTS_DAMAGE_MUTATION_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/damage/corpus.h"

namespace varve::testing {

enum class MutationKind : uint8_t {
  kFlip,         // flip@OFFSET.BIT
  kSet,          // set@OFFSET=VALUE            one byte
  kInteger,      // int@OFFSET:WIDTH=VALUE      little-endian, 4 or 8 bytes
  kZero,         // zero@OFFSET+LENGTH
  kNeighbour,    // neighbour@OFFSET+LENGTH     the block behind it in its place (the last one: the block before)
  kFromFile,     // from@OFFSET+LENGTH=FILE     the same place of another file
  kCut,          // cut@LENGTH
  kAppendZeros,  // zeros+LENGTH
  kAppendTail,   // tail+LENGTH                 its own last bytes once more
  kSwap,         // swap=FILE
  kForeign,      // foreign                     the file of that name of another collection
  kMissing,      // missing
  kEmpty,        // empty
  kDirectory,    // directory                   a directory in its place
  kBothMissing,  // both-missing                both manifests
};

struct Mutation {
  MutationKind kind = MutationKind::kFlip;
  uint64_t offset = 0;
  uint64_t length = 0;  // of a block, in bytes; for kFlip the bit, for kInteger the width
  uint64_t value = 0;   // kSet, kInteger
  std::string other;    // the other file

  friend bool operator==(const Mutation&, const Mutation&) = default;
};

std::string MutationText(const Mutation& mutation);
std::optional<Mutation> ParseMutation(std::string_view text);

// Whether it changes bytes of the file and nothing else, so that the file may be looked at alone.
bool IsOfBytes(MutationKind kind);

// The bytes of the damaged file. Requires: IsOfBytes. `other`: the bytes of mutation.other.
std::string Damaged(const Mutation& mutation, std::string bytes, std::string_view other);

// The directory after it.
struct DamagedFiles {
  Files files;
  std::set<std::string> directories;
  std::set<std::string> changed;  // names
};
DamagedFiles Damage(const Mutation& mutation, const std::string& file, const Corpus& corpus, const Corpus& twin);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_MUTATION_H_
