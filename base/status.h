// Builders for the errors that Varve uses, and macros to pass them on.
//
// One meaning per code:
//   InvalidArgument     the caller's input is wrong; nothing changed
//   NotFound            the key, field, file or collection is not there
//   AlreadyExists       Insert of a key that is there; create over a collection
//   Aborted             a condition (compare-and-set) did not hold
//   FailedPrecondition  wrong state: poisoned, read-only, locked by another process, not a collection
//   ResourceExhausted   disk, descriptors, memory, or a limit
//   DataLoss            bytes are not what was written
//   Unavailable         not now: a busy writer; try again
//   Unimplemented       a newer format, or a type not built
//   PermissionDenied    the operating system refuses
//   Cancelled, DeadlineExceeded   the caller's or the job's own wish
//   Internal            a failed system call of no other meaning, or a broken invariant
//
// Messages read: what happened: where (file, section, offset, key): what was expected.
#ifndef VARVE_BASE_STATUS_H_
#define VARVE_BASE_STATUS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace varve {

absl::Status InvalidArgument(std::string_view message);
absl::Status NotFound(std::string_view message);
absl::Status AlreadyExists(std::string_view message);
absl::Status Aborted(std::string_view message);
absl::Status FailedPrecondition(std::string_view message);
absl::Status ResourceExhausted(std::string_view message);
absl::Status Unavailable(std::string_view message);
absl::Status Unimplemented(std::string_view message);
absl::Status Internal(std::string_view message);
absl::Status Cancelled(std::string_view message);
absl::Status DataLoss(std::string_view message);
// "FILE: at offset N: WHAT"
absl::Status DataLossAt(std::string_view file, uint64_t offset, std::string_view what);
// "CALL PATH: strerror(error)", with the code that file_system.h gives to this errno. `reading` makes EIO DataLoss.
absl::Status ErrnoStatus(int error, std::string_view call, std::string_view path, bool reading = false);

// The same code with "CONTEXT: " in front of the message. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

// A key or namespace for an error message: quoted, control and non-ASCII bytes escaped, cut at 64 bytes.
std::string Quoted(std::string_view bytes);

}  // namespace varve

// NOLINTBEGIN(bugprone-macro-parentheses): names and declarations cannot stand in parentheses.
#define VARVE_CONCAT_INNER(a, b) a##b
#define VARVE_CONCAT(a, b) VARVE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                                             \
  do {                                                                                          \
    if (::absl::Status varve_status_ = (expression); !varve_status_.ok()) return varve_status_; \
  } while (false)

#define ASSIGN_OR_RETURN_INNER(statusor, left, expression) \
  auto statusor = (expression);                            \
  if (!statusor.ok()) return std::move(statusor).status(); \
  left = *std::move(statusor)

// ASSIGN_OR_RETURN(auto x, MakeX());
#define ASSIGN_OR_RETURN(left, expression) \
  ASSIGN_OR_RETURN_INNER(VARVE_CONCAT(varve_statusor_, __LINE__), left, expression)
// NOLINTEND(bugprone-macro-parentheses)

#endif  // VARVE_BASE_STATUS_H_
