// The reading process: several ways to read a collection beside its writer, each of which must give one published
// state.
#ifndef VARVE_TESTS_BESIDE_READERS_H_
#define VARVE_TESTS_BESIDE_READERS_H_

#include <string>

#include "tests/beside/shared_progress.h"

namespace varve::testing {

// Reads until it is told to stop, prints what was done, and says whether all was right. Backups of the writer are at
// `backups`/NUMBER.
bool RunReaders(const std::string& directory, const std::string& backups, SharedProgress* progress);

}  // namespace varve::testing

#endif  // VARVE_TESTS_BESIDE_READERS_H_
