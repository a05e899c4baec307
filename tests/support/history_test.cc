// The checker of histories must be able to fail: histories that no store may give, and their lawful neighbours.
#include "tests/support/history.h"

#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;
using Kind = Step::Kind;

constexpr Cell kNothing{};
Cell Whole(uint32_t mark) { return {mark, mark, mark}; }

Step PutStep(size_t key, uint32_t mark) { return {Kind::kPut, key, mark}; }
Step InsertStep(size_t key, uint32_t mark) { return {Kind::kInsert, key, mark}; }
Step DeleteStep(size_t key) { return {Kind::kDelete, key}; }
Step MetadataStep(size_t key, uint32_t mark) { return {Kind::kUpdate, key, mark, /*sets_vector=*/false}; }
Step SwapStep(size_t key, uint32_t mark, Cell expected) { return {Kind::kPut, key, mark, true, true, expected}; }

Call Write(int thread, uint64_t invoked, uint64_t returned, std::vector<Step> steps,
           absl::StatusCode outcome = absl::StatusCode::kOk) {
  Call call;
  call.thread = thread;
  call.invoked = invoked;
  call.returned = returned;
  call.steps = std::move(steps);
  call.outcome = outcome;
  return call;
}

Call Read(int thread, uint64_t invoked, uint64_t returned, std::vector<Seen> seen) {
  Call call;
  call.thread = thread;
  call.invoked = invoked;
  call.returned = returned;
  call.seen = std::move(seen);
  return call;
}

Call TakeSnapshot(int thread, uint64_t invoked, uint64_t returned, Sequence sequence, std::vector<Seen> seen) {
  Call call = Read(thread, invoked, returned, std::move(seen));
  call.snapshot = sequence;
  return call;
}

TEST(History, NothingIsLegal) { EXPECT_EQ(FindViolation({}), ""); }

TEST(History, WhatWasWrittenIsReadAfterwards) {
  EXPECT_EQ(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Read(1, 3, 4, {{0, Whole(1), 1}}),
                           Write(0, 5, 6, {MetadataStep(0, 2)}), Read(1, 7, 8, {{0, {2, 1, 2}, 2}}),
                           Write(0, 9, 10, {DeleteStep(0)}), Read(1, 11, 12, {{0, kNothing, 0}})}),
            "");
}

TEST(History, AStaleReadIsFound) {
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 4, {PutStep(0, 2)}),
                             Read(1, 5, 6, {{0, Whole(1), 1}})}),
              HasSubstr("no order explains thread 1 [5, 6], saw k0=1"));
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Read(1, 3, 4, {{0, kNothing, 0}})}),
              HasSubstr("no order explains"));
}

TEST(History, AReadBesideAWriteMaySeeEither) {
  for (const Cell& cell : {Whole(1), Whole(2)}) {
    EXPECT_EQ(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 6, {PutStep(0, 2)}),
                             Read(1, 4, 5, {{0, cell, cell.row}})}),
              "");
  }
}

TEST(History, AValueThatGoesBackIsFound) {
  // Each read alone could be: the write runs beside both.
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 10, {PutStep(0, 2)}),
                             Read(1, 4, 5, {{0, Whole(2), 2}}), Read(2, 6, 7, {{0, Whole(1), 1}})}),
              HasSubstr("no order explains thread 2 [6, 7]"));
}

TEST(History, ALostUpdateIsFound) {
  // Two threads replace the same row, each on the condition that it is still there.
  const std::vector<Call> calls = {Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 6, {SwapStep(0, 2, Whole(1))}),
                                   Write(1, 4, 5, {SwapStep(0, 3, Whole(1))})};
  EXPECT_THAT(FindViolation(calls), HasSubstr("no order explains"));
  std::vector<Call> lawful = calls;
  lawful[2].outcome = absl::StatusCode::kAborted;
  EXPECT_EQ(FindViolation(lawful), "");
}

TEST(History, TwoWinnersOfAnInsertAreFound) {
  EXPECT_THAT(FindViolation({Write(0, 1, 4, {InsertStep(0, 1)}), Write(1, 2, 3, {InsertStep(0, 2)})}),
              HasSubstr("no order explains"));
}

TEST(History, ARefusalWithoutCauseIsFound) {
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {InsertStep(0, 1)}, absl::StatusCode::kAlreadyExists)}),
              HasSubstr("no order explains"));
  EXPECT_THAT(FindViolation(
                  {Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 4, {MetadataStep(0, 2)}, absl::StatusCode::kNotFound)}),
              HasSubstr("no order explains"));
  // Refused for the wrong reason.
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {SwapStep(0, 1, Whole(9))}, absl::StatusCode::kNotFound)}),
              HasSubstr("no order explains"));
}

TEST(History, ATornBatchIsFound) {
  const Call batch = Write(0, 1, 6, {PutStep(0, 1), PutStep(1, 2)});
  EXPECT_THAT(FindViolation({batch, Read(1, 2, 3, {{0, Whole(1), 1}, {1, kNothing, 0}})}),
              HasSubstr("no order explains"));
  EXPECT_THAT(FindViolation({batch, TakeSnapshot(1, 2, 3, 2, {{0, kNothing, 0}, {1, Whole(2), 2}})}),
              HasSubstr("no order explains"));
  EXPECT_EQ(FindViolation({batch, Read(1, 2, 3, {{0, Whole(1), 1}, {1, Whole(2), 2}}),
                           Read(2, 4, 5, {{0, Whole(1), 1}, {1, Whole(2), 2}})}),
            "");
  EXPECT_THAT(FindViolation({batch, Read(1, 2, 3, {{0, Whole(1), 1}}), Read(2, 4, 5, {{1, kNothing, 0}})}),
              HasSubstr("no order explains"));
}

TEST(History, ASnapshotIsOfItsOwnInstant) {
  const std::vector<Call> writes = {Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 5, 6, {PutStep(0, 2)})};
  const auto with = [&](const Call& snapshot) {
    std::vector<Call> calls = writes;
    calls.push_back(snapshot);
    return FindViolation(calls);
  };
  EXPECT_EQ(with(TakeSnapshot(1, 3, 4, 1, {{0, Whole(1), 1}, {0, Whole(1), 1}})), "");
  EXPECT_THAT(with(TakeSnapshot(1, 3, 4, 2, {{0, Whole(2), 2}})), HasSubstr("before it was written"));
  EXPECT_THAT(with(TakeSnapshot(1, 3, 7, 2, {{0, Whole(1), 1}, {0, Whole(2), 2}})), HasSubstr("no order explains"));
  EXPECT_THAT(with(TakeSnapshot(1, 3, 7, 1, {{0, Whole(2), 2}})), HasSubstr("newer than its snapshot"));
}

TEST(History, ASnapshotIsNotOlderThanItsSequence) {
  // @5 promises the write that others saw with @4.
  const std::vector<Call> calls = {Write(0, 1, 8, {PutStep(0, 1)}), TakeSnapshot(1, 2, 3, 5, {{0, kNothing, 0}}),
                                   Read(1, 4, 5, {{0, Whole(1), 4}})};
  EXPECT_THAT(FindViolation(calls), HasSubstr("no order explains"));
}

TEST(History, ACountThatDoesNotFitIsFound) {
  Call count;
  count.thread = 1;
  count.invoked = 3;
  count.returned = 4;
  count.count = 2;
  const Call write = Write(0, 1, 2, {PutStep(0, 1), PutStep(1, 2)});
  EXPECT_EQ(FindViolation({write, count}), "");
  count.count = 1;
  EXPECT_THAT(FindViolation({write, count}), HasSubstr("counted 1"));
}

TEST(History, RowsFromNowhereAreFound) {
  EXPECT_THAT(FindViolation({Read(0, 1, 2, {{0, Whole(1), 1}})}), HasSubstr("nobody wrote"));
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Read(0, 3, 4, {{1, Whole(1), 1}})}),
              HasSubstr("another key's"));
  EXPECT_THAT(FindViolation({Read(1, 1, 2, {{0, Whole(1), 1}}), Write(0, 3, 4, {PutStep(0, 1)})}),
              HasSubstr("before it was written"));
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}),
                             Write(0, 3, 4, {InsertStep(0, 2)}, absl::StatusCode::kAlreadyExists),
                             Read(0, 5, 6, {{0, Whole(2), 2}})}),
              HasSubstr("was refused"));
  // Half an update: the metadata of a row that it did not replace.
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1)}), Write(0, 3, 4, {PutStep(0, 2)}),
                             Write(0, 5, 6, {MetadataStep(0, 3)}), Read(0, 7, 8, {{0, {3, 1, 3}, 3}})}),
              HasSubstr("no order explains"));
}

TEST(History, SequencesThatCannotBeAreFound) {
  const Call first = Write(0, 1, 2, {PutStep(0, 1)});
  const Call second = Write(0, 3, 4, {PutStep(1, 2)});
  EXPECT_THAT(FindViolation({first, Read(0, 3, 4, {{0, Whole(1), 0}})}), HasSubstr("without a sequence"));
  EXPECT_THAT(FindViolation({first, Read(0, 3, 4, {{0, Whole(1), 1}}), Read(0, 5, 6, {{0, Whole(1), 2}})}),
              HasSubstr("was 1 to others"));
  EXPECT_THAT(FindViolation({first, second, Read(0, 5, 6, {{0, Whole(1), 1}, {1, Whole(2), 1}})}),
              HasSubstr("the same sequence"));
  // In the order of time the sequences fall.
  EXPECT_THAT(FindViolation({first, second, Read(0, 5, 6, {{0, Whole(1), 2}, {1, Whole(2), 1}})}),
              HasSubstr("no order explains"));
  EXPECT_THAT(FindViolation({Write(0, 1, 2, {PutStep(0, 1), PutStep(1, 2)}),
                             Read(0, 3, 4, {{0, Whole(1), 2}, {1, Whole(2), 1}})}),
              HasSubstr("of the same batch"));
  Call load = Write(0, 1, 2, {PutStep(0, 1), PutStep(1, 2)});
  load.one_sequence = true;
  EXPECT_EQ(FindViolation({load, Read(0, 3, 4, {{0, Whole(1), 1}, {1, Whole(2), 1}})}), "");
}

class HistoryPrefix : public ::testing::Test {
 protected:
  static PrefixRead At(uint64_t invoked, uint64_t returned, Sequence sequence, std::vector<Seen> seen) {
    return {0, invoked, returned, sequence, std::move(seen)};
  }

  // Keys 0 and 1 together, twice; a third key; a snapshot tells all sequences.
  const std::vector<Call> calls_ = {
      Write(0, 1, 2, {PutStep(0, 1), PutStep(1, 2)}), Read(1, 3, 4, {{0, Whole(1), 1}, {1, Whole(2), 2}}),
      Write(0, 11, 12, {PutStep(0, 3), PutStep(1, 4)}), Read(1, 13, 14, {{0, Whole(3), 3}, {1, Whole(4), 4}}),
      Write(0, 15, 16, {DeleteStep(0)})};
};

TEST_F(HistoryPrefix, StatesThatWereAreLegal) {
  EXPECT_EQ(FindViolation(calls_, {At(5, 6, 2, {{0, Whole(1), 1}, {1, Whole(2), 2}}),
                                   At(10, 20, 2, {{0, Whole(1), 1}, {1, Whole(2), 2}}),
                                   At(21, 22, 5, {{0, kNothing, 0}, {1, Whole(4), 4}})}),
            "");
}

TEST_F(HistoryPrefix, HalfABatchIsFound) {
  EXPECT_THAT(FindViolation(calls_, {At(10, 20, 4, {{0, Whole(1), 1}, {1, Whole(4), 4}})}), HasSubstr("was replaced"));
  EXPECT_THAT(FindViolation(calls_, {At(10, 20, 3, {{0, Whole(3), 3}, {1, Whole(2), 2}})}), HasSubstr("by half"));
}

TEST_F(HistoryPrefix, MissingWritesAreFound) {
  EXPECT_THAT(FindViolation(calls_, {At(17, 18, 2, {{0, Whole(1), 1}, {1, Whole(2), 2}})}),
              HasSubstr("was replaced before the read"));
  EXPECT_THAT(FindViolation(calls_, {At(13, 14, 4, {{0, kNothing, 0}})}), HasSubstr("lacks row 3"));
  EXPECT_THAT(FindViolation(calls_, {At(17, 18, 2, {})}), HasSubstr("is not in it"));
}

TEST_F(HistoryPrefix, StatesThatGoBackAreFound) {
  EXPECT_THAT(FindViolation(calls_, {At(10, 20, 4, {}), At(21, 22, 2, {})}), HasSubstr("went back"));
}

TEST_F(HistoryPrefix, StatesOfTheFutureAreFound) {
  EXPECT_THAT(FindViolation(calls_, {At(5, 6, 4, {})}), HasSubstr("began later"));
  EXPECT_THAT(FindViolation(calls_, {At(13, 14, 1, {{1, Whole(4), 4}})}), HasSubstr("newer than the state"));
}

}  // namespace
}  // namespace varve::testing
