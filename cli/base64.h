// Bytes that are not text, in JSON and on the command line (RFC 4648, with padding). Pure functions.
#ifndef VARVE_CLI_BASE64_H_
#define VARVE_CLI_BASE64_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve::cli {

std::string EncodeBase64(std::string_view bytes);

// Errors: InvalidArgument that begins with `name`.
absl::StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view name);

}  // namespace varve::cli

#endif  // VARVE_CLI_BASE64_H_
