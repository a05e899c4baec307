#include "engine/version/read_view.h"

#include <functional>
#include <set>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace varve {

ViewRegistry::Block::Block(size_t first_number) {
  for (Slot& slot : slots) slot.number = first_number++;
}

ViewRegistry::ViewRegistry(std::unique_ptr<ReadView> first)
    : current_(first.release()), slots_(std::make_unique<Block>(0)) {}

ViewRegistry::~ViewRegistry() {
  delete current_.load();
  for (Block* block = slots_->next.load(); block != nullptr;) delete std::exchange(block, block->next.load());
}

ViewRegistry::Slot* ViewRegistry::AcquireSlot(const ReadView* view) {
  const size_t start = std::hash<std::thread::id>{}(std::this_thread::get_id());
  for (Block* block = slots_.get();;) {
    for (size_t tries = 0; tries < Block::kSlots; ++tries) {
      Slot& slot = block->slots[(start + tries) % Block::kSlots];
      const ReadView* expected = nullptr;
      if (slot.view.load(std::memory_order_relaxed) == nullptr &&
          slot.view.compare_exchange_strong(expected, view, std::memory_order_seq_cst)) {
        return &slot;
      }
    }
    Block* next = block->next.load(std::memory_order_seq_cst);
    if (next == nullptr) {
      auto fresh = std::make_unique<Block>(block->slots.back().number + 1);
      if (block->next.compare_exchange_strong(next, fresh.get(), std::memory_order_seq_cst)) next = fresh.release();
    }
    block = next;
  }
}

// A block that this does not see was added after the view was replaced: its readers notice that, and pin another.
bool ViewRegistry::IsPinned(const ReadView* view) const {
  for (const Block* block = slots_.get(); block != nullptr; block = block->next.load(std::memory_order_seq_cst)) {
    for (const Slot& slot : block->slots) {
      if (slot.view.load(std::memory_order_seq_cst) == view) return true;
    }
  }
  return false;
}

ViewRegistry::Pin ViewRegistry::PinCurrent(const std::atomic<Sequence>& visible) {
  const ReadView* view = current_.load(std::memory_order_seq_cst);
  Slot* const slot = AcquireSlot(view);
  for (;;) {
    // First make sure that the slot protects the view that was loaded, not another one at the same address: from here
    // on the address cannot be used again.
    const ReadView* now = current_.load(std::memory_order_seq_cst);
    if (now != view) {
      view = now;
      slot->view.store(view, std::memory_order_seq_cst);
      continue;
    }
    // A view is installed before any write that needs it becomes visible, so a sequence that was read while this view
    // was current belongs to it.
    const Sequence sequence = visible.load(std::memory_order_seq_cst);
    now = current_.load(std::memory_order_seq_cst);
    if (now == view) {
      Pin pin(this, slot, view);
      pin.point.visible = sequence;
      return pin;
    }
    view = now;
    slot->view.store(view, std::memory_order_seq_cst);
  }
}

ViewRegistry::Pin ViewRegistry::PinHeld(const ReadView* view) { return Pin(this, AcquireSlot(view), view); }

ViewRegistry::Pin::~Pin() {
  if (registry_ == nullptr) return;
  slot_->view.store(nullptr, std::memory_order_release);
}

SearchContext* ViewRegistry::Pin::context() const { return &slot_->context; }

size_t ViewRegistry::Pin::slot() const { return slot_->number; }

std::shared_ptr<const ReadView> ViewRegistry::Hold(const Pin& pin) {
  // Counted while the slot still protects the view.
  auto* view = const_cast<ReadView*>(pin.view_);
  view->holds.fetch_add(1, std::memory_order_relaxed);
  const Sequence sequence = pin.point.visible;
  {
    absl::MutexLock lock(&retired_mutex_);
    held_sequences_.insert(sequence);
  }
  return std::shared_ptr<const ReadView>(view, [this, sequence](const ReadView* held) {
    {
      absl::MutexLock lock(&retired_mutex_);
      held_sequences_.erase(held_sequences_.find(sequence));
    }
    const_cast<ReadView*>(held)->holds.fetch_sub(1, std::memory_order_release);
    Reclaim();
  });
}

void ViewRegistry::Install(std::unique_ptr<ReadView> view) {
  ReadView* old = current_.exchange(view.release(), std::memory_order_seq_cst);
  {
    absl::MutexLock lock(&retired_mutex_);
    retired_.emplace_back(old);
  }
  Reclaim();
}

void ViewRegistry::Reclaim() {
  std::vector<std::unique_ptr<ReadView>> free;  // destroyed outside the lock
  absl::MutexLock lock(&retired_mutex_);
  for (size_t i = 0; i < retired_.size();) {
    const ReadView* view = retired_[i].get();
    bool used = view->holds.load(std::memory_order_acquire) != 0 || IsPinned(view);
    // A slot may have been emptied after its reader took a hold.
    used = used || view->holds.load(std::memory_order_acquire) != 0;
    if (used) {
      ++i;
      continue;
    }
    free.push_back(std::move(retired_[i]));
    retired_[i] = std::move(retired_.back());
    retired_.pop_back();
  }
}

size_t ViewRegistry::retired() const {
  absl::MutexLock lock(&retired_mutex_);
  return retired_.size();
}

HeldResources ViewRegistry::Held(const Pin& current) const {
  // What was counted, or must not be.
  std::set<const void*> seen;
  for (const std::shared_ptr<Memtable>& memtable : current.view().memtables) seen.insert(memtable.get());
  for (const SegmentPart& part : current.view().segments) seen.insert(part.handle.get());
  HeldResources held;
  absl::MutexLock lock(&retired_mutex_);
  held.snapshots = held_sequences_.size();
  if (!held_sequences_.empty()) held.oldest_sequence = *held_sequences_.begin();
  for (const std::unique_ptr<ReadView>& view : retired_) {
    for (const std::shared_ptr<Memtable>& memtable : view->memtables) {
      if (seen.insert(memtable.get()).second) held.memory_bytes += memtable->bytes();
    }
    for (const SegmentPart& part : view->segments) {
      if (!seen.insert(part.handle.get()).second) continue;
      ++held.segments;
      held.segment_bytes += part.entry.bytes();
    }
  }
  return held;
}

absl::StatusOr<SlotFilter> MakeSlotFilter(const SegmentPart& part, const ReadPoint& point, RowId first, RowId last) {
  SlotFilter filter;
  filter.rows = part.handle->rows();
  filter.dead = part.dead.get();
  filter.deaths = part.deaths->empty() ? nullptr : part.deaths.get();
  filter.visible = point.visible;
  filter.now_ms = point.now_ms;
  filter.first_row = first;
  filter.last_row = part.IsAfter(point.visible) ? first : last;
  ASSIGN_OR_RETURN(filter.expiry, part.segment().Expiry());
  return filter;
}

}  // namespace varve
