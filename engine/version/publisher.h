// How the files of a collection change: one publication at a time, each a new generation of the manifest. A publication
// adds and removes segments, folds overlays of deaths into deletion bitmaps, makes the log durable as far as its
// contents reach, writes checkpoint and manifest, and then installs the new view and removes what nothing names any
// more.
//
// The order and what fails how are docs/recovery.md, "Publishing". Thread-safe.
#ifndef VARVE_ENGINE_VERSION_PUBLISHER_H_
#define VARVE_ENGINE_VERSION_PUBLISHER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/version/collection_state.h"
#include "engine/version/file_collector.h"
#include "engine/write/log_manager.h"
#include "engine/write/write_path.h"
#include "manifest.pb.h"

namespace varve {

// What a publication changes, beside folding deaths into bitmaps.
struct Publication {
  // A segment to add, and how to find out which of its rows have died since they were read for it.
  struct Added {
    std::shared_ptr<const SegmentHandle> handle;
    pb::SegmentEntry entry;
    // Calls visit(row, killer) for each row of the segment that has died, as the view says now.
    std::function<void(const ReadView& view, const std::function<void(RowId row, Sequence killer)>& visit)> deaths;
  };
  std::vector<Added> added;
  std::vector<FileId> removed;
  // The memtable that was flushed: leaves the view; replay then starts behind its last sequence.
  std::shared_ptr<Memtable> flushed;
  // Write bitmaps for all segments with deaths (a flush), or only for those added (a merge).
  bool fold_all = false;
  // The log was closed for good (Close).
  std::optional<LogEnd> closed_log;
};

// What tells a copy from the collection that it was made of.
struct CollectionIdentity {
  Uuid instance;
  Uuid secret;  // of its logs
};

class Publisher {
 public:
  // `manifest` is the current one.
  Publisher(CollectionState* state, LogManager* log, pb::Manifest manifest, FileId newest_checkpoint);
  // Must be called before the first publication that needs steps.
  void SetWritePath(WritePath* write_path) { write_path_ = write_path; }

  // A failure before the manifest's rename is soft: nothing has changed. One after it is final and poisons the log.
  absl::Status Publish(Publication publication);
  // A fresh generation without changes, after a recovery. `last_sequence` is where numbering goes on. With `identity`
  // the collection becomes another one than that which it was copied from; requires nothing_to_replay.
  absl::Status PublishRecovered(Sequence last_sequence, bool nothing_to_replay,
                                const std::optional<CollectionIdentity>& identity = std::nullopt);

  // While anyone holds it, nothing is removed: after a salvage, until what was recovered is safe; while a backup is
  // made. Each hold is ended by its own call with false; what became garbage meanwhile goes with the last one.
  void HoldGarbage(bool hold);

  // Whether segments that left the view are still there for their readers.
  bool keeps_files() const { return keeps_files_.load(std::memory_order_relaxed); }
  // Removes those whose readers have gone. Does nothing while a publication is under way, which does it at its end.
  void RemoveLeft();

  // Does not wait for a publication that is under way.
  pb::Manifest manifest() const;

 private:
  struct Plan;

  absl::Status PublishLocked(Publication* publication) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PlanSegments(Publication* publication, Plan* plan) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PlanBitmap(const Segment& segment, RowSet dead, Plan* plan, pb::SegmentEntry* entry);
  absl::Status WriteGeneration(pb::Manifest next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void InstallView(const Publication& publication, const Plan& plan) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void SetManifest(pb::Manifest manifest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CollectGarbage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CollectionState* const state_;
  LogManager* const log_;
  WritePath* write_path_ = nullptr;
  absl::Mutex mutex_;
  pb::Manifest manifest_ ABSL_GUARDED_BY(mutex_);
  // The same, for those who only look: mutex_ is held through the whole of a publication.
  mutable absl::Mutex published_mutex_ ABSL_ACQUIRED_AFTER(mutex_);
  std::shared_ptr<const pb::Manifest> published_ ABSL_GUARDED_BY(published_mutex_);
  // Segments that left the view, whose files stay while a reader pins them.
  std::vector<std::pair<FileId, std::weak_ptr<const SegmentHandle>>> leaving_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> keeps_files_{false};  // leaving_ is not empty
  FileId newest_checkpoint_ ABSL_GUARDED_BY(mutex_);
  // The largest generation that was ever tried: that of a publication that failed is not given again.
  uint64_t last_generation_ ABSL_GUARDED_BY(mutex_);
  int garbage_holds_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace varve

#endif  // VARVE_ENGINE_VERSION_PUBLISHER_H_
