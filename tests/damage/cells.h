// Small collections, one for each kind of content that there is: index type, element type and metric, and what a
// directory may hold beside (several fields, documents, records that expire, deletion bitmaps, several logs, a segment
// that only the log names, an end without a close). Value types and free functions; thread-compatible.
#ifndef VARVE_TESTS_DAMAGE_CELLS_H_
#define VARVE_TESTS_DAMAGE_CELLS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "varve/options.h"
#include "varve/schema.h"

namespace varve::testing {

enum class Ending : uint8_t {
  kClosed,        // cleanly
  kKilled,        // with writes in the log behind the last publication
  kKilledInLoad,  // behind the log record of a bulk load, before a manifest names its segment
  kBackup,        // a copy that was never written to
};

struct Cell {
  std::string name;
  Schema schema;
  int rows = 48;
  bool documents = false;    // metadata and payloads, of every other row
  bool expiry = false;       // every fifth row expires, half of them at once
  bool deletions = false;    // a bitmap over the first segment
  bool sparse_rows = false;  // rows lack the second field, so that slots are not rows
  int logs = 1;              // that are needed
  uint32_t pad_to = 8;
  SyncMode sync;
  Ending ending = Ending::kClosed;
  bool golden = false;  // kept in tests/golden too
};

const std::vector<Cell>& Cells();
// Null if there is none of that name.
const Cell* FindCell(std::string_view name);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_CELLS_H_
