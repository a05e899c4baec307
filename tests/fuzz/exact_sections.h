// Sections in memory whose bytes are allocations of their own, so that the sanitizer sees a read beyond them.
// Thread-compatible.
#ifndef VARVE_TESTS_FUZZ_EXACT_SECTIONS_H_
#define VARVE_TESTS_FUZZ_EXACT_SECTIONS_H_

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/aligned_bytes.h"
#include "segment/section.h"

namespace varve::fuzz {

class ExactSections final : public SectionSink, public SectionSource {
 public:
  void Set(SectionKind kind, std::string_view bytes, const ParamMap& params = {}) {
    Section section{AllocateAligned(bytes.size()), bytes.size(), params};
    if (!bytes.empty()) std::memcpy(section.bytes.get(), bytes.data(), bytes.size());
    sections_[kind] = std::move(section);
  }
  std::string_view Bytes(SectionKind kind) const {
    const auto found = sections_.find(kind);
    if (found == sections_.end()) return {};
    return {reinterpret_cast<const char*>(found->second.bytes.get()), found->second.size};
  }

  absl::Status BeginSection(SectionKind kind, const ParamMap& params) override {
    Set(kind, {}, params);
    current_ = kind;
    return absl::OkStatus();
  }
  absl::Status Append(absl::Span<const std::byte> bytes) override {
    std::string all(Bytes(current_));
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    Set(current_, all, Params(current_));
    return absl::OkStatus();
  }
  SectionView Find(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    if (found == sections_.end()) return {};
    return SectionView({found->second.bytes.get(), found->second.size}, /*file_offset=*/0, /*verifier=*/nullptr, &name_,
                       kind);
  }
  ParamMap Params(SectionKind kind) const override {
    const auto found = sections_.find(kind);
    return found == sections_.end() ? ParamMap() : found->second.params;
  }

 private:
  struct Section {
    AlignedBytes bytes;
    size_t size = 0;
    ParamMap params;
  };
  const std::string name_ = "fuzz.vcnt";
  std::map<SectionKind, Section> sections_;
  SectionKind current_ = SectionKind::kIds;
};

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_EXACT_SECTIONS_H_
