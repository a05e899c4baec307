#include "tests/crash_states/ledger.h"

#include <algorithm>
#include <cstdlib>

namespace varve::testing {
namespace {

// Long keys are cut, and so are long lists: a line is to be read.
constexpr size_t kMaxName = 40;
constexpr size_t kMaxDifferences = 6;

std::string Name(const std::pair<std::string, std::string>& place) {
  const std::string name = place.first.empty() ? place.second : place.first + "/" + place.second;
  return name.size() <= kMaxName ? name : name.substr(0, kMaxName) + "...";
}

}  // namespace

std::string DescribeDifference(const Content& expected, const Content& found) {
  std::string text;
  size_t count = 0;
  const auto add = [&](const std::string& what) {
    if (++count <= kMaxDifferences) text += (text.empty() ? "" : ", ") + what;
  };
  for (const auto& [place, value] : expected) {
    const auto other = found.find(place);
    if (other == found.end()) {
      add(Name(place) + " is missing");
    } else if (other->second != value) {
      add(Name(place) + " is " + other->second + " instead of " + value);
    }
  }
  for (const auto& [place, value] : found) {
    if (!expected.contains(place)) add(Name(place) + " (" + value + ") should not be there");
  }
  if (count > kMaxDifferences) text += " and " + std::to_string(count - kMaxDifferences) + " more";
  return text.empty() ? "no difference" : text;
}

void EraseExpired(int64_t now_ms, Content* content) {
  std::erase_if(*content, [&](const auto& entry) {
    const size_t at = entry.second.rfind(kUntil);
    return at != std::string::npos && std::atoll(entry.second.c_str() + at + kUntil.size()) <= now_ms;
  });
}

void Ledger::ForgetExpired(int64_t now_ms) {
  EraseExpired(now_ms, &initial);
  for (Step& step : steps) EraseExpired(now_ms, &step.after);
  for (Content& content : maybe) EraseExpired(now_ms, &content);
}

size_t Ledger::Least(size_t point, bool killed) const {
  size_t least = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    if ((killed ? std::min(steps[i].acked, steps[i].durable) : steps[i].durable) <= point) least = i + 1;
  }
  return least;
}

size_t Ledger::Most(size_t point) const {
  size_t most = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].issued < point || steps[i].acked <= point) most = i + 1;
  }
  return most;
}

Sequence Ledger::LargestSequence(size_t point) const {
  Sequence largest = 0;
  for (const Step& step : steps) {
    if (step.acked <= point) largest = std::max(largest, step.sequence);
  }
  return largest;
}

Ledger::Fit Ledger::FindPrefix(const Content& found, size_t point, bool killed) const {
  const size_t least = Least(point, killed);
  const size_t most = Most(point);
  for (size_t count = most + 1; count-- > least;) {
    if (ContentAfter(count) == found) return {count, ""};
  }
  if (most == steps.size() && std::find(maybe.begin(), maybe.end(), found) != maybe.end()) return {most, ""};
  std::string complaint = "holds no prefix between " + std::to_string(least) + " and " + std::to_string(most) +
                          " steps; beside the first " + std::to_string(least);
  if (least > 0) complaint += " (" + steps[least - 1].what + ")";
  return {kNever, complaint + ": " + DescribeDifference(ContentAfter(least), found)};
}

}  // namespace varve::testing
