// Records in the order of namespace and key, over all parts of a view.
#ifndef VARVE_ENGINE_SEARCH_SCANNER_H_
#define VARVE_ENGINE_SEARCH_SCANNER_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/version/read_view.h"
#include "engine/version/row_access.h"
#include "varve/collection.h"

namespace varve {

// Walks the live, unexpired rows of a view at a read point. Thread-compatible; the view outlives it.
class RowCursor {
 public:
  // Positioned at the first row at or above (ns, key).
  static absl::StatusOr<RowCursor> Make(const ReadView& view, const ReadPoint& point, std::string_view ns,
                                        std::string_view key);

  bool valid() const { return current_ != kNone; }
  // Of the current row; views live as long as the view. Require: valid().
  std::string_view ns() const { return parts_[current_].ns; }
  std::string_view key() const { return parts_[current_].key; }
  RowLocation location() const { return parts_[current_].location; }
  absl::Status Next();

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  struct Part {
    const Memtable::Row* row = nullptr;  // memtables
    SlotFilter live;                     // segments
    RowLocation location;                // of the part's next row
    std::string_view ns;
    std::string_view key;
    bool done = false;
  };

  // Moves a part to its next live row at or behind where it stands.
  absl::Status Settle(Part* part);
  void PickLeast();

  ReadPoint point_;
  std::vector<Part> parts_;
  size_t current_ = kNone;
};

// Errors: InvalidArgument for a namespace over its limit, or a cursor that is not one of this request.
absl::Status RunScan(const Schema& schema, const ScanRequest& request, const ReadView& view, const ReadPoint& point,
                     const std::function<bool(const Record&)>& visit);

absl::StatusOr<uint64_t> CountRows(const ReadView& view, const ReadPoint& point, const std::optional<std::string>& ns);

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_SCANNER_H_
