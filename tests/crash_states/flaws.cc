#include "tests/crash_states/flaws.h"

#include <algorithm>

namespace varve::testing {
namespace {

DiskFault Skip(DiskCall call, const std::string& path_end, const std::string& path_part = "") {
  return {.calls = {call}, .path_part = path_part, .path_end = path_end, .error = 0};
}

#ifdef VARVE_SEEDED_BUGS
constexpr Flaw::Lane kByErrors = Flaw::Lane::kErrors;
constexpr Flaw::Lane kByGroups = Flaw::Lane::kGroups;
#endif

std::vector<Flaw> AllFlaws() {
  std::vector<Flaw> flaws = {
      {"log_sync", "records of the log are not synced", "per_op", {Skip(DiskCall::kSync, ".vwal")}},
      {"new_log_sync", "a new log is not synced before its rename", "per_op", {Skip(DiskCall::kSync, ".vwal.tmp")}},
      {"log_directory", "the name of a new log is not synced", "per_op", {Skip(DiskCall::kSyncDirectory, "/wal")}},
      {"log_cut", "a torn tail is not cut off", "per_op every deaths", {Skip(DiskCall::kTruncate, ".vwal")}},
      {"segment_sync", "a segment is not synced", "flush", {Skip(DiskCall::kSync, ".vcnt.tmp")}},
      {"segment_directory",
       "the name of a segment is not synced",
       "flush",
       {Skip(DiskCall::kSyncDirectory, "/segments")}},
      {"bitmap_sync", "a deletion bitmap is not synced", "flush", {Skip(DiskCall::kSync, ".vdel.tmp")}},
      {"checkpoint_sync", "a checkpoint is not synced", "flush", {Skip(DiskCall::kSync, ".vckp.tmp")}},
      {"checkpoint_directory",
       "the name of a checkpoint is not synced",
       "flush",
       {Skip(DiskCall::kSyncDirectory, "/checkpoint")}},
      {"manifest_sync", "the manifest is not synced", "flush", {Skip(DiskCall::kSync, "manifest.json.tmp")}},
      {"manifest_copy_sync", "its copy is not synced", "flush", {Skip(DiskCall::kSync, "manifest.json.1.tmp")}},
      {"collection_directory",
       "the manifest's name is not synced",
       "flush merge",
       {Skip(DiskCall::kSyncDirectory, "/c")}},
      {"new_directory",
       "the name of a new directory is not synced",
       "create",
       {Skip(DiskCall::kSyncDirectory, "/deep")}},
      {"backup_directory",
       "the name of a backup is not synced",
       "backup",
       {Skip(DiskCall::kSyncDirectory, "/backups")}},
      {"backup_log", "the log of a backup is not synced", "backup", {Skip(DiskCall::kSync, ".vwal", "/b.tmp/wal/")}},
      {"backup_segments",
       "the names of a backup's segments are not synced",
       "backup",
       {Skip(DiskCall::kSyncDirectory, "/b.tmp/segments")}},
      {"drop", "a drop is not synced", "drop", {Skip(DiskCall::kSyncDirectory, "/db")}},
      {"garbage", "files are not removed", "flush", {Skip(DiskCall::kRemoveFile, ".vwal")}},
  };
#ifdef VARVE_SEEDED_BUGS
  const std::vector<Flaw> bugs = {
      {"early_ack", "a write is acknowledged before its sync", "per_op", {}, SeededBug::kAckBeforeSync},
      {"no_batch_marks", "each record is a batch of its own", "large_batch", {}, SeededBug::kNoBatchMarks},
      {"no_payload_checksum",
       "the checksum of a record is not looked at",
       "large_batch every",
       {},
       SeededBug::kNoPayloadChecksum},
      {"reused_file_id", "numbers of files go on behind the manifest's", "flush merge", {}, SeededBug::kReusedFileId},
      {"resurrected_delete", "replay leaves rows of segments alive", "flush", {}, SeededBug::kResurrectedDelete},
      {"manifest_before_log", "a generation does not wait for the log", "frozen", {}, SeededBug::kManifestBeforeLog},
      {"log_removed_early", "logs go before the manifest is there", "flush", {}, SeededBug::kLogRemovedEarly},
      {"segments_removed_early",
       "merged segments go before the manifest is there",
       "merge",
       {},
       SeededBug::kSegmentsRemovedEarly},
      {"reused_sequences",
       "sequences of lost writes are given again",
       "on_flush every",
       {},
       SeededBug::kReusedSequences},
      {"unsealed_log", "recovery does not sync the log that it builds on", "deaths", {}, SeededBug::kUnsealedLog},
      {"torn_is_damage", "a torn tail is taken for damage", "on_flush", {}, SeededBug::kTornIsDamage},
      {"found_names", "recovery builds on names that are not synced", "deaths create", {}, SeededBug::kFoundNames},
      {"place_of_copy", "a copy's own name is not synced when it is opened", "restore", {}, SeededBug::kPlaceOfCopy},
      {"found_directories", "directories that were there are not synced", "create", {}, SeededBug::kFoundDirectories},
      {"leftovers", "recovery leaves unfinished files", "flush", {}, SeededBug::kLeftovers},
      {"rotated_unsynced",
       "a log is left unsynced when the next one begins",
       "rotation",
       {},
       SeededBug::kRotatedUnsynced},
      {"every_plus_one", "every:N loses N operations", "every", {}, SeededBug::kEveryNPlusOne},
      {"no_interval", "interval:MS does not sync", "interval", {}, SeededBug::kNoInterval},
      {"half_batch", "replay applies what is there of a batch", "large_batch", {}, SeededBug::kHalfBatch},
      {"early_bulk_ack", "a bulk load is durable before its log record", "bulk_load", {}, SeededBug::kEarlyBulkAck},
      {"deaths_not_folded", "a flush writes no deletion bitmaps", "flush", {}, SeededBug::kDeathsNotFolded},
      {"late_death", "deaths that come during a flush or merge are lost", "beside", {}, SeededBug::kLateDeathLost},
      {"two_writers", "a lock that is held is no hindrance", "per_op", {}, SeededBug::kTwoWriters},
      {"reader_removes", "a reader removes what it takes for garbage", "flush", {}, SeededBug::kReaderRemoves},
      {"namespace_delete", "replay forgets deletes of namespaces", "namespaces", {}, SeededBug::kNamespaceDeleteLost},
      {"expiry", "replay forgets times to live", "ttl", {}, SeededBug::kExpiryLost},
      {"retried_sync", "a failed sync is tried again", "per_op", {}, SeededBug::kRetriedSync, kByErrors},
      {"ignored_write",
       "a write to the log that fails is taken for done",
       "per_op",
       {},
       SeededBug::kIgnoredWriteError,
       kByErrors},
      {"refused_poisons", "want of space stops the writer", "per_op", {}, SeededBug::kRefusedPoisons, kByErrors},
      {"close_unchecked",
       "nobody looks whether a log could be closed",
       "rotation",
       {},
       SeededBug::kCloseUnchecked,
       kByErrors},
      {"no_rewrite", "recovery trusts clean pages after a failed sync", "per_op", {}, SeededBug::kNoRewrite, kByErrors},
      {"seal_error",
       "recovery goes on when it could not seal the log",
       "deaths",
       {},
       SeededBug::kSealErrorIgnored,
       kByErrors},
      {"applied_before_log",
       "rows are visible before the log has them",
       "per_op",
       {},
       SeededBug::kAppliedBeforeLog,
       kByErrors},
      {"never_settled",
       "the number of a file that failed is never given back",
       "flush",
       {},
       SeededBug::kNeverSettled,
       kByErrors},
      {"bitmap_error",
       "a flush goes on when it could not write a bitmap",
       "flush",
       {},
       SeededBug::kBitmapErrorIgnored,
       kByErrors},
      {"leaked_lock", "a failed opening keeps the lock", "deaths", {}, SeededBug::kLeakedLock, kByErrors},
      {"incomplete_list",
       "a list leaves out what it could not look at",
       "removal",
       {},
       SeededBug::kIncompleteList,
       kByErrors},
      {"followers", "who shares a failed sync is acknowledged", "", {}, SeededBug::kFollowersAcked, kByGroups},
  };
  flaws.insert(flaws.end(), bugs.begin(), bugs.end());
#endif
  return flaws;
}

}  // namespace

const std::vector<Flaw>& Flaws() {
  static const std::vector<Flaw> flaws = AllFlaws();
  return flaws;
}

const Flaw* FindFlawByName(std::string_view name) {
  const auto found = std::find_if(Flaws().begin(), Flaws().end(), [&](const Flaw& flaw) { return flaw.name == name; });
  return found == Flaws().end() ? nullptr : &*found;
}

}  // namespace varve::testing
