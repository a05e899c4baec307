// Assertions about our own code; never about data from disk or from the caller, which get a Status.
#ifndef VARVE_BASE_CHECK_H_
#define VARVE_BASE_CHECK_H_

namespace varve {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace varve

// On in every build; for cheap conditions.
#define VARVE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::varve::CheckFailed(#condition, __FILE__, __LINE__))

// On in debug builds; for loops and hot paths.
#ifdef NDEBUG
#define VARVE_DCHECK(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#else
#define VARVE_DCHECK(condition) VARVE_CHECK(condition)
#endif

#endif  // VARVE_BASE_CHECK_H_
