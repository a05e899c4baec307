#include "tests/damage/mutants.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "tests/damage/file_regions.h"

namespace varve::testing {
namespace {

constexpr uint64_t kSparseBytes = 64;
constexpr uint64_t kBlockBytes[] = {512, 4096};
constexpr uint64_t kCutSample = 24;

class MutantLister {
 public:
  MutantLister(const Corpus& corpus, const std::string& file, Random* random, MutantClasses* classes)
      : corpus_(corpus), file_(file), bytes_(corpus.files.at(file)), random_(random), classes_(classes) {
    regions_ = FindRegions(file, bytes_);
  }

  void ListAll(size_t flips_per_block) {
    ListWholeFiles();
    for (const auto& [from, to] : regions_.dense) ListDense(from, to);
    for (size_t i = 0; i < flips_per_block; ++i) ListSparse();
    ListBlocks();
    ListLengths();
  }

 private:
  void Add(MutantClass of, Mutation mutation) { classes_->of[of].push_back({&corpus_, &file_, std::move(mutation)}); }
  uint64_t size() const { return bytes_.size(); }
  // The other files, so many of them at random.
  std::vector<std::string> Others(size_t count) {
    std::vector<std::string> others;
    for (size_t i = 0; i < count && corpus_.files.size() > 1; ++i) {
      auto other = corpus_.files.begin();
      std::advance(other, static_cast<int64_t>(random_->Below(corpus_.files.size())));
      if (other->first != file_) others.push_back(other->first);
    }
    return others;
  }

  void ListWholeFiles() {
    for (const MutationKind kind :
         {MutationKind::kMissing, MutationKind::kEmpty, MutationKind::kDirectory, MutationKind::kForeign}) {
      Add(kWholeFiles, {.kind = kind});
    }
    if (file_ == "manifest.json") Add(kWholeFiles, {.kind = MutationKind::kBothMissing});
    const std::string extension = file_.substr(file_.rfind('.'));
    for (const auto& [other, bytes] : corpus_.files) {
      if (other > file_ && other.ends_with(extension)) Add(kWholeFiles, {.kind = MutationKind::kSwap, .other = other});
    }
    for (const std::string& other : Others(1)) Add(kWholeFiles, {.kind = MutationKind::kSwap, .other = other});
  }

  void ListDense(uint64_t from, uint64_t to) {
    for (uint64_t offset = from; offset < to; ++offset) {
      for (uint64_t bit = 0; bit < 8; ++bit) {
        Add(kDenseFlips, {.kind = MutationKind::kFlip, .offset = offset, .length = bit});
      }
      for (const uint64_t value : {0x00, 0xFF}) {
        Add(kDenseValues, {.kind = MutationKind::kSet, .offset = offset, .value = value});
      }
    }
    constexpr uint64_t k1 = 1;
    for (uint64_t offset = from; offset + 4 <= to; offset += 4) {
      for (const uint64_t value : {uint64_t{0}, k1, (k1 << 31) - 1, (k1 << 32) - 1, size() - 1, size(), size() + 1}) {
        Add(kDenseValues, {.kind = MutationKind::kInteger, .offset = offset, .length = 4, .value = value});
        if (offset + 8 > to) continue;
        Add(kDenseValues, {.kind = MutationKind::kInteger, .offset = offset, .length = 8, .value = value});
      }
      if (offset + 8 > to) continue;
      Add(kDenseValues, {.kind = MutationKind::kInteger, .offset = offset, .length = 8, .value = (k1 << 63) - 1});
    }
  }

  void ListSparse() {
    for (uint64_t block = 0; block < size(); block += kSparseBytes) {
      const uint64_t bytes = std::min(kSparseBytes, size() - block);
      Add(kSparseFlips,
          {.kind = MutationKind::kFlip, .offset = block + random_->Below(bytes), .length = random_->Below(8)});
    }
  }

  void ListBlocks() {
    for (const uint64_t length : kBlockBytes) {
      for (uint64_t offset = 0; offset < size(); offset += length) {
        Add(kBlocks, {.kind = MutationKind::kZero, .offset = offset, .length = length});
        Add(kBlocks, {.kind = MutationKind::kNeighbour, .offset = offset, .length = length});
        for (std::string& other : Others(1)) {
          Add(kBlocks,
              {.kind = MutationKind::kFromFile, .offset = offset, .length = length, .other = std::move(other)});
        }
      }
    }
  }

  void ListLengths() {
    for (const uint64_t border : regions_.borders) {
      for (const uint64_t length : {border - 1, border, border + 1}) {
        if (length < size()) Add(kLengths, {.kind = MutationKind::kCut, .offset = length});
      }
    }
    for (uint64_t i = 0; i < kCutSample && size() > 0; ++i) {
      Add(kLengths, {.kind = MutationKind::kCut, .offset = random_->Below(size())});
    }
    for (const uint64_t length : {1, 7, 64, 512, 4096}) {
      Add(kLengths, {.kind = MutationKind::kAppendZeros, .length = length});
    }
    for (const uint64_t length : {1, 8, 32, 84, 512}) {
      Add(kLengths, {.kind = MutationKind::kAppendTail, .length = length});
    }
  }

  const Corpus& corpus_;
  const std::string& file_;
  const std::string& bytes_;
  Random* const random_;
  MutantClasses* const classes_;
  FileRegions regions_;
};

}  // namespace

size_t MutantClasses::size() const {
  size_t sum = 0;
  for (const std::vector<Mutant>& one : of) sum += one.size();
  return sum;
}

void AddMutants(const Corpus& corpus, uint64_t seed, size_t flips_per_block, MutantClasses* classes) {
  Random random(seed);
  for (const auto& [file, bytes] : corpus.files) {
    if (file == "LOCK") continue;  // its text is for people: nothing reads it
    MutantLister(corpus, file, &random, classes).ListAll(flips_per_block);
  }
}

std::vector<Mutant> ChooseMutants(const MutantClasses& classes, uint64_t seed, size_t budget) {
  std::vector<Mutant> chosen = classes.of[kWholeFiles];
  constexpr size_t kShares[kMutantClasses] = {0, 8, 4, 4, 2, 2};  // twentieths of what is left
  const size_t left = budget - std::min(budget, chosen.size());
  size_t spare = 0;  // what a small class leaves goes to the next
  Random random(seed);
  for (const size_t of : {kLengths, kBlocks, kSparseFlips, kDenseValues, kDenseFlips}) {
    std::vector<Mutant> all = classes.of[of];
    const size_t wanted = left * kShares[of] / 20 + spare;
    const size_t taken = std::min(wanted, all.size());
    spare = wanted - taken;
    for (size_t i = 0; i < taken; ++i) std::swap(all[i], all[i + random.Below(all.size() - i)]);
    chosen.insert(chosen.end(), all.begin(), all.begin() + static_cast<int64_t>(taken));
  }
  return chosen;
}

}  // namespace varve::testing
