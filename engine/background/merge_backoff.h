// What background merges leave out for a while because a merge with it has failed: a segment that cannot be read must
// not stop the merges of all others, nor a merge that is too large for the disk the smaller ones.
#ifndef VARVE_ENGINE_BACKGROUND_MERGE_BACKOFF_H_
#define VARVE_ENGINE_BACKGROUND_MERGE_BACKOFF_H_

#include <cstdint>
#include <map>

#include "absl/types/span.h"
#include "engine/version/read_view.h"
#include "varve/types.h"

namespace varve {

// Times are monotonic, in microseconds. Thread-compatible.
class MergeBackoff {
 public:
  // A merge failed because of these segments: they are left out for ten seconds, and each time for twice as long, an
  // hour at most.
  void Failed(absl::Span<const FileId> segments, int64_t now_us);
  // A merge of so many rows was too large: for a while, as long as for a segment, only half of that is tried.
  void TooLarge(uint64_t rows, int64_t now_us);
  // A merge of so many rows succeeded.
  void Succeeded(uint64_t rows) {
    if (rows > max_rows_) too_large_ = {};
  }

  bool LeavesOut(FileId segment, int64_t now_us) const;
  // The rows that a merge may have.
  uint64_t max_rows(int64_t now_us) const;
  // When something is to be tried again next; 0: nothing is left out.
  int64_t next_try_us(int64_t now_us) const;
  // Forgets segments that are not in the view.
  void Forget(const ReadView& view);

 private:
  struct Wait {
    int64_t until_us = 0;
    int64_t length_us = 0;  // 0: it has not failed
  };
  static void Prolong(Wait* wait, int64_t now_us);

  std::map<FileId, Wait> segments_;
  Wait too_large_;
  uint64_t max_rows_ = UINT64_MAX;  // meaningful while too_large_ waits
};

}  // namespace varve

#endif  // VARVE_ENGINE_BACKGROUND_MERGE_BACKOFF_H_
