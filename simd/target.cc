#include "simd/target.h"

#include "base/check.h"
#include "simd/distance.h"
// The order matters.
// clang-format off
#include "simd/highway_config.h"
#include "hwy/highway.h"
// clang-format on

namespace varve {
namespace {

// Targets are bits; the best of a set is the lowest.
int64_t BestOf(int64_t targets) { return targets & -targets; }

// Calls visit(target) for each bit, best first.
template <typename Visit>
void ForEachTarget(int64_t targets, Visit visit) {
  for (; targets != 0; targets &= targets - 1) visit(BestOf(targets));
}

int64_t UsableTargets() { return hwy::SupportedTargets() & HWY_TARGETS; }

}  // namespace

std::vector<std::string> SupportedTargetNames() {
  std::vector<std::string> names;
  ForEachTarget(UsableTargets(), [&names](int64_t target) { names.emplace_back(hwy::TargetName(target)); });
  return names;
}

ScopedTargetForTesting::ScopedTargetForTesting(const std::string& name) {
  int64_t found = 0;
  ForEachTarget(UsableTargets(), [&](int64_t target) {
    if (name == hwy::TargetName(target)) found = target;
  });
  VARVE_CHECK(found != 0);
  hwy::SetSupportedTargetsForTest(found);
}

ScopedTargetForTesting::~ScopedTargetForTesting() { hwy::SetSupportedTargetsForTest(0); }

const char* ActiveTargetName() { return hwy::TargetName(BestOf(UsableTargets())); }

const char* CompiledTargetNames() {
  static const std::string names = [] {
    std::string joined;
    ForEachTarget(HWY_TARGETS, [&joined](int64_t target) {
      if (!joined.empty()) joined += ' ';
      joined += hwy::TargetName(target);
    });
    return joined;
  }();
  return names.c_str();
}

}  // namespace varve
