// verify: the key tables of all segments against each other.
#include <algorithm>
#include <queue>
#include <tuple>

#include "base/status.h"
#include "engine/admin/verify_segments.h"

namespace varve {
namespace {

// Keys that are live twice follow each other by the million once something is wrong: the first say enough.
constexpr uint64_t kMaxReported = 100;

// A segment's next live row in the merge of all key tables.
struct Cursor {
  const NamedSegment* segment = nullptr;
  RowId row = 0;
  Segment::Key key;
};

// Greatest first, for std::priority_queue: the smallest key is on top.
struct KeyAbove {
  bool operator()(const Cursor& a, const Cursor& b) const {
    return std::tie(a.key.ns, a.key.key) > std::tie(b.key.ns, b.key.key);
  }
};

class KeyMerge {
 public:
  KeyMerge(VerifyRun* run, const std::vector<NamedSegment>& segments) : run_(run) {
    for (const NamedSegment& segment : segments) {
      if (segment.sound) Push({&segment, 0, {}});
    }
  }

  absl::Status Run() {
    RETURN_IF_ERROR(status_);
    bool has_last = false;
    Cursor last;
    uint64_t doubles = 0;
    while (!queue_.empty()) {
      const Cursor cursor = queue_.top();
      queue_.pop();
      if (has_last && last.key.ns == cursor.key.ns && last.key.key == cursor.key.key) {
        if (++doubles <= kMaxReported) ReportDouble(last, cursor);
      }
      last = cursor;
      has_last = true;
      Push({cursor.segment, cursor.row + 1, {}});
      RETURN_IF_ERROR(status_);
    }
    if (doubles > kMaxReported) {
      run_->AddDamage(last.segment->name, 0, "IDS",
                      std::to_string(doubles - kMaxReported) + " more keys are live twice");
    }
    return absl::OkStatus();
  }

 private:
  // Puts back the cursor at its first live row at or behind cursor.row, if there is one.
  void Push(Cursor cursor) {
    const Segment& segment = *cursor.segment->segment;
    while (cursor.row < segment.rows() && cursor.segment->dead.Contains(cursor.row)) ++cursor.row;
    if (cursor.row >= segment.rows()) return;
    const absl::StatusOr<Segment::Key> key = segment.KeyOf(cursor.row);
    if (!key.ok()) {
      // The file was good a moment ago; say so and leave the rest of it out.
      status_.Update(run_->AddStatus(cursor.segment->name, key.status()));
      return;
    }
    cursor.key = *key;
    queue_.push(cursor);
  }

  void ReportDouble(const Cursor& a, const Cursor& b) {
    run_->AddDamage(b.segment->name, 0, "IDS",
                    "key " + Quoted(b.key.key) + " of namespace " + Quoted(b.key.ns) + " is live in row " +
                        std::to_string(b.row) + " and in row " + std::to_string(a.row) + " of " + a.segment->name);
  }

  VerifyRun* const run_;
  std::priority_queue<Cursor, std::vector<Cursor>, KeyAbove> queue_;
  absl::Status status_;
};

}  // namespace

absl::Status VerifyKeysLiveOnce(VerifyRun* run, const std::vector<NamedSegment>& segments) {
  return KeyMerge(run, segments).Run();
}

}  // namespace varve
