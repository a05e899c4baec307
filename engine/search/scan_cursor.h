// The opaque text in which a scan keeps its place between two pages.
//
// Hex digits of: version (u8), CRC-32C of the request's bounds (u32), namespace and key of the last record (each a
// varint length and bytes); then the CRC-32C of those digits. Printable, so that it can travel through anything;
// checked, since it comes back from outside. Pure functions; thread-safe.
#ifndef VARVE_ENGINE_SEARCH_SCAN_CURSOR_H_
#define VARVE_ENGINE_SEARCH_SCAN_CURSOR_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/collection.h"

namespace varve {

// Only the bounds of `request` count: its cursor, limit and keys_only may differ from page to page.
std::string EncodeScanCursor(const ScanRequest& request, const RecordPlace& last);

// The place that request.cursor holds. Errors: InvalidArgument if it is damaged, or was made for other bounds.
absl::StatusOr<RecordPlace> DecodeScanCursor(const ScanRequest& request);

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_SCAN_CURSOR_H_
