// What is wrong on purpose is found: else the laboratory would be blind.
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/crash_states/environment.h"
#include "tests/crash_states/find_flaw.h"

namespace varve::testing {
namespace {

// One line for each flaw, for the table at the end.
std::ostringstream& Table() {
  static std::ostringstream table;
  return table;
}

class Flawed : public ::testing::TestWithParam<Flaw> {};

INSTANTIATE_TEST_SUITE_P(Each, Flawed, ::testing::ValuesIn(Flaws()), [](const auto& flaw) { return flaw.param.name; });

std::string NameOf(const Flaw& flaw) {
  if (flaw.bug == SeededBug::kNone) return "lying disk";
  switch (flaw.lane) {
    case Flaw::Lane::kCrashes:
      return "crashes";
    case Flaw::Lane::kErrors:
      return "errors";
    case Flaw::Lane::kGroups:
      return "groups";
  }
  return "";
}

TEST_P(Flawed, EnginesAndDisksAreFound) {
  const Flaw& flaw = GetParam();
  const FlawReport report = FindFlaw(flaw, FromEnvironment("VARVE_TEST_FLAW_STATES", 2000));
  EXPECT_NE(report.failure, "") << flaw.what << ": not found in " << report.tried;
  std::cout << report.failure << "\n";
  Table() << "| " << flaw.name << " | " << flaw.what << " | " << NameOf(flaw) << " | "
          << (report.failure.empty() ? "NOT FOUND in " : "") << report.tried << " |\n";
}

class PrintTable final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (!Table().str().empty()) std::cout << "| flaw | what | found by | after |\n|---|---|---|---|\n" << Table().str();
  }
};
const ::testing::Environment* const print_table = ::testing::AddGlobalTestEnvironment(new PrintTable);

}  // namespace
}  // namespace varve::testing
