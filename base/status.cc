#include "base/status.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace varve {
namespace {

constexpr size_t kMaxQuotedBytes = 64;

// Debian's absl::string_view is a type of its own; where it is std::string_view this is a copy.
absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::StatusCode CodeOfErrno(int error, bool reading) {
  switch (error) {
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EIO:
    case EISDIR:  // where bytes should be read, something else stands
      return reading ? absl::StatusCode::kDataLoss : absl::StatusCode::kInternal;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status InvalidArgument(std::string_view message) { return absl::InvalidArgumentError(View(message)); }
absl::Status NotFound(std::string_view message) { return absl::NotFoundError(View(message)); }
absl::Status AlreadyExists(std::string_view message) { return absl::AlreadyExistsError(View(message)); }
absl::Status Aborted(std::string_view message) { return absl::AbortedError(View(message)); }
absl::Status FailedPrecondition(std::string_view message) { return absl::FailedPreconditionError(View(message)); }
absl::Status ResourceExhausted(std::string_view message) { return absl::ResourceExhaustedError(View(message)); }
absl::Status Unavailable(std::string_view message) { return absl::UnavailableError(View(message)); }
absl::Status Unimplemented(std::string_view message) { return absl::UnimplementedError(View(message)); }
absl::Status Internal(std::string_view message) { return absl::InternalError(View(message)); }
absl::Status Cancelled(std::string_view message) { return absl::CancelledError(View(message)); }
absl::Status DataLoss(std::string_view message) { return absl::DataLossError(View(message)); }

absl::Status DataLossAt(std::string_view file, uint64_t offset, std::string_view what) {
  return DataLoss(std::string(file) + ": at offset " + std::to_string(offset) + ": " + std::string(what));
}

absl::Status ErrnoStatus(int error, std::string_view call, std::string_view path, bool reading) {
  const std::string message =
      std::string(call) + " " + std::string(path) + ": " + std::generic_category().message(error);
  return absl::Status(CodeOfErrno(error, reading), View(message));
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  const std::string message = std::string(context) + ": " + std::string(status.message());
  absl::Status annotated(status.code(), View(message));
  status.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { annotated.SetPayload(type, payload); });
  return annotated;
}

std::string Quoted(std::string_view bytes) {
  static constexpr char kHexDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : bytes.substr(0, kMaxQuotedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte >= 0x7F) {
      quoted += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  if (bytes.size() > kMaxQuotedBytes) quoted += "... (" + std::to_string(bytes.size()) + " bytes)";
  return quoted;
}

}  // namespace varve
