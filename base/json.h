// JSON text of metadata: checked, made compact, patched. Thread-safe.
#ifndef VARVE_BASE_JSON_H_
#define VARVE_BASE_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// The object without white space between tokens; number and string spellings stay as given.
// Errors: InvalidArgument if it is not one JSON object in UTF-8, is nested deeper than kMaxJsonDepth (the object itself
// is the first level), is longer than kMaxMetadataBytes, has a number beyond 64-bit integers and doubles (filters could
// not compare it), or an object that has two members of one name (readers would disagree on which counts).
absl::StatusOr<std::string> CompactJsonObject(std::string_view text);

// `target` with `patch` merged in (RFC 7396: members of the patch replace, null removes, objects merge). Both are JSON
// objects; an empty `target` counts as {}. What the patch does not touch keeps its place and spelling; new members
// follow. Errors: those of CompactJsonObject for either, and InvalidArgument if the result is longer than
// kMaxMetadataBytes.
absl::StatusOr<std::string> MergeJsonPatch(std::string_view target, std::string_view patch);

}  // namespace varve

#endif  // VARVE_BASE_JSON_H_
