// JSON text of metadata: checked, made compact, patched. Thread-safe.
#ifndef VARVE_BASE_JSON_H_
#define VARVE_BASE_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// The object without white space between tokens; number and string spellings stay as given.
// Errors: InvalidArgument if it is not one JSON object, is nested deeper than kMaxJsonDepth or longer than
// kMaxMetadataBytes.
absl::StatusOr<std::string> CompactJsonObject(std::string_view text);

// `target` with `patch` merged in (RFC 7396: members of the patch replace, null removes, objects merge). Both are JSON
// objects; an empty `target` counts as {}.
absl::StatusOr<std::string> MergeJsonPatch(std::string_view target, std::string_view patch);

}  // namespace varve

#endif  // VARVE_BASE_JSON_H_
