// The writing process: batch after batch of numbered states, with flushes, merges and backups meanwhile.
#ifndef VARVE_TESTS_BESIDE_WRITER_H_
#define VARVE_TESTS_BESIDE_WRITER_H_

#include <string>

#include "absl/status/status.h"
#include "tests/beside/shared_progress.h"

namespace varve::testing {

absl::Status CreateNumberedCollection(const std::string& directory);

// Writes for `seconds`, or until a reader fails; then tells the readers to stop, and closes.
absl::Status RunWriter(const std::string& directory, const std::string& backups, double seconds,
                       SharedProgress* progress);

}  // namespace varve::testing

#endif  // VARVE_TESTS_BESIDE_WRITER_H_
