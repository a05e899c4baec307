#include "base/memory_inode.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace varve {

uint64_t MemoryBytes::size() const {
  absl::ReaderMutexLock lock(&mutex_);
  return size_;
}

bool MemoryBytes::Write(uint64_t offset, std::string_view data) {
  if (data.empty()) return true;
  absl::MutexLock lock(&mutex_);
  uint64_t end = 0;
  if (!CheckedAdd(offset, data.size(), &end)) return false;
  if (end > capacity_ || std::min(offset, size_) < shared_) {
    const uint64_t capacity = end > capacity_ ? std::max(AlignUp(end, 4096), capacity_ * 2) : capacity_;
    AlignedBytes larger = AllocateAligned(capacity);
    if (larger == nullptr) return false;
    if (size_ != 0) std::memcpy(larger.get(), memory_.get(), size_);
    const AlignedDelete free = larger.get_deleter();
    memory_ = std::shared_ptr<std::byte>(larger.release(), free);
    capacity_ = capacity;
    shared_ = 0;
  }
  if (offset > size_) std::memset(memory_.get() + size_, 0, offset - size_);  // another writer cut the file: a hole
  std::memcpy(memory_.get() + offset, data.data(), data.size());
  size_ = std::max(size_, end);
  return true;
}

void MemoryBytes::Truncate(uint64_t length) {
  absl::MutexLock lock(&mutex_);
  size_ = std::min(size_, length);
}

size_t MemoryBytes::Read(uint64_t offset, size_t length, char* buffer) const {
  absl::ReaderMutexLock lock(&mutex_);
  if (offset >= size_) return 0;
  const size_t count = std::min<uint64_t>(length, size_ - offset);
  std::memcpy(buffer, memory_.get() + offset, count);
  return count;
}

MemoryBytes::View MemoryBytes::Share() {
  absl::MutexLock lock(&mutex_);
  shared_ = std::max(shared_, size_);
  return {memory_, size_};
}

std::string MemoryBytes::ToString() const {
  absl::ReaderMutexLock lock(&mutex_);
  return size_ == 0 ? std::string() : std::string(reinterpret_cast<const char*>(memory_.get()), size_);
}

}  // namespace varve
