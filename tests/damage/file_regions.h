// Where the heads, footers and directories of a file stand, and where its parts begin. Free functions.
#ifndef VARVE_TESTS_DAMAGE_FILE_REGIONS_H_
#define VARVE_TESTS_DAMAGE_FILE_REGIONS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "varve/file_system.h"

namespace varve::testing {

struct FileRegions {
  std::vector<std::pair<uint64_t, uint64_t>> dense;  // [from, to), ascending, apart from each other
  std::vector<uint64_t> borders;                     // offsets where a part begins or ends
};

// Of a good file, told by its name.
FileRegions FindRegions(const std::string& name, const std::string& bytes);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_FILE_REGIONS_H_
