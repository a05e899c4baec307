#include "engine/version/publisher.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/publish.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "log.pb.h"
#include "segment/deletion_bitmap.h"

namespace varve {

// What a publication is about to do, decided before anything durable names it.
struct Publisher::Plan {
  Sequence visible = 0;  // deaths up to it are in the bitmaps of this generation
  pb::Manifest next;
  std::map<FileId, std::shared_ptr<const RowSet>> folded;  // segment -> its new bitmap
  std::vector<FileId> reserved;                            // numbers that this generation names
};

Publisher::Publisher(CollectionState* state, LogManager* log, pb::Manifest manifest, FileId newest_checkpoint)
    : state_(state), log_(log) {
  absl::MutexLock lock(&mutex_);
  SetManifest(std::move(manifest));
  newest_checkpoint_ = newest_checkpoint;
  last_generation_ = manifest_.generation();
}

void Publisher::HoldGarbage(bool hold) {
  absl::MutexLock lock(&mutex_);
  garbage_holds_ += hold ? 1 : -1;
  if (!hold && garbage_holds_ == 0 && log_->poison().ok()) CollectGarbage();
}

void Publisher::RemoveLeft() {
  if (!mutex_.TryLock()) return;
  state_->views->Reclaim();
  const bool any =
      std::any_of(leaving_.begin(), leaving_.end(), [](const auto& segment) { return segment.second.expired(); });
  if (any && log_->poison().ok()) CollectGarbage();
  mutex_.Unlock();
}

pb::Manifest Publisher::manifest() const {
  absl::MutexLock lock(&published_mutex_);
  return *published_;
}

void Publisher::SetManifest(pb::Manifest manifest) {
  manifest_ = std::move(manifest);
  absl::MutexLock lock(&published_mutex_);
  published_ = std::make_shared<const pb::Manifest>(manifest_);
}

absl::Status Publisher::Publish(Publication publication) {
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    status = PublishLocked(&publication);
  }
  log_->ReportEvents();
  return status;
}

absl::Status Publisher::PublishLocked(Publication* publication) {
  RETURN_IF_ERROR(log_->poison());
  Plan plan;
  plan.next = manifest_;
  plan.next.clear_closed_log();
  absl::Status status = PlanSegments(publication, &plan);
  if (status.ok() && publication->flushed != nullptr) {
    plan.next.set_wal_sequence(std::max<Sequence>(plan.next.wal_sequence(), publication->flushed->last_sequence));
  }
  if (status.ok()) {
    // Nothing durable runs ahead of the log: what the bitmaps contain must survive in the log too.
    const absl::StatusOr<DurablePosition> durable =
        VARVE_SEEDED_BUG(kManifestBeforeLog) ? DurablePosition() : log_->SyncUpTo(plan.visible);
    status = durable.status();
    if (durable.ok() && durable->sequence > plan.next.durable_sequence()) {
      plan.next.set_durable_sequence(durable->sequence);
      plan.next.set_durable_log(durable->log);
      plan.next.set_durable_offset(durable->offset);
    }
  }
  if (publication->closed_log.has_value()) {
    pb::ClosedLog* closed = plan.next.mutable_closed_log();
    closed->set_number(publication->closed_log->number);
    closed->set_length(publication->closed_log->length);
    closed->set_last_sequence(publication->closed_log->last_sequence);
  }
  plan.next.set_last_sequence(std::max<Sequence>(plan.next.last_sequence(), plan.visible));
  if (VARVE_SEEDED_BUG(kLogRemovedEarly)) log_->RemoveUpTo(plan.next.wal_sequence());
  for (const FileId id : publication->removed) {
    if (VARVE_SEEDED_BUG(kSegmentsRemovedEarly))
      (void)state_->fs->RemoveFile(JoinPath(state_->directory, SegmentName(id)));
  }
  if (status.ok()) status = WriteGeneration(plan.next);
  if (status.ok()) {
    const auto install = [&] { InstallView(*publication, plan); };
    if (write_path_ != nullptr) {
      write_path_->RunExclusive(install);
    } else {
      install();
    }
  }
  for (FileId id : plan.reserved) state_->file_ids.Settle(id);
  for (const Publication::Added& added : publication->added) state_->file_ids.Settle(added.entry.id());
  if (status.ok()) {
    // Bulk loads hold their files until a manifest names them.
    for (const pb::SegmentEntry& entry : plan.next.segments()) state_->file_ids.Settle(entry.id());
    CollectGarbage();
  }
  return status;
}

absl::Status Publisher::PlanSegments(Publication* publication, Plan* plan) {
  const ViewRegistry::Pin pin = state_->views->PinCurrent(state_->visible);
  plan->visible = pin.point.visible;
  const std::set<FileId> removed(publication->removed.begin(), publication->removed.end());
  plan->next.clear_segments();
  // A bulk load's segment is not named without the deaths that came with it.
  const Sequence wal_sequence = manifest_.wal_sequence();
  const bool fold_all =
      publication->fold_all || std::any_of(pin.view().segments.begin(), pin.view().segments.end(),
                                           [&](const SegmentPart& part) { return part.IsAfter(wal_sequence); });
  for (const SegmentPart& part : pin.view().segments) {
    if (removed.contains(part.entry.id())) continue;
    // A bulk load that is entering at this moment: its view is there before the sequence that makes it visible. It is
    // kept as one that came meanwhile.
    if (part.IsAfter(plan->visible)) continue;
    pb::SegmentEntry entry = part.entry;
    if (fold_all && !part.deaths->empty() && !VARVE_SEEDED_BUG(kDeathsNotFolded)) {
      RowSet dead = part.dead != nullptr ? *part.dead : RowSet(part.handle->rows());
      const uint32_t before = dead.Count();
      part.deaths->ForEach([&](RowId row, Sequence killer) {
        if (killer <= plan->visible) dead.Add(row);
      });
      if (dead.Count() != before) {
        const absl::Status planned = PlanBitmap(part.segment(), std::move(dead), plan, &entry);
        if (!VARVE_SEEDED_BUG(kBitmapErrorIgnored)) RETURN_IF_ERROR(planned);
      }
    }
    *plan->next.add_segments() = std::move(entry);
  }
  for (Publication::Added& added : publication->added) {
    RowSet dead(added.handle->rows());
    added.deaths(pin.view(), [&](RowId row, Sequence killer) {
      if (killer <= plan->visible) dead.Add(row);
    });
    if (dead.Count() != 0) RETURN_IF_ERROR(PlanBitmap(added.handle->segment(), std::move(dead), plan, &added.entry));
    *plan->next.add_segments() = added.entry;
  }
  uint64_t live = 0;
  for (const pb::SegmentEntry& entry : plan->next.segments()) live += entry.live_rows();
  plan->next.set_total_vectors(live);
  return absl::OkStatus();
}

absl::Status Publisher::PlanBitmap(const Segment& segment, RowSet dead, Plan* plan, pb::SegmentEntry* entry) {
  const FileId id = state_->file_ids.Reserve();
  plan->reserved.push_back(id);
  DeletionBitmapHeader header;
  header.collection = state_->uuid;
  header.segment = segment.id();
  header.file_id = id;
  header.rows = segment.rows();
  header.durable_sequence = plan->visible;
  const std::string path = JoinPath(state_->directory, BitmapName(segment.id(), id));
  ASSIGN_OR_RETURN(const PublishedBitmap published, WriteDeletionBitmap(state_->fs, path, header, dead));
  state_->metrics->bitmap_bytes.Add(published.bytes);
  pb::BitmapEntry* bitmap = entry->mutable_bitmap();
  bitmap->set_file_id(id);
  bitmap->set_length(published.bytes);
  bitmap->set_crc(Crc32cToHex(published.crc));
  bitmap->set_dead(dead.Count());
  entry->set_live_rows(segment.rows() - dead.Count());
  plan->folded[segment.id()] = std::make_shared<const RowSet>(std::move(dead));
  return absl::OkStatus();
}

absl::Status Publisher::WriteGeneration(pb::Manifest next) {
  const FileId checkpoint_id = state_->file_ids.Reserve();
  next.set_checkpoint_id(checkpoint_id);
  next.set_generation(++last_generation_);
  next.set_modified_at(state_->clock.NowMicros());
  next.set_clock_reading(state_->clock.NowMillis());
  next.set_next_file_id(state_->file_ids.next());
  pb::Checkpoint checkpoint;
  *checkpoint.mutable_manifest() = next;
  checkpoint.set_log_number(next.durable_log());
  checkpoint.set_log_offset(next.durable_offset());
  absl::Status status = WriteCheckpoint(state_->fs, state_->directory, checkpoint_id, checkpoint);
  if (status.ok()) {
    const ManifestPublication published = PublishManifest(state_->fs, state_->directory, next);
    status = published.status;
    if (!status.ok() && published.may_be_visible) log_->Poison(status);
    if (!status.ok() && !published.may_be_visible) {
      (void)state_->fs->RemoveFile(JoinPath(state_->directory, CheckpointName(checkpoint_id)));
    }
  }
  if (status.ok()) {
    SetManifest(std::move(next));
    newest_checkpoint_ = checkpoint_id;
  }
  state_->file_ids.Settle(checkpoint_id);
  return status;
}

void Publisher::InstallView(const Publication& publication, const Plan& plan) {
  const ReadView& old = *state_->views->current();
  auto view = std::make_unique<ReadView>();
  for (const std::shared_ptr<Memtable>& memtable : old.memtables) {
    if (memtable != publication.flushed) view->memtables.push_back(memtable);
  }
  std::map<FileId, const pb::SegmentEntry*> entries;
  for (const pb::SegmentEntry& entry : plan.next.segments()) entries[entry.id()] = &entry;
  const std::set<FileId> removed(publication.removed.begin(), publication.removed.end());
  // Deaths that are not in the bitmap stay in memory.
  const auto late = [&](RowDeaths* deaths) {
    return [deaths, visible = plan.visible](RowId row, Sequence killer) {
      if (killer > visible) deaths->Kill(row, killer);
    };
  };
  for (const SegmentPart& part : old.segments) {
    const auto entry = entries.find(part.entry.id());
    if (entry == entries.end()) {
      if (removed.contains(part.entry.id())) {
        leaving_.emplace_back(part.entry.id(), part.handle);
        keeps_files_.store(true, std::memory_order_relaxed);
      } else {
        view->segments.push_back(part);  // came meanwhile, by a bulk load
      }
      continue;
    }
    SegmentPart kept = part;
    kept.entry = *entry->second;
    if (const auto folded = plan.folded.find(part.entry.id()); folded != plan.folded.end()) {
      kept.dead = folded->second;
      kept.deaths = std::make_shared<RowDeaths>(part.handle->rows(), state_->budget);
      part.deaths->ForEach(late(kept.deaths.get()));
    }
    view->segments.push_back(std::move(kept));
  }
  for (const Publication::Added& added : publication.added) {
    SegmentPart part;
    part.handle = added.handle;
    part.entry = *entries.at(added.entry.id());
    if (const auto folded = plan.folded.find(added.entry.id()); folded != plan.folded.end()) part.dead = folded->second;
    part.deaths = std::make_shared<RowDeaths>(added.handle->rows(), state_->budget);
    if (!VARVE_SEEDED_BUG(kLateDeathLost)) added.deaths(old, late(part.deaths.get()));
    view->segments.push_back(std::move(part));
  }
  state_->views->Install(std::move(view));

  pb::LogControl control;
  control.mutable_checkpoint()->set_checkpoint_id(newest_checkpoint_);
  // For people who read the log; nothing depends on it.
  if (write_path_ != nullptr) (void)write_path_->AppendControl(control.SerializeAsString());
}

void Publisher::CollectGarbage() {
  if (garbage_holds_ > 0) return;
  log_->RemoveUpTo(manifest_.wal_sequence());
  std::erase_if(leaving_, [](const auto& segment) { return segment.second.expired(); });
  keeps_files_.store(!leaving_.empty(), std::memory_order_relaxed);
  CollectionGarbage garbage;
  garbage.manifest = &manifest_;
  garbage.in_use = [this](FileId id) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (state_->file_ids.IsPending(id)) return true;
    return std::any_of(leaving_.begin(), leaving_.end(), [id](const auto& segment) { return segment.first == id; });
  };
  RemoveGarbage(state_->fs, state_->directory, garbage);
}

absl::Status Publisher::PublishRecovered(Sequence last_sequence, bool nothing_to_replay,
                                         const std::optional<CollectionIdentity>& identity) {
  absl::MutexLock lock(&mutex_);
  pb::Manifest next = manifest_;
  next.clear_closed_log();
  next.set_last_sequence(last_sequence);
  if (nothing_to_replay) next.set_wal_sequence(last_sequence);
  // Recovery has synced what it found of the log.
  if (const LogEnd end = log_->end(); end.number != 0 && end.last_sequence >= next.durable_sequence()) {
    next.set_durable_sequence(end.last_sequence);
    next.set_durable_log(end.number);
    next.set_durable_offset(end.length);
  }
  if (identity.has_value()) {
    next.set_instance(identity->instance.ToHex());
    next.set_log_secret(identity->secret.ToHex());
  }
  RETURN_IF_ERROR(WriteGeneration(std::move(next)));
  return absl::OkStatus();
}

}  // namespace varve
