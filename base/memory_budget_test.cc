#include "varve/memory_budget.h"

#include <limits>

#include "gtest/gtest.h"

namespace varve {
namespace {

using Use = MemoryBudget::Use;

struct FakeHolder final : MemoryBudget::Holder {
  size_t MemtableBytes() const override { return bytes; }
  void RequestFlush() override { ++asked; }
  size_t bytes = 0;
  int asked = 0;
};

TEST(MemoryBudget, EachUseHasItsShareAndARestIsLeft) {
  MemoryBudget budget(1000);
  EXPECT_EQ(budget.limit(), 1000U);
  EXPECT_EQ(budget.share(Use::kMemtables), 375U);
  EXPECT_TRUE(budget.TryTake(Use::kMemtables, 375));
  EXPECT_FALSE(budget.TryTake(Use::kMemtables, 1));
  EXPECT_TRUE(budget.TryTake(Use::kBuilds, 499));
  EXPECT_FALSE(budget.TryTake(Use::kBuilds, 2));
  EXPECT_TRUE(budget.TryTake(Use::kBuilds, 1));
  budget.Give(Use::kMemtables, 200);
  EXPECT_EQ(budget.used(Use::kMemtables), 175U);
  EXPECT_TRUE(budget.TryTake(Use::kMemtables, 200));
}

TEST(MemoryBudget, WhatIsHeldCountsBeyondTheShare) {
  MemoryBudget budget(100);
  budget.Take(Use::kMemtables, 80);
  EXPECT_EQ(budget.used(Use::kMemtables), 80U);
  EXPECT_FALSE(budget.TryTake(Use::kMemtables, 1));
  budget.Give(Use::kMemtables, 80);
  EXPECT_TRUE(budget.TryTake(Use::kMemtables, 37));
}

TEST(MemoryBudget, ZeroIsWithoutALimit) {
  MemoryBudget budget(0);
  EXPECT_TRUE(budget.TryTake(Use::kBuilds, std::numeric_limits<size_t>::max() / 2));
  EXPECT_FALSE(budget.TryTake(Use::kBuilds, std::numeric_limits<size_t>::max()));
}

TEST(MemoryBudget, AsksTheLargestOfTheOthers) {
  MemoryBudget budget(100);
  FakeHolder a, b, c;
  a.bytes = 9;
  b.bytes = 30;
  c.bytes = 20;
  for (FakeHolder* holder : {&a, &b, &c}) budget.AddHolder(holder);
  EXPECT_TRUE(budget.AskLargest(nullptr));
  EXPECT_EQ(b.asked, 1);
  EXPECT_TRUE(budget.AskLargest(&b));
  EXPECT_EQ(c.asked, 1);
  budget.RemoveHolder(&b);
  budget.RemoveHolder(&c);
  EXPECT_FALSE(budget.AskLargest(&a));
  EXPECT_FALSE(budget.AskLargest(nullptr)) << "a flush would give less than a quarter of the share";
  EXPECT_EQ(a.asked, 0);
  a.bytes = 20;
  EXPECT_TRUE(budget.AskLargest(nullptr));
  EXPECT_EQ(a.asked, 1);
}

}  // namespace
}  // namespace varve
