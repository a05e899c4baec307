// The search for an order. Events are gone through in the order of their stamps; what is kept is every state that the
// map can be in, and which of the calls that run have had their instant. At a return the instants of the running calls
// are tried in every order that the answers allow, until the returning call has had its own ("just in time": Lowe,
// "Testing for Linearizability", CCPE 2017, after Wing and Gong, JPDC 1993). With T threads at most T calls run at
// once, so that the work grows with the history's length alone.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "tests/support/history_rows.h"

namespace varve::testing {
namespace {

constexpr size_t kNone = SIZE_MAX;
constexpr size_t kThreads = 32;

struct Config {
  Cells cells;
  Sequence last = 0;  // the largest that is known to have been given
  uint32_t done = 0;  // bit t: the running call of thread t has had its instant
  friend auto operator<=>(const Config&, const Config&) = default;
};

// Does the steps one after the other. The first whose condition does not hold tells why nothing is done.
absl::StatusCode ApplySteps(const std::vector<Step>& steps, Cells* cells) {
  for (const Step& step : steps) {
    Cell& cell = (*cells)[step.key];
    if (step.expected.has_value() && *step.expected != cell) return absl::StatusCode::kAborted;
    if (step.kind == Step::Kind::kInsert && cell.present()) return absl::StatusCode::kAlreadyExists;
    if (step.kind == Step::Kind::kUpdate && !cell.present()) return absl::StatusCode::kNotFound;
    if (step.kind == Step::Kind::kDelete) {
      cell = {};
      continue;
    }
    cell.row = step.mark;
    if (step.sets_vector) cell.vector = step.mark;
    if (step.sets_metadata) cell.metadata = step.mark;
  }
  return absl::StatusCode::kOk;
}

// Gives the call its instant; false if it would have answered something else.
bool Apply(const Call& call, const SequenceSpan& span, Config* config) {
  if (!call.steps.empty()) {
    Cells cells = config->cells;
    if (ApplySteps(call.steps, &cells) != call.outcome) return false;
    if (call.outcome != absl::StatusCode::kOk) return true;
    config->cells = cells;
    if (span.first == 0) return true;
    if (span.first <= config->last) return false;
    config->last = span.last;
    return true;
  }
  for (const Seen& seen : call.seen) {
    if (config->cells[seen.key] != seen.cell) return false;
  }
  if (call.count.has_value()) {
    const auto present = [](const Cell& cell) { return cell.present(); };
    const auto count = std::count_if(config->cells.begin(), config->cells.end(), present);
    if (static_cast<uint64_t>(count) != *call.count) return false;
  }
  if (call.snapshot.has_value()) {
    if (config->last > *call.snapshot) return false;
    config->last = *call.snapshot;
  }
  return true;
}

class OrderSearch {
 public:
  OrderSearch(const std::vector<Call>& calls, const HistoryRows& rows) : calls_(calls), rows_(rows) {
    running_.fill(kNone);
    configs_.insert(Config{});
  }

  std::string Run() {
    struct Event {
      uint64_t stamp;
      size_t call;
      bool is_return;
    };
    std::vector<Event> events;
    for (size_t c = 0; c < calls_.size(); ++c) {
      events.push_back({calls_[c].invoked, c, false});
      events.push_back({calls_[c].returned, c, true});
    }
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.stamp < b.stamp; });
    for (const Event& event : events) {
      const auto thread = static_cast<size_t>(calls_[event.call].thread);
      VARVE_CHECK(thread < kThreads && (running_[thread] == kNone) != event.is_return);
      if (!event.is_return) {
        running_[thread] = event.call;
        continue;
      }
      std::set<Config> after = After(thread);
      if (after.empty()) return Explain(event.call);
      configs_ = std::move(after);
      running_[thread] = kNone;
    }
    return "";
  }

 private:
  // The states in which the call of `thread` has had its instant.
  std::set<Config> After(size_t thread) const {
    std::set<Config> after;
    std::set<Config> reached = configs_;
    std::vector<Config> open(configs_.begin(), configs_.end());
    while (!open.empty()) {
      Config config = open.back();
      open.pop_back();
      if ((config.done >> thread & 1) != 0) {
        config.done &= ~(uint32_t{1} << thread);
        after.insert(config);
        continue;
      }
      for (size_t t = 0; t < kThreads; ++t) {
        if (running_[t] == kNone || (config.done >> t & 1) != 0) continue;
        Config next = config;
        if (!Apply(calls_[running_[t]], rows_.span(running_[t]), &next)) continue;
        next.done |= uint32_t{1} << t;
        if (reached.insert(next).second) open.push_back(next);
      }
    }
    return after;
  }

  std::string Explain(size_t call) const {
    std::string text = absl::StrCat("no order explains ", Describe(calls_[call]), "\nrunning beside it:");
    for (const size_t other : running_) {
      if (other == kNone || other == call) continue;
      absl::StrAppend(&text, "\n  ", Describe(calls_[other]));
      if (rows_.span(other).last != 0) absl::StrAppend(&text, " @", rows_.span(other).last);
    }
    absl::StrAppend(&text, "\n", configs_.size(), " states were possible before, among them:");
    size_t shown = 0;
    for (const Config& config : configs_) {
      if (++shown > 4) break;
      absl::StrAppend(&text, "\n ");
      for (size_t k = 0; k < kHistoryKeys; ++k) {
        if (config.cells[k].present()) absl::StrAppend(&text, " k", k, "=", Describe(config.cells[k]));
      }
      absl::StrAppend(&text, " @", config.last);
    }
    return text;
  }

  const std::vector<Call>& calls_;
  const HistoryRows& rows_;
  std::array<size_t, kThreads> running_;
  std::set<Config> configs_;
};

}  // namespace

std::string FindViolation(const std::vector<Call>& calls, const std::vector<PrefixRead>& prefixes) {
  HistoryRows rows(calls);
  for (const Call& call : calls) {
    if (std::string wrong = rows.Learn(call.seen, call.returned); !wrong.empty()) return wrong + "\n" + Describe(call);
    for (const Seen& seen : call.seen) {
      if (call.snapshot.has_value() && seen.sequence > *call.snapshot)
        return "newer than its snapshot: " + Describe(call);
    }
  }
  for (const PrefixRead& prefix : prefixes) {
    if (std::string wrong = rows.Learn(prefix.seen, prefix.returned); !wrong.empty()) return wrong;
  }
  if (std::string wrong = rows.Close(); !wrong.empty()) return wrong;
  if (std::string wrong = OrderSearch(calls, rows).Run(); !wrong.empty()) return wrong;
  return FindBadPrefix(calls, rows, prefixes);
}

}  // namespace varve::testing
