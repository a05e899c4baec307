// Which ways of damage the sweep tries: all those that matter for a corpus, in classes, from which a budget is drawn.
// Thread-compatible.
#ifndef VARVE_TESTS_DAMAGE_MUTANTS_H_
#define VARVE_TESTS_DAMAGE_MUTANTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/damage/corpus.h"
#include "tests/damage/mutation.h"

namespace varve::testing {

struct Mutant {
  const Corpus* corpus = nullptr;
  const std::string* file = nullptr;  // a key of corpus->files
  Mutation mutation;
};

enum MutantClass : size_t {
  kWholeFiles,   // missing, empty, a directory, another collection's, swapped: always tried
  kDenseFlips,   // every bit of heads, footers, directories
  kDenseValues,  // bytes and integers there
  kSparseFlips,  // a bit in each 64 bytes of all the rest
  kBlocks,       // zeroed, replaced
  kLengths,      // cut, lengthened
  kMutantClasses,
};

struct MutantClasses {
  std::vector<Mutant> of[kMutantClasses];
  size_t size() const;
};

// Adds the mutants of every file. `corpus` must outlive them. `flips_per_block`: of kSparseFlips.
void AddMutants(const Corpus& corpus, uint64_t seed, size_t flips_per_block, MutantClasses* classes);

// `budget` of them: all of kWholeFiles, and of each other class a seeded choice; all there are, if the budget allows.
std::vector<Mutant> ChooseMutants(const MutantClasses& classes, uint64_t seed, size_t budget);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_MUTANTS_H_
