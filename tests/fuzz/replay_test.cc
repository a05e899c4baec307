// Runs every target on its seeds, on simple changes of them, and on what fuzzers once found (regress/TARGET/), so that
// a finding stays mended in builds without a fuzzer. VARVE_FUZZ_REGRESS is the folder. VARVE_TEST_CHANGES says how
// often each seed is changed, VARVE_TEST_SEED how.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

std::vector<FuzzTarget> AllTargets() {
  std::vector<FuzzTarget> targets = {BitmapTarget(),          CheckpointTarget(), CollectionFilesTarget(),
                                     CollectionModelTarget(), CursorTarget(),     DocumentsTarget(),
                                     FilterTarget(),          HnswTarget(),       KeyTableTarget(),
                                     LogReplayTarget(),       ManifestTarget(),   SegmentTarget(),
                                     SlotMapTarget()};
#ifdef VARVE_FUZZ_TOOL
  for (const FuzzTarget& target : {JsonTarget(), JsonLinesTarget(), MatrixTarget()}) targets.push_back(target);
#endif
  return targets;
}

std::string Changed(std::string input, Random* random) {
  for (uint64_t i = 0, n = 1 + random->Below(3); i < n && !input.empty(); ++i) {
    const size_t at = random->Below(input.size());
    switch (random->Below(4)) {
      case 0:
        input.resize(at);
        break;
      case 1:
        input.insert(at, input.substr(random->Below(input.size()), random->Below(9)));
        break;
      default:
        input[at] = static_cast<char>(random->Next());
    }
  }
  return input;
}

uint64_t Setting(const char* name, uint64_t value) {
  const char* given = std::getenv(name);
  return given == nullptr ? value : std::strtoull(given, nullptr, 10);
}

class FuzzReplay : public ::testing::TestWithParam<FuzzTarget> {};

std::string TargetName(const ::testing::TestParamInfo<FuzzTarget>& target) { return std::string(target.param.name); }

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, ::testing::ValuesIn(AllTargets()), TargetName);

TEST_P(FuzzReplay, SeedsAndTheirNeighbours) {
  const FuzzTarget& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  const uint64_t changes = Setting("VARVE_TEST_CHANGES", 20);
  Random random(Setting("VARVE_TEST_SEED", 17));
  for (const std::string& seed : seeds) {
    target.run(seed);
    for (uint64_t i = 0; i < changes; ++i) {
      std::string changed = Changed(seed, &random);
      target.run(changed);
      if (target.repair == nullptr) continue;
      target.repair(&changed);
      target.run(changed);
    }
  }
  target.run("");
}

TEST_P(FuzzReplay, WhatWasFound) {
  const FuzzTarget& target = GetParam();
  const char* folder = std::getenv("VARVE_FUZZ_REGRESS");
  ASSERT_NE(folder, nullptr);
  const std::filesystem::path findings = std::filesystem::path(folder) / target.name;
  if (!std::filesystem::exists(findings)) return;  // none yet
  for (const auto& entry : std::filesystem::directory_iterator(findings)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(input.empty()) << entry.path();
    target.run(input);
  }
}

}  // namespace
}  // namespace varve::fuzz
