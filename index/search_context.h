// Scratch memory and counters of one thread's searches: kept between searches so that none allocates. Index types keep
// their own scratch in it by deriving from Scratch. Thread-compatible: one per thread.
#ifndef VARVE_INDEX_SEARCH_CONTEXT_H_
#define VARVE_INDEX_SEARCH_CONTEXT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/cancellation.h"
#include "varve/types.h"

namespace varve {

// What a search cost.
struct SearchWork {
  uint64_t distances = 0;      // vectors compared
  uint64_t nodes_visited = 0;  // graph nodes expanded, lists scanned
};

class SearchContext {
 public:
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };

  SearchWork work;
  // Looked at now and then; null: the search always ends by itself.
  const Cancellation* cancellation = nullptr;

  // The scratch object of an index type, made at its first use. Slots are numbered by IndexType, so that two types
  // never share one.
  template <typename T>
  T* GetScratch(IndexType type) {
    std::unique_ptr<Scratch>& slot = scratch_[static_cast<size_t>(type)];
    if (slot == nullptr) slot = std::make_unique<T>();
    return static_cast<T*>(slot.get());
  }

 private:
  std::unique_ptr<Scratch> scratch_[8];
};

}  // namespace varve

#endif  // VARVE_INDEX_SEARCH_CONTEXT_H_
