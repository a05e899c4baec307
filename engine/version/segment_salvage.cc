#include "engine/version/segment_salvage.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "engine/version/file_names.h"
#include "engine/version/part_opener.h"
#include "engine/version/row_access.h"
#include "engine/write/write_path.h"

namespace varve {
namespace {

bool IsLost(const absl::Status& status) { return absl::IsNotFound(status) || absl::IsDataLoss(status); }

std::string FirstDamage(const std::vector<Segment::Damage>& damage) {
  const Segment::Damage& first = damage.front();
  return "at offset " + std::to_string(first.offset) + ": " + first.section + ": " + first.what;
}

}  // namespace

absl::Status SegmentSalvage::AddNamed(const pb::Manifest& manifest) {
  std::vector<Found> segments;
  for (const pb::SegmentEntry& entry : manifest.segments()) {
    ASSIGN_OR_RETURN(Found found, Find(entry));
    segments.push_back(std::move(found));
  }
  // What is whole comes first, so that what is taken out of the others meets what replaced it.
  std::vector<size_t> without_bitmap;
  for (const Found& found : segments) {
    if (found.handle == nullptr) continue;
    if (found.bitmap_lost) without_bitmap.push_back(view_->segments.size());
    view_->segments.push_back(MakePart(found));
  }
  for (const size_t position : without_bitmap) RETURN_IF_ERROR(KillOutdated(view_->segments[position]));
  RETURN_IF_ERROR(MakeRoom(segments));
  for (Found& found : segments) {
    if (found.handle == nullptr) RETURN_IF_ERROR(TakeRows(&found));
    Finish(&found);
    named_.insert(found.entry.id());
  }
  if (!view_->memtables.front()->empty()) view_->memtables.insert(view_->memtables.begin(), state_.NewMemtable());
  return absl::OkStatus();
}

absl::Status SegmentSalvage::MakeRoom(absl::Span<const Found> segments) {
  const size_t row_bytes = view_->memtables.front()->RowBytes({});
  uint64_t bytes = 0;
  for (const Found& found : segments) {
    if (found.handle != nullptr || found.segment == nullptr) continue;
    uint64_t of_rows = 0;
    if (!CheckedMul(found.segment->rows(), row_bytes, &of_rows) || !CheckedAdd(bytes, of_rows, &bytes)) {
      return ResourceExhausted(found.account.file + ": more rows than fit into memory");
    }
  }
  if (bytes == 0) return absl::OkStatus();
  Memtable::Limits limits = state_.MemtableLimits();
  limits.bytes = std::max<size_t>(limits.bytes, bytes);
  view_->memtables.front() = std::make_shared<Memtable>(state_.schema, limits, state_.options.seed, state_.budget);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SegmentPart>> SegmentSalvage::OpenIngested(const pb::SegmentEntry& entry) {
  is_replaying_ = true;
  // The manifest names it too: its rows are there, with its bitmap.
  if (named_.contains(entry.id())) return std::nullopt;
  ASSIGN_OR_RETURN(Found found, Find(entry));
  std::optional<SegmentPart> part;
  if (found.handle != nullptr) {
    part = MakePart(found);
  } else {
    RETURN_IF_ERROR(TakeRows(&found));
  }
  Finish(&found);
  return part;
}

absl::StatusOr<SegmentSalvage::Found> SegmentSalvage::Find(const pb::SegmentEntry& entry) {
  Found found;
  found.entry = entry;
  found.account.file = SegmentName(entry.id());
  if (entry.has_bitmap()) RETURN_IF_ERROR(FindBitmap(&found));
  const absl::StatusOr<FileInfo> info = state_.fs->Stat(state_.directory + "/" + found.account.file);
  if (info.ok()) found.account.bytes = info->size;
  absl::StatusOr<std::shared_ptr<const Segment>> segment = OpenBareSegment(state_, entry);
  if (!segment.ok()) {
    if (!IsLost(segment.status())) return segment.status();
    found.account.why = std::string(segment.status().message());
    return found;
  }
  found.segment = *std::move(segment);
  std::vector<Segment::Damage> damage;
  found.segment->VerifyAll(&damage);
  if (!damage.empty()) {
    found.account.why = FirstDamage(damage);
    return found;
  }
  absl::StatusOr<std::shared_ptr<const SegmentHandle>> handle = SegmentHandle::Make(found.segment, state_.schema);
  if (handle.ok()) {
    found.handle = *std::move(handle);
    found.account.rows_kept = found.entry.live_rows();
  } else if (absl::IsDataLoss(handle.status())) {
    found.account.why = std::string(handle.status().message());
  } else {
    return handle.status();
  }
  return found;
}

absl::Status SegmentSalvage::FindBitmap(Found* found) {
  const pb::BitmapEntry& named = found->entry.bitmap();
  SalvagedFile account;
  account.file = BitmapName(found->entry.id(), named.file_id());
  absl::StatusOr<std::shared_ptr<const RowSet>> dead = OpenDeadRows(state_, found->entry);
  if (dead.ok()) {
    found->dead = *std::move(dead);
    account.bytes = named.length();
  } else {
    if (!IsLost(dead.status())) return dead.status();
    account.why = std::string(dead.status().message());
    report_.push_back(account.file + ": which rows of " + SegmentName(found->entry.id()) +
                      " were dead is lost: up to " + std::to_string(named.dead()) +
                      " that were deleted may be back: " + account.why);
    found->bitmap_lost = true;
    found->entry.clear_bitmap();
    found->entry.set_live_rows(found->entry.rows());
  }
  account_.push_back(std::move(account));
  return absl::OkStatus();
}

SegmentPart SegmentSalvage::MakePart(const Found& found) const {
  SegmentPart part;
  part.handle = found.handle;
  part.entry = found.entry;
  part.dead = found.dead;
  part.deaths = std::make_shared<RowDeaths>(found.handle->rows(), state_.budget);
  return part;
}

absl::Status SegmentSalvage::KillOutdated(const SegmentPart& part) {
  const Segment& segment = part.segment();
  for (RowId row = 0; row < segment.rows(); ++row) {
    ASSIGN_OR_RETURN(const Segment::Key key, segment.KeyOf(row));
    ASSIGN_OR_RETURN(const RowLocation other, FindLiveRow(*view_, key.ns, key.key, kMaxSequence, part.entry.id()));
    if (!other.found()) continue;
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(other));
    ASSIGN_OR_RETURN(const Sequence sequence, segment.SequenceOf(row));
    if (facts.sequence > sequence) {
      part.deaths->Kill(row, facts.sequence);
    } else if (other.part != nullptr) {
      other.part->deaths->Kill(other.row, sequence);
    }
  }
  return absl::OkStatus();
}

absl::Status SegmentSalvage::TakeRows(Found* found) {
  SalvagedFile& account = found->account;
  const uint64_t live = found->entry.live_rows();
  if (found->segment != nullptr) {
    const Segment& segment = *found->segment;
    // Without it nothing says which of the rows have expired.
    const absl::StatusOr<absl::Span<const int64_t>> expiry = segment.Expiry();
    for (RowId row = 0; expiry.ok() && row < segment.rows(); ++row) {
      if (found->dead != nullptr && found->dead->Contains(row)) continue;
      ASSIGN_OR_RETURN(const bool taken, TakeRow(segment, row, *expiry));
      if (taken) ++account.rows_kept;
    }
  }
  account.rows_dropped = live - std::min(live, account.rows_kept);
  if (account.rows_kept == 0) account.bytes_dropped = account.bytes;
  if (account.rows_dropped == 0) return absl::OkStatus();
  const Sequence ingest = found->entry.ingest_sequence();
  account.first_dropped = ingest != 0 ? ingest : found->entry.smallest_sequence();
  account.last_dropped = ingest != 0 ? ingest : found->entry.largest_sequence();
  return absl::OkStatus();
}

absl::StatusOr<bool> SegmentSalvage::TakeRow(const Segment& segment, RowId row, absl::Span<const int64_t> expiry) {
  const absl::StatusOr<Segment::Key> key = segment.KeyOf(row);
  const absl::StatusOr<Sequence> sequence = segment.SequenceOf(row);
  const absl::StatusOr<Segment::Times> times = segment.TimesOf(row);
  const absl::StatusOr<StoredDocument> document = segment.ReadDocument(row);
  if (!key.ok() || !sequence.ok() || !times.ok() || !document.ok()) return false;
  Effect effect;
  effect.sequence = *sequence;
  effect.has_row = true;
  effect.row.ns = key->ns;
  effect.row.key = key->key;
  effect.row.metadata = document->metadata;
  effect.row.payload = document->payload;
  effect.row.created_at_us = times->created_at_us;
  effect.row.updated_at_us = times->updated_at_us;
  if (!expiry.empty()) effect.row.expires_at_ms = expiry[row];
  effect.row.vectors.resize(state_.schema.fields.size());
  for (size_t f = 0; f < state_.schema.fields.size(); ++f) {
    const absl::StatusOr<absl::Span<const std::byte>> vector = segment.VectorOf(state_.schema.fields[f].id, row);
    if (!vector.ok() || (!vector->empty() && vector->size() != state_.schema.fields[f].vector_bytes())) return false;
    effect.row.vectors[f] = AsChars(*vector);
  }
  ASSIGN_OR_RETURN(effect.old, FindLiveRow(*view_, effect.row.ns, effect.row.key, kMaxSequence));
  if (effect.old.found()) {
    ASSIGN_OR_RETURN(const RowFacts facts, ReadRowFacts(effect.old));
    if (facts.sequence >= effect.sequence) return true;  // the key has a newer row: nothing is lost
  }
  // For rows of named segments MakeRoom has made room, whatever their documents take.
  if (is_replaying_ && !view_->memtables.front()->Fits(view_->memtables.front()->RowBytes(effect.row), 1)) {
    view_->memtables.insert(view_->memtables.begin(), state_.NewMemtable());
  }
  (void)ApplyEffect(*view_, effect, nullptr);
  return true;
}

void SegmentSalvage::Finish(Found* found) {
  const SalvagedFile& account = found->account;
  if (!account.why.empty()) {
    report_.push_back(account.file + ": " + std::to_string(account.rows_dropped) + " of " +
                      std::to_string(account.rows_dropped + account.rows_kept) + " live rows dropped: " + account.why);
  }
  account_.push_back(account);
}

}  // namespace varve
