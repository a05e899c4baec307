// A filter made ready to be asked of many documents, one after the other.
#ifndef VARVE_ENGINE_SEARCH_FILTER_PROGRAM_H_
#define VARVE_ENGINE_SEARCH_FILTER_PROGRAM_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/filter.h"

namespace varve {

// Thread-compatible: a document is parsed into memory that the program keeps.
class FilterProgram {
 public:
  virtual ~FilterProgram() = default;

  // Errors: those of Filter::Check.
  static absl::StatusOr<std::unique_ptr<FilterProgram>> Make(const Filter& filter);

  // Whether the filter is true of a record with this metadata: a JSON object, or nothing.
  // Errors: DataLoss if it is not what a record can have; the caller knows whose it is.
  virtual absl::StatusOr<bool> Matches(std::string_view metadata) = 0;
};

}  // namespace varve

#endif  // VARVE_ENGINE_SEARCH_FILTER_PROGRAM_H_
