#include "cli/base64.h"

#include "absl/strings/escaping.h"
#include "base/status.h"

namespace varve::cli {

std::string EncodeBase64(std::string_view bytes) { return absl::Base64Escape(std::string(bytes)); }

absl::StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view name) {
  std::string bytes;
  if (!absl::Base64Unescape(std::string(text), &bytes)) return InvalidArgument(std::string(name) + " is not base64");
  return bytes;
}

}  // namespace varve::cli
