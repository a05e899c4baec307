// What a reader sees, and how it holds on to it.
//
// A ReadView is the list of parts of one moment: the memtables and the segments, each segment with its deletion bitmap
// and the overlay of deaths since. It never changes (overlays and the newest memtable only grow, above the reader's
// visible sequence). ViewRegistry installs a new view in the place of the old one and lets readers pin the current one
// without locks: each reader announces the view that it uses in a slot of its own (a hazard pointer: Michael, "Hazard
// Pointers: Safe Memory Reclamation for Lock-Free Objects", TPDS 2004), and a replaced view is freed once no slot names
// it.
#ifndef VARVE_ENGINE_VERSION_READ_VIEW_H_
#define VARVE_ENGINE_VERSION_READ_VIEW_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/row_deaths.h"
#include "base/row_set.h"
#include "engine/version/segment_handle.h"
#include "engine/write/memtable.h"
#include "index/search_context.h"
#include "index/slot_filter.h"
#include "manifest.pb.h"
#include "varve/types.h"

namespace varve {

// One segment as a view sees it.
struct SegmentPart {
  std::shared_ptr<const SegmentHandle> handle;
  pb::SegmentEntry entry;              // as in the manifest of this view
  std::shared_ptr<const RowSet> dead;  // as of the last publication; null: none
  std::shared_ptr<RowDeaths> deaths;   // since then; never null

  const Segment& segment() const { return handle->segment(); }
  // Whether the rows came as one, by a bulk load, after `visible`. Other segments have only rows that all readers of
  // their views see.
  bool IsAfter(Sequence visible) const { return entry.ingest_sequence() > visible; }
  bool IsDead(RowId row, Sequence visible) const {
    return IsAfter(visible) || (dead != nullptr && dead->Contains(row)) || deaths->IsDead(row, visible);
  }
};

struct ReadView {
  std::vector<std::shared_ptr<Memtable>> memtables;  // newest first; [0] takes the writes
  std::vector<SegmentPart> segments;                 // oldest first
  std::atomic<int> holds{0};                         // snapshots and long readers
};

// What is kept only because snapshots and readers of replaced views use it.
struct HeldResources {
  uint64_t snapshots = 0;        // long holds, of any view
  Sequence oldest_sequence = 0;  // of them; 0: none
  uint64_t memory_bytes = 0;     // memtables that the current view no longer has
  uint64_t segments = 0;         // that the current view no longer has
  uint64_t segment_bytes = 0;
};

// The clock reading and sequence with which a view is read.
struct ReadPoint {
  Sequence visible = 0;
  int64_t now_ms = 0;
};

class ViewRegistry {
  struct Slot;

 public:
  explicit ViewRegistry(std::unique_ptr<ReadView> first);
  ~ViewRegistry();

  // A short pin: for one search, Get or Scan. Movable, not copyable.
  class Pin {
   public:
    Pin(Pin&& other) noexcept : registry_(other.registry_), slot_(other.slot_), view_(other.view_) {
      point = other.point;
      other.registry_ = nullptr;
    }
    Pin& operator=(Pin&&) = delete;
    ~Pin();
    const ReadView& view() const { return *view_; }
    // Scratch memory that no other pin uses meanwhile.
    SearchContext* context() const;
    // Differs between pins that live at once.
    size_t slot() const;
    ReadPoint point;

   private:
    friend class ViewRegistry;
    Pin(ViewRegistry* registry, Slot* slot, const ReadView* view) : registry_(registry), slot_(slot), view_(view) {}
    ViewRegistry* registry_;
    Slot* slot_;
    const ReadView* view_;
  };

  // Pins the current view together with a visible sequence that belongs to it. `visible` is the engine's counter.
  // Lock-free. There may be any number of pins at once.
  Pin PinCurrent(const std::atomic<Sequence>& visible);
  // A pin of a view that is held (a snapshot's).
  Pin PinHeld(const ReadView* view);

  // A long hold: keeps the pinned view for as long as the result lives.
  std::shared_ptr<const ReadView> Hold(const Pin& pin);

  // The current view. Only for the thread that installs views.
  ReadView* current() const { return current_.load(std::memory_order_relaxed); }
  // Replaces the current view. One thread at a time.
  void Install(std::unique_ptr<ReadView> view);
  // Frees replaced views that nobody uses any more.
  void Reclaim();
  // Views that are kept only because someone reads them.
  size_t retired() const;
  // `current` is the pinned current view.
  HeldResources Held(const Pin& current) const;

 private:
  struct alignas(64) Slot {
    std::atomic<const ReadView*> view{nullptr};
    size_t number = 0;
    SearchContext context;
  };
  // Another block is added, and stays, when more readers come at once than there are slots: one that waited for a slot
  // might wait for itself, in a scan that searches.
  struct Block {
    static constexpr size_t kSlots = 256;
    explicit Block(size_t first_number);
    std::array<Slot, kSlots> slots;
    std::atomic<Block*> next{nullptr};
  };

  Slot* AcquireSlot(const ReadView* view);
  bool IsPinned(const ReadView* view) const;

  std::atomic<ReadView*> current_;
  const std::unique_ptr<Block> slots_;
  mutable absl::Mutex retired_mutex_;
  std::vector<std::unique_ptr<ReadView>> retired_ ABSL_GUARDED_BY(retired_mutex_);
  std::multiset<Sequence> held_sequences_ ABSL_GUARDED_BY(retired_mutex_);  // of the long holds
};

// The filter of one segment's field for a reader at `point`; rows of [first, last) alone.
absl::StatusOr<SlotFilter> MakeSlotFilter(const SegmentPart& part, const ReadPoint& point, RowId first, RowId last);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_READ_VIEW_H_
