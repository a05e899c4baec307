// Finding and reading whole rows in the parts of a view.
#ifndef VARVE_ENGINE_VERSION_ROW_ACCESS_H_
#define VARVE_ENGINE_VERSION_ROW_ACCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/version/read_view.h"
#include "varve/record.h"
#include "varve/schema.h"

namespace varve {

// Where the live row of a key is: in a memtable, or in a segment of the view.
struct RowLocation {
  Memtable* memtable = nullptr;
  Memtable::Row* memtable_row = nullptr;
  const SegmentPart* part = nullptr;
  RowId row = kNoRow;

  bool found() const { return memtable != nullptr || part != nullptr; }
};

// The row of a key that a reader at `visible` sees, expired or not. A writer passes kMaxSequence. Cost: a look-up in
// each memtable and in each segment's key filter. `but_segment` is left out.
absl::StatusOr<RowLocation> FindLiveRow(const ReadView& view, std::string_view ns, std::string_view key,
                                        Sequence visible, FileId but_segment = 0);

// Small facts of a row.
struct RowFacts {
  Sequence sequence = 0;
  int64_t created_at_us = 0;
  int64_t updated_at_us = 0;
  int64_t expires_at_ms = kNeverExpires;
};
absl::StatusOr<RowFacts> ReadRowFacts(const RowLocation& location);

// The stored bytes of a row's vectors, by field position; views into the memtable or the mapping.
absl::StatusOr<RowVectors> ReadRowVectors(const Schema& schema, const RowLocation& location);
// Its metadata and payload, copied.
absl::StatusOr<StoredDocument> ReadRowDocument(const RowLocation& location);

// The record that Get and Scan give; with `keys_only` without vectors, metadata and payload.
absl::StatusOr<Record> ReadRecord(const Schema& schema, const RowLocation& location, bool keys_only);

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_ROW_ACCESS_H_
