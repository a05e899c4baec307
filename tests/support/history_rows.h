// Who wrote the rows of a history, and with which sequences, as far as reads tell.
#ifndef VARVE_TESTS_SUPPORT_HISTORY_ROWS_H_
#define VARVE_TESTS_SUPPORT_HISTORY_ROWS_H_

#include <map>
#include <string>
#include <vector>

#include "tests/support/history.h"

namespace varve::testing {

// The sequences that are known of a write's rows; 0: none.
struct SequenceSpan {
  Sequence first = 0;
  Sequence last = 0;
};

class HistoryRows {
 public:
  struct Row {
    size_t call = 0;
    size_t step = 0;
    Sequence sequence = 0;  // 0: no read told
  };

  // `calls` must outlive this.
  explicit HistoryRows(const std::vector<Call>& calls);

  // Notes what a read that returned at `returned` saw. Empty, or why it cannot have.
  std::string Learn(const std::vector<Seen>& seen, uint64_t returned);
  // After all reads: the spans of the calls. Empty, or why the sequences within a batch cannot be.
  std::string Close();

  const Row& row(const Cell& cell) const { return rows_.at(cell.row); }
  const std::map<uint32_t, Row>& rows() const { return rows_; }  // by mark
  const SequenceSpan& span(size_t call) const { return spans_[call]; }

 private:
  const std::vector<Call>& calls_;
  std::map<uint32_t, Row> rows_;
  std::map<Sequence, uint32_t> by_sequence_;  // a mark of those that have it
  std::vector<SequenceSpan> spans_;
};

// Of histories that have no rows out of nowhere: reads of copies and of other processes. Empty, or what is wrong.
std::string FindBadPrefix(const std::vector<Call>& calls, const HistoryRows& rows,
                          const std::vector<PrefixRead>& prefixes);

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_HISTORY_ROWS_H_
