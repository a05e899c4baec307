// Sections in memory, as a sink to build into and a source to open from: for tests, tools and benchmarks that need no
// segment file.
#ifndef VARVE_INDEX_SECTION_BUFFERS_H_
#define VARVE_INDEX_SECTION_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/status.h"
#include "segment/section.h"

namespace varve {

// Thread-compatible.
class SectionBuffers final : public SectionSink, public SectionSource {
 public:
  // Sections are aligned to a page, as in a segment.
  static constexpr size_t kAlignment = 4096;

  absl::Status BeginSection(SectionKind kind, const ParamMap& params) override {
    current_ = &sections_[kind];
    current_->size = 0;
    current_->params = params;
    return absl::OkStatus();
  }
  absl::Status Append(absl::Span<const std::byte> bytes) override {
    if (current_ == nullptr) return FailedPrecondition("Append before BeginSection");
    current_->Append(bytes);
    return absl::OkStatus();
  }

  SectionView Find(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    if (found == sections_.end()) return {};
    return SectionView({found->second.data.get(), found->second.size}, /*file_offset=*/0, verifier_, &name_, kind);
  }
  ParamMap Params(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    return found == sections_.end() ? ParamMap() : found->second.params;
  }

  // Asks `verifier`, whose offsets are the section's own, about every block that is read.
  void SetVerifier(const BlockVerifier* verifier) { verifier_ = verifier; }
  // The bytes of a section that is there, to be changed.
  absl::Span<std::byte> MutableBytes(SectionKind kind) {
    Section& section = sections_.at(kind);
    return {section.data.get(), section.size};
  }
  void Remove(SectionKind kind) { sections_.erase(kind); }
  // Shortens or lengthens (by zeros) a section that is there.
  void Resize(SectionKind kind, size_t size) { sections_.at(kind).Resize(size); }

 private:
  struct AlignedDelete {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{kAlignment}); }
  };

  struct Section {
    void Append(absl::Span<const std::byte> bytes) {
      const size_t at = size;
      Resize(size + bytes.size());
      if (!bytes.empty()) std::memcpy(data.get() + at, bytes.data(), bytes.size());
    }
    void Resize(size_t new_size) {
      if (new_size > capacity || data == nullptr) {
        capacity = new_size + new_size / 2 + 1;
        std::unique_ptr<std::byte[], AlignedDelete> larger(new (std::align_val_t{kAlignment}) std::byte[capacity]);
        if (size > 0) std::memcpy(larger.get(), data.get(), size);
        data = std::move(larger);
      }
      if (new_size > size) std::memset(data.get() + size, 0, new_size - size);
      size = new_size;
    }

    std::unique_ptr<std::byte[], AlignedDelete> data;
    size_t size = 0;
    size_t capacity = 0;
    ParamMap params;
  };

  std::map<SectionKind, Section> sections_;
  Section* current_ = nullptr;
  const BlockVerifier* verifier_ = nullptr;
  std::string name_ = "memory";
};

}  // namespace varve

#endif  // VARVE_INDEX_SECTION_BUFFERS_H_
