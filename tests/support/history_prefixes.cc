// Reads of whole states from elsewhere: of copies, and through a collection that is open read-only. Such a state holds
// all writes up to a sequence. It may be ahead of what the writer's own readers see, by what is logged and not yet
// acknowledged, so that it has no instant among theirs; but its sequence says which rows must be in it.
#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/history_rows.h"

namespace varve::testing {
namespace {

class PrefixCheck {
 public:
  PrefixCheck(const std::vector<Call>& calls, const HistoryRows& rows) : calls_(calls), rows_(rows) {
    for (const auto& [mark, row] : rows.rows()) {
      if (row.sequence != 0) known_[KeyOf(row)][row.sequence] = mark;
    }
    for (size_t c = 0; c < calls.size(); ++c) {
      if (calls[c].steps.empty() || calls[c].outcome != absl::StatusCode::kOk) continue;
      writes_.push_back(c);
    }
  }

  std::string Check(const PrefixRead& prefix) const {
    for (const Seen& seen : prefix.seen) {
      std::string wrong = seen.cell.present() ? CheckRow(prefix, seen) : CheckNothing(prefix, seen.key);
      if (!wrong.empty()) return absl::StrCat("k", seen.key, " @", seen.sequence, " ", wrong);
    }
    for (const size_t write : writes_) {
      const SequenceSpan& span = rows_.span(write);
      if (span.first == 0) continue;
      if (calls_[write].returned < prefix.invoked && span.last > prefix.sequence) {
        return "a write that was acknowledged before is not in it: " + Describe(calls_[write]);
      }
      if (calls_[write].invoked > prefix.returned && span.first <= prefix.sequence) {
        return "a write that began later would be in it: " + Describe(calls_[write]);
      }
      if (span.first <= prefix.sequence && span.last > prefix.sequence) {
        return "a batch is in it by half: " + Describe(calls_[write]);
      }
    }
    return "";
  }

 private:
  size_t KeyOf(const HistoryRows::Row& row) const { return calls_[row.call].steps[row.step].key; }

  std::string CheckRow(const PrefixRead& prefix, const Seen& seen) const {
    if (seen.sequence > prefix.sequence) return "is newer than the state";
    const auto& known = known_.at(seen.key);
    const auto next = known.upper_bound(seen.sequence);
    if (next != known.end() && next->first <= prefix.sequence) {
      return absl::StrCat("was replaced before the state: row ", next->second, " @", next->first);
    }
    // Also by writes whose sequence nobody has seen.
    const Call& writer = calls_[rows_.row(seen.cell).call];
    for (const size_t write : writes_) {
      const Call& later = calls_[write];
      if (later.invoked > writer.returned && later.returned < prefix.invoked && Writes(later, seen.key)) {
        return "was replaced before the read: " + Describe(later);
      }
    }
    return "";
  }

  std::string CheckNothing(const PrefixRead& prefix, size_t key) const {
    const auto known = known_.find(key);
    if (known == known_.end()) return "";
    auto next = known->second.upper_bound(prefix.sequence);
    if (next == known->second.begin()) return "";
    const uint32_t mark = std::prev(next)->second;
    const Call& writer = calls_[rows_.rows().at(mark).call];
    for (const size_t write : writes_) {
      const Call& eraser = calls_[write];
      if (eraser.returned > writer.invoked && eraser.invoked < prefix.returned && Deletes(eraser, key)) return "";
    }
    return absl::StrCat("lacks row ", mark, " @", std::prev(next)->first);
  }

  static bool Writes(const Call& call, size_t key) {
    return std::any_of(call.steps.begin(), call.steps.end(), [&](const Step& step) { return step.key == key; });
  }
  static bool Deletes(const Call& call, size_t key) {
    return std::any_of(call.steps.begin(), call.steps.end(),
                       [&](const Step& step) { return step.key == key && step.kind == Step::Kind::kDelete; });
  }

  const std::vector<Call>& calls_;
  const HistoryRows& rows_;
  std::map<size_t, std::map<Sequence, uint32_t>> known_;  // key -> sequence -> mark
  std::vector<size_t> writes_;                            // calls that were done
};

}  // namespace

std::string FindBadPrefix(const std::vector<Call>& calls, const HistoryRows& rows,
                          const std::vector<PrefixRead>& prefixes) {
  const PrefixCheck check(calls, rows);
  std::map<int, std::pair<uint64_t, Sequence>> newest;  // of each reader: when, and what
  for (const PrefixRead& prefix : prefixes) {
    const std::string where = absl::StrCat("reader ", prefix.reader, " [", prefix.invoked, ", ", prefix.returned,
                                           "], state @", prefix.sequence, ": ");
    auto& [stamp, sequence] = newest[prefix.reader];
    if (prefix.invoked < stamp || prefix.sequence < sequence) return absl::StrCat(where, "went back from @", sequence);
    stamp = prefix.returned;
    sequence = prefix.sequence;
    if (std::string wrong = check.Check(prefix); !wrong.empty()) return where + wrong;
  }
  return "";
}

}  // namespace varve::testing
