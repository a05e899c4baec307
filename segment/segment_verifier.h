// The full check of a segment file: reads every byte with read calls (so that a bad sector is a finding and not a
// signal), compares all checksums, then checks the structure of every section that the segment itself understands.
// Index sections are checked by their index types. Thread-safe: a free function.
#ifndef VARVE_SEGMENT_SEGMENT_VERIFIER_H_
#define VARVE_SEGMENT_SEGMENT_VERIFIER_H_

#include <vector>

#include "segment/mapped_segment.h"

namespace varve {

// Adds a line per damage found to `damage`, at most kMaxFindingsPerSection for one section, and goes on. The structure
// of a section is checked only where its bytes are what was written. Costs one pass over the file, and one over keys
// and documents. Blocks.
inline constexpr int kMaxFindingsPerSection = 16;
void VerifySegment(const MappedSegment& segment, std::vector<Segment::Damage>* damage);

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_VERIFIER_H_
