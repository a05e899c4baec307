#include "tests/support/history_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace varve::testing {
namespace {

std::string Describe(const Step& step) {
  static constexpr const char* kNames[] = {"put", "insert", "update", "delete"};
  std::string text = absl::StrCat(kNames[static_cast<int>(step.kind)], " k", step.key);
  if (step.kind != Step::Kind::kDelete) absl::StrAppend(&text, "=", step.mark);
  if (step.expected.has_value()) absl::StrAppend(&text, " if ", testing::Describe(*step.expected));
  return text;
}

}  // namespace

std::string Describe(const Cell& cell) {
  if (!cell.present()) return "nothing";
  if (cell.vector == cell.row && cell.metadata == cell.row) return absl::StrCat(cell.row);
  return absl::StrCat(cell.row, "(vector ", cell.vector, ", metadata ", cell.metadata, ")");
}

std::string Describe(const Call& call) {
  std::string text = absl::StrCat("thread ", call.thread, " [", call.invoked, ", ", call.returned, "]");
  for (const Step& step : call.steps) absl::StrAppend(&text, ", ", Describe(step));
  if (!call.steps.empty()) absl::StrAppend(&text, ": ", absl::StatusCodeToString(call.outcome));
  if (call.snapshot.has_value()) absl::StrAppend(&text, ", snapshot @", *call.snapshot);
  for (const Seen& seen : call.seen) {
    absl::StrAppend(&text, ", saw k", seen.key, "=", Describe(seen.cell));
    if (seen.cell.present()) absl::StrAppend(&text, " @", seen.sequence);
  }
  if (call.count.has_value()) absl::StrAppend(&text, ", counted ", *call.count);
  return text;
}

HistoryRows::HistoryRows(const std::vector<Call>& calls) : calls_(calls), spans_(calls.size()) {
  for (size_t c = 0; c < calls.size(); ++c) {
    for (size_t s = 0; s < calls[c].steps.size(); ++s) {
      if (calls[c].steps[s].kind != Step::Kind::kDelete) rows_[calls[c].steps[s].mark] = {c, s, 0};
    }
  }
}

std::string HistoryRows::Learn(const std::vector<Seen>& seen, uint64_t returned) {
  for (const Seen& found : seen) {
    if (!found.cell.present()) continue;
    const std::string what =
        absl::StrCat("k", found.key, "=", testing::Describe(found.cell), " @", found.sequence, " was seen, ");
    const auto entry = rows_.find(found.cell.row);
    if (entry == rows_.end()) return what + "which nobody wrote";
    Row& row = entry->second;
    const Call& writer = calls_[row.call];
    if (writer.steps[row.step].key != found.key) return what + "which is another key's";
    if (writer.outcome != absl::StatusCode::kOk) return what + "whose write was refused: " + Describe(writer);
    if (writer.invoked > returned) return what + "before it was written: " + Describe(writer);
    if (found.sequence == 0) return what + "a row without a sequence";
    if (row.sequence != 0 && row.sequence != found.sequence) {
      return absl::StrCat(what, "whose sequence was ", row.sequence, " to others");
    }
    row.sequence = found.sequence;
    const uint32_t mark = by_sequence_.try_emplace(found.sequence, found.cell.row).first->second;
    if (mark != found.cell.row && (rows_.at(mark).call != row.call || !writer.one_sequence)) {
      return absl::StrCat(what, "but row ", mark, " has the same sequence");
    }
  }
  return "";
}

std::string HistoryRows::Close() {
  for (size_t c = 0; c < calls_.size(); ++c) {
    SequenceSpan& span = spans_[c];
    for (const Step& step : calls_[c].steps) {
      if (step.kind == Step::Kind::kDelete) continue;
      const Sequence sequence = rows_.at(step.mark).sequence;
      if (sequence == 0) continue;
      const bool in_order = calls_[c].one_sequence ? sequence == span.last : sequence > span.last;
      if (span.last != 0 && !in_order) {
        return absl::StrCat("row ", step.mark, " @", sequence, " comes after @", span.last,
                            " of the same batch: ", Describe(calls_[c]));
      }
      if (span.first == 0) span.first = sequence;
      span.last = sequence;
    }
  }
  return "";
}

}  // namespace varve::testing
