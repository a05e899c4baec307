// Shows the structure of a segment to people. Thread-safe: a free function.
#ifndef VARVE_SEGMENT_SEGMENT_DUMP_H_
#define VARVE_SEGMENT_SEGMENT_DUMP_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/file_system.h"

namespace varve {

// One JSON object: "footer", "header" (with the section directory), "head" and the first keys. Opens the file, so that
// what is shown has passed the checks of opening; the key table is checked as far as it is read. Errors: those of
// Segment::Open.
absl::StatusOr<std::string> DumpSegment(FileSystem* fs, const std::string& path);

}  // namespace varve

#endif  // VARVE_SEGMENT_SEGMENT_DUMP_H_
