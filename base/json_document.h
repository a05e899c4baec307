// JSON text parsed by simdjson, with the limits and errors of Varve.
#ifndef VARVE_BASE_JSON_DOCUMENT_H_
#define VARVE_BASE_JSON_DOCUMENT_H_

#include <simdjson.h>

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// `root` is valid until `parser` is used again. Errors: InvalidArgument if `text` is not one JSON value in UTF-8, nests
// containers deeper than `max_depth`, or has a number beyond 64-bit integers and doubles; ResourceExhausted.
absl::Status ParseJsonDocument(std::string_view text, size_t max_depth, simdjson::dom::parser* parser,
                               simdjson::dom::element* root);

}  // namespace varve

#endif  // VARVE_BASE_JSON_DOCUMENT_H_
