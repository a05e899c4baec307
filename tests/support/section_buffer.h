// Sections in memory: a SectionSink that keeps what is written, and gives it back as views. For tests of what is stored
// in sections, without a segment file. Thread-compatible.
#ifndef VARVE_TESTS_SUPPORT_SECTION_BUFFER_H_
#define VARVE_TESTS_SUPPORT_SECTION_BUFFER_H_

#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "segment/section.h"

namespace varve::testing {

class SectionBuffer final : public SectionSink, public SectionSource {
 public:
  absl::Status BeginSection(SectionKind kind, const ParamMap& params) override {
    current_ = &sections_[kind];
    *current_ = {};
    current_->params = params;
    return absl::OkStatus();
  }
  absl::Status Append(absl::Span<const std::byte> bytes) override {
    current_->bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return absl::OkStatus();
  }

  // The bytes of a section, to look at and to damage. Requires: it was written.
  std::string& bytes(SectionKind kind) { return sections_.at(kind).bytes; }
  void Remove(SectionKind kind) { sections_.erase(kind); }

  // A view of a copy that is aligned as in a file and ends where it says, so that a read beyond it is found.
  SectionView Find(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    if (found == sections_.end()) return SectionView();
    const std::string& bytes = found->second.bytes;
    Copy copy(static_cast<std::byte*>(::operator new[](bytes.size() + 1, std::align_val_t{64})));
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    const absl::Span<const std::byte> span(copy.get(), bytes.size());
    copies_.push_back(std::move(copy));
    return SectionView(span, /*file_offset=*/4096, /*verifier=*/nullptr, &name_, kind);
  }
  ParamMap Params(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    return found == sections_.end() ? ParamMap() : found->second.params;
  }

 private:
  struct Section {
    std::string bytes;
    ParamMap params;
  };
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{64}); }
  };
  using Copy = std::unique_ptr<std::byte[], Free>;

  const std::string name_ = "buffer.vcnt";
  std::map<SectionKind, Section> sections_;
  Section* current_ = nullptr;
  mutable std::vector<Copy> copies_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_SECTION_BUFFER_H_
