// Everything that a segment file answers, as bytes to compare. Thread-safe: free functions.
#ifndef VARVE_TESTS_DAMAGE_ROW_READER_H_
#define VARVE_TESTS_DAMAGE_ROW_READER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "segment/segment.h"
#include "varve/schema.h"

namespace varve::testing {

// Opens the segment and asks it for all that there is: keys, look-ups of present and absent ones, sequences, times,
// expiry, documents, vectors, searches of each field. The first failure ends it.
absl::StatusOr<std::string> ReadWholeSegment(FileSystem* fs, const std::string& path,
                                             const std::optional<SegmentExpectation>& expected, const Schema& schema);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_ROW_READER_H_
