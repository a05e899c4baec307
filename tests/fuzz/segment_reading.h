// Reads everything of a segment through its readers, and searches its indexes.
#ifndef VARVE_TESTS_FUZZ_SEGMENT_READING_H_
#define VARVE_TESTS_FUZZ_SEGMENT_READING_H_

#include <string>

#include "absl/status/status.h"
#include "segment/segment.h"

namespace varve::fuzz {

struct SegmentReading {
  absl::Status first_error;
  std::string answers;  // all that was read, to be compared
};

// Of at most some thousand rows. Ends the process where answers contradict each other, though all were given.
SegmentReading ReadSegment(const Segment& segment);

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_SEGMENT_READING_H_
