// What a collection was told and what it promised, by the operations of the disk at which it did: the judge of what a
// crash left.
#ifndef VARVE_TESTS_CRASH_STATES_LEDGER_H_
#define VARVE_TESTS_CRASH_STATES_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "varve/types.h"

namespace varve::testing {

inline constexpr size_t kNever = std::numeric_limits<size_t>::max();

// Namespace and key; everything else of a record as text.
using Content = std::map<std::pair<std::string, std::string>, std::string>;

// A record's text says when it expires, last of all.
inline constexpr std::string_view kUntil = " until ";
void EraseExpired(int64_t now_ms, Content* content);

// What differs between two contents, in a line.
std::string DescribeDifference(const Content& expected, const Content& found);

// A value type. A position is the number of disk operations that were done before.
struct Ledger {
  struct Step {
    std::string what;
    size_t issued = kNever;
    size_t acked = kNever;
    int64_t acked_us = 0;     // the same as a time
    size_t durable = kNever;  // from here on it survives a loss of power, as its sync mode promises
    uint64_t operations = 1;
    Content after;
    Sequence sequence = 0;  // none above it was given to a record when the step ended
  };

  std::string directory;
  std::string copied_from;  // of a backup: the collection that it is made of
  Content initial;
  size_t created_issued = 0;
  size_t created_acked = 0;
  size_t dropped_issued = kNever;
  size_t dropped_acked = kNever;
  std::vector<Step> steps;
  // What may be there as well: all steps, and behind them a call that failed, whose outcome nobody knows.
  std::vector<Content> maybe;

  const Content& ContentAfter(size_t count) const { return count == 0 ? initial : steps[count - 1].after; }

  // How many steps must have survived, or may have, what happens at `point`: a loss of power, or (`killed`) the death
  // of the process alone, after which everything acknowledged is there.
  size_t Least(size_t point, bool killed) const;
  size_t Most(size_t point) const;
  // Of what was acknowledged: nobody knows the others.
  Sequence LargestSequence(size_t point) const;
  bool MustExist(size_t point) const { return created_acked <= point && dropped_issued >= point; }
  bool MayExist(size_t point) const { return created_issued < point && dropped_acked > point; }

  // The largest number of steps, of those that may have survived, after which the content was `found`. Else why it fits
  // none.
  struct Fit {
    size_t steps = kNever;
    std::string complaint;
  };
  // Records that a reader at this time does not see any more are in nobody's content.
  void ForgetExpired(int64_t now_ms);
  Fit FindPrefix(const Content& found, size_t point, bool killed) const;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_LEDGER_H_
