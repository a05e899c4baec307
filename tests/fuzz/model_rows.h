// What a collection should hold: a map, and what each operation makes of it. Thread-compatible.
#ifndef VARVE_TESTS_FUZZ_MODEL_ROWS_H_
#define VARVE_TESTS_FUZZ_MODEL_ROWS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "varve/collection.h"

namespace varve::fuzz {

struct ModelRow {
  std::vector<float> vector;
  std::string metadata;
  std::string payload;
  int64_t expires_at_ms = kNeverExpires;

  friend bool operator==(const ModelRow&, const ModelRow&) = default;
};
using ModelKey = std::pair<std::string, std::string>;  // namespace, key
using ModelRows = std::map<ModelKey, ModelRow>;

// Drops what has expired.
void Expire(int64_t now_ms, ModelRows* rows);
// What the collection has to say of the batch, and, if that is OK, what it does to the rows. The rows have no expired
// one among them.
absl::Status ApplyToModel(const WriteBatch& batch, int64_t now_ms, ModelRows* rows);

// Ends the process unless the collection, read in every way, holds just these rows. `snapshot` may be null.
void CheckRows(Collection* collection, const ModelRows& rows, const Snapshot* snapshot);
// Unless an exact search gives the nearest of them, in order, and any other only some of them.
void CheckSearch(Collection* collection, const ModelRows& rows, const std::vector<float>& query);

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_MODEL_ROWS_H_
