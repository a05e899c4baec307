// verify: one segment file.
#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "engine/admin/verify_segments.h"
#include "index/index_registry.h"
#include "segment/segment_footer.h"
#include "segment/segment_head.h"

namespace varve {
namespace {

// Reads the two ends of the file, which opening touches through the mapping: a bad sector is an entry in the report and
// not a signal. The rest is read so by Segment::VerifyAll.
absl::Status ReadEnds(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(path));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string buffer(kMaxSegmentHeaderBytes + SegmentFooter::kEncodedBytes, '\0');
  RETURN_IF_ERROR(file->Read(0, kSegmentHeadBytes, buffer.data()).status());
  return file->Read(size - std::min<uint64_t>(size, buffer.size()), buffer.size(), buffer.data()).status();
}

// Whether a float of `exponent_bits` exponent bits above `mantissa_bits` is infinite or no number.
template <typename Bits>
bool HasNonFinite(std::string_view vectors, int mantissa_bits, int exponent_bits) {
  const Bits mask = static_cast<Bits>(((Bits{1} << exponent_bits) - 1) << mantissa_bits);
  for (size_t i = 0; i + sizeof(Bits) <= vectors.size(); i += sizeof(Bits)) {
    if ((LoadUnaligned<Bits>(vectors.data() + i) & mask) == mask) return true;
  }
  return false;
}

bool HasNonFinite(std::string_view vectors, ElementType element) {
  switch (element) {
    case ElementType::kF32:
      return HasNonFinite<uint32_t>(vectors, 23, 8);
    case ElementType::kF16:
      return HasNonFinite<uint16_t>(vectors, 10, 5);
    case ElementType::kBF16:
      return HasNonFinite<uint16_t>(vectors, 7, 8);
    case ElementType::kI8:
    case ElementType::kU8:
    case ElementType::kBits:
      return false;
  }
  return false;
}

class SegmentFileVerifier {
 public:
  SegmentFileVerifier(VerifyRun* run, const std::string& name, const Segment& segment)
      : run_(run), name_(name), segment_(segment), header_(segment.header()) {}

  void Verify() {
    std::vector<Segment::Damage> damage;
    segment_.VerifyAll(&damage);
    for (const Segment::Damage& one : damage) run_->AddDamage(name_, one.offset, one.section, one.what);
    // What an index would say of bytes that are not what was written is noise, and touching them may be fatal.
    if (!damage.empty()) return;
    for (const pb::FieldIndex& field : header_.fields()) VerifyField(field);
  }

 private:
  // The field as the segment's own schema has it; null if it has no such field.
  const pb::Field* SchemaField(FieldId id) const {
    for (const pb::Field& field : header_.schema().fields()) {
      if (field.id() == id) return &field;
    }
    return nullptr;
  }

  void VerifyField(const pb::FieldIndex& index) {
    const pb::Field* field = SchemaField(index.field_id());
    const std::string what = "field " + std::to_string(index.field_id());
    if (field == nullptr || field->dimension() != index.dimension() || index.dimension() == 0 ||
        index.dimension() > kMaxDimension || !pb::Metric_IsValid(field->metric()) ||
        !pb::ElementType_IsValid(field->element()) || index.slots() > kMaxRowsPerSegment) {
      run_->AddDamage(name_, 0, "header", what + " is not one of the segment's schema");
      return;
    }
    const absl::StatusOr<const FieldIndexFactory*> factory =
        FindIndexFactory(static_cast<IndexType>(index.index_type()));
    if (!factory.ok()) {
      run_->AddDamage(name_, 0, "header", what + ": " + std::string(factory.status().message()));
      return;
    }
    const VectorShape shape{index.dimension(), static_cast<Metric>(field->metric()),
                            static_cast<ElementType>(field->element())};
    ParamMap params;
    for (const pb::Parameter& param : index.params()) params.emplace(param.name(), param.value());
    std::vector<IndexDamage> damage;
    const SectionSource& sections = segment_.FieldSections(index.field_id());
    (*factory)->Verify(sections, shape, static_cast<uint32_t>(index.slots()), params, run_->deep(), &damage);
    for (const IndexDamage& one : damage) {
      run_->AddDamage(name_, sections.Find(one.section).file_offset() + one.offset, SectionKindName(one.section),
                      what + ": " + one.what);
    }
    const SectionView vectors = sections.Find(SectionKind::kVectors);
    if (vectors.present() && HasNonFinite(AsChars(vectors.bytes()), shape.element)) {
      run_->AddWarning(name_, what + " has vectors with components that are not finite");
    }
  }

  VerifyRun* const run_;
  const std::string& name_;
  const Segment& segment_;
  const pb::SegmentHeader& header_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Segment>> OpenSegmentFile(VerifyRun* run, const std::string& name,
                                                               const std::optional<SegmentExpectation>& expected) {
  const std::string path = run->PathOf(name);
  RETURN_IF_ERROR(ReadEnds(run->fs(), path));
  return Segment::Open(run->fs(), path, expected, VerifyChecksums::kOnTouch, IoMode::kMapped);
}

void VerifySegment(VerifyRun* run, const std::string& name, const Segment& segment) {
  SegmentFileVerifier(run, name, segment).Verify();
}

absl::Status VerifySegmentFile(VerifyRun* run, const std::string& name) {
  run->CountFile(name);
  const absl::StatusOr<std::shared_ptr<const Segment>> segment = OpenSegmentFile(run, name, std::nullopt);
  if (!segment.ok()) return run->AddStatus(name, segment.status());
  VerifySegment(run, name, **segment);
  return absl::OkStatus();
}

}  // namespace varve
