// A limit on the memory that collections hold in proportion to their data: memtables, and what index builds and merges
// work with. Mapped files are not counted: the kernel takes their pages back when it needs them.
//
// One budget may serve many collections (a Database gives its own to all of them). Memtables may fill three eighths of
// it, builds half. The rest is for what is not counted: buffers of files, what the allocator keeps, searches.
#ifndef VARVE_MEMORY_BUDGET_H_
#define VARVE_MEMORY_BUDGET_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace varve {

// Thread-safe. Must outlive the collections that use it.
class MemoryBudget {
 public:
  enum class Use : uint8_t { kMemtables, kBuilds };

  // 0: without a limit; what is used is counted all the same.
  explicit MemoryBudget(size_t limit_bytes);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // SIZE_MAX: without a limit.
  size_t limit() const { return limit_; }
  // How much of it one use may take.
  size_t share(Use use) const;
  size_t used(Use use) const;

  // Takes `bytes` if they fit into the use's share now.
  bool TryTake(Use use, size_t bytes);
  // Takes them even beyond the share: memory that is held already.
  void Take(Use use, size_t bytes);
  void Give(Use use, size_t bytes);

  // Someone who holds memtables and can be asked to let go of them. Called from any thread; must neither wait nor call
  // the budget's methods for holders.
  class Holder {
   public:
    virtual ~Holder() = default;
    virtual size_t MemtableBytes() const = 0;
    // Begins to flush; does not wait for it.
    virtual void RequestFlush() = 0;
  };
  // `holder` stays until it is removed; Remove waits for calls to it that are under way.
  void AddHolder(Holder* holder);
  void RemoveHolder(Holder* holder);
  // Asks the holder of the most memory, other than `but`, to flush. False if that is too little to be worth a flush.
  bool AskLargest(const Holder* but);

 private:
  struct Holders;

  const size_t limit_;
  std::array<std::atomic<size_t>, 2> used_{};
  const std::unique_ptr<Holders> holders_;
};

}  // namespace varve

#endif  // VARVE_MEMORY_BUDGET_H_
