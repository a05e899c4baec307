#include "wal/read_window.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/status.h"

namespace varve {

absl::StatusOr<ReadWindow> ReadWindow::Open(std::unique_ptr<RandomAccessFile> file) {
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  return ReadWindow(std::move(file), size);
}

absl::StatusOr<size_t> ReadWindow::ReadInto(uint64_t offset, size_t length, char* target) {
  ASSIGN_OR_RETURN(const size_t count, file_->Read(offset, length, target));
  if (count < length) size_ = std::min(size_, offset + count);
  return count;
}

absl::Status ReadWindow::Fill(uint64_t offset, size_t needed) {
  const size_t ahead = std::min<uint64_t>(kReadWindowBytes, size_ - offset);
  if (buffer_.size() < ahead) buffer_.resize(ahead);
  filled_ = 0;
  start_ = offset;
  absl::StatusOr<size_t> count = ReadInto(offset, ahead, buffer_.data());
  // One bad sector further on must not hide the good ones before it.
  if (!count.ok() && absl::IsDataLoss(count.status()) && needed < ahead) {
    count = ReadInto(offset, needed, buffer_.data());
  }
  if (!count.ok()) return count.status();
  filled_ = *count;
  return absl::OkStatus();
}

std::string_view ReadWindow::Buffered(uint64_t offset, size_t length) const {
  if (offset < start_ || offset - start_ >= filled_) return {};
  return std::string_view(buffer_).substr(offset - start_, std::min<uint64_t>(length, filled_ - (offset - start_)));
}

absl::StatusOr<std::string_view> ReadWindow::View(uint64_t offset, size_t length) {
  VARVE_CHECK(length <= kReadWindowBytes);
  if (offset >= size_) return std::string_view();
  const size_t wanted = std::min<uint64_t>(length, size_ - offset);
  if (const std::string_view bytes = Buffered(offset, wanted); bytes.size() == wanted) return bytes;
  RETURN_IF_ERROR(Fill(offset, wanted));
  return Buffered(offset, wanted);
}

absl::StatusOr<std::string> ReadWindow::Copy(uint64_t offset, uint64_t length) {
  if (offset >= size_) return std::string();
  length = std::min(length, size_ - offset);
  if (length <= kReadWindowBytes) {
    ASSIGN_OR_RETURN(const std::string_view bytes, View(offset, length));
    return std::string(bytes);
  }
  std::string copy(length, '\0');
  const std::string_view front = Buffered(offset, length);
  std::copy(front.begin(), front.end(), copy.begin());
  ASSIGN_OR_RETURN(const size_t count,
                   ReadInto(offset + front.size(), length - front.size(), copy.data() + front.size()));
  copy.resize(front.size() + count);
  return copy;
}

absl::StatusOr<bool> ReadWindow::IsZeroFrom(uint64_t offset) {
  constexpr size_t kStep = 64u << 10;
  while (offset < size_) {
    ASSIGN_OR_RETURN(const std::string_view bytes, View(offset, kStep));
    if (!IsAllZeros(bytes)) return false;
    offset += bytes.size();
  }
  return true;
}

bool IsAllZeros(std::string_view bytes) {
  // Each byte equals its neighbour, and the first is zero: memcmp is the fastest loop there is.
  return bytes.empty() || (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace varve
