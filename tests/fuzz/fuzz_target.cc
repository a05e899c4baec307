#include "tests/fuzz/fuzz_target.h"

#include <cstdio>
#include <cstdlib>

namespace varve::fuzz {

void Fail(std::string_view what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: finding: %.*s\n", file, line, static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace varve::fuzz
