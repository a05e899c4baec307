// How the full check of a section reports what it finds. Thread-compatible.
#ifndef VARVE_SEGMENT_SECTION_CHECK_H_
#define VARVE_SEGMENT_SECTION_CHECK_H_

#include <cstdint>
#include <functional>
#include <string_view>

namespace varve {

// Called with each finding: where in the section, and what is wrong there. Returns false when enough has been reported
// and the check should end.
using ReportDamage = std::function<bool(uint64_t offset, std::string_view what)>;

}  // namespace varve

#endif  // VARVE_SEGMENT_SECTION_CHECK_H_
