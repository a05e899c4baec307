// The fixture of the tests of replay: a directory of logs, a request, and what was applied.
#ifndef VARVE_WAL_LOG_REPLAY_FIXTURE_H_
#define VARVE_WAL_LOG_REPLAY_FIXTURE_H_

#include <string>
#include <vector>

#include "wal/log_recovery.h"
#include "wal/log_test_support.h"

namespace varve::testing {

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    request_.collection = UuidOf('A');
    request_.secret = UuidOf('a');
  }

  void UseLogs(const std::vector<uint64_t>& numbers) {
    request_.logs.clear();
    for (const uint64_t number : numbers) request_.logs.push_back({number, LogPath(number)});
  }

  std::string Contents(uint64_t number) { return ReadAll(&fs_, LogPath(number)); }
  void SetContents(uint64_t number, std::string_view contents) { WriteAll(&fs_, LogPath(number), contents); }

  // Fills batches_ and sequences_ anew.
  absl::StatusOr<ReplayResult> Replay() {
    batches_.clear();
    sequences_.clear();
    return ReplayLogs(&fs_, request_, [this](absl::Span<const LogRecord> records) {
      EXPECT_FALSE(records.empty());
      batches_.emplace_back();
      for (const LogRecord& record : records) {
        batches_.back().push_back(record.payload);
        sequences_.push_back(record.sequence);
      }
      return absl::OkStatus();
    });
  }

  HookedFileSystem fs_;
  ReplayRequest request_;
  std::vector<Batch> batches_;
  std::vector<Sequence> sequences_;
};

}  // namespace varve::testing

#endif  // VARVE_WAL_LOG_REPLAY_FIXTURE_H_
