// A segment with every kind of row and section, for tests: made from a seed, written, and compared with what is read.
// Thread-compatible.
#ifndef VARVE_TESTS_SUPPORT_SAMPLE_SEGMENT_H_
#define VARVE_TESTS_SUPPORT_SAMPLE_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "segment/segment.h"
#include "segment/segment_writer.h"
#include "varve/file_system.h"

namespace varve::testing {

struct SampleRow {
  std::string ns;
  std::string key;
  Sequence sequence = 0;
  int64_t created_at_us = 0;
  int64_t updated_at_us = 0;
  int64_t expires_at_ms = kNeverExpires;
  std::string metadata;
  std::string payload;
  std::vector<std::string> vectors;  // per field of SampleFields: its vectors' bytes, one behind the other

  SegmentRow AsSegmentRow() const;
};

// Which parts a sample has.
struct SampleShape {
  uint32_t rows = 100;
  bool expiry = true;
  bool documents = true;
  bool fields = true;
};

struct SampleSegment {
  Uuid collection;
  FileId id = 0;
  pb::Schema schema;
  std::vector<SampleRow> rows;  // sorted
  std::string graph;            // opaque section bytes of the fields
  std::string terms;
  std::string postings;
};

// Fields of a sample: 1 dense cosine f32 x 4, absent from some rows; 2 multi-vector u8 x 3, 0 to 3 vectors per row; 3
// dense l2 f32 x 2 in every row; 4 dense, in no row; 5 text, with opaque sections.
inline constexpr FieldId kSparseField = 1;
inline constexpr FieldId kMultiField = 2;
inline constexpr FieldId kFullField = 3;
inline constexpr FieldId kEmptyField = 4;
inline constexpr FieldId kTextField = 5;

SampleSegment MakeSample(uint64_t seed, const SampleShape& shape);
absl::StatusOr<FinishedSegment> WriteSample(FileSystem* fs, const std::string& path, const SampleSegment& sample);
SegmentExpectation ExpectationOf(const SampleSegment& sample, const FinishedSegment& finished);

// What reading everything through the accessors gave.
struct ReadReport {
  uint64_t answers = 0;            // right ones
  std::vector<std::string> wrong;  // answers that differ from the sample
  std::vector<absl::Status> errors;
};
ReadReport ReadEverything(const Segment& segment, const SampleSegment& sample);

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_SAMPLE_SEGMENT_H_
