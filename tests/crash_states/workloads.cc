#include "tests/crash_states/workloads.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/publish.h"
#include "tests/crash_states/random_life.h"
#include "varve/collection.h"

namespace varve::testing {
namespace {

constexpr char kPath[] = "/c";
constexpr std::string_view kRandom = "random:";

std::string Key(int i) { return "k" + std::to_string(i); }

// A collection of a few records, synced.
void Prepare(Lab* lab, const SyncMode& mode = SyncMode::PerOp()) {
  lab->mode = mode;
  lab->Create(kPath);
  for (int i = 0; i < 4; ++i) lab->Put(Key(i), i);
  lab->Flush();
  lab->Close();
}

// The same, open, and written down from here on.
void Begin(Lab* lab, const SyncMode& mode = SyncMode::PerOp()) {
  Prepare(lab, mode);
  lab->Record();
  lab->Open(kPath);
}

void CreateAndWrite(Lab* lab) {
  lab->Record();
  lab->Create("/deep/c");
  lab->Put("a", 1);
  lab->Put("b", 2);
  lab->Close();
  lab->Open("/deep/c");
  lab->Delete("a");
  lab->Close();
}

// Everything that a write may be.
void Writes(Lab* lab) {
  lab->Insert("i", 10);
  lab->UpdatePayload("k1", "another payload");
  lab->Delete("k2");
  lab->Batch({{"k3", 30}, {"b1", 11}, {"k0", -1}, {"b2", 12}});
  lab->PutIn("ns", "k1", 21);
  lab->PutForAWhile("t", 5, 1000);
  lab->Put("k2", 22);
}

void PerOp(Lab* lab) {
  Begin(lab);
  Writes(lab);
  lab->Close();
}

void EveryN(Lab* lab) {
  Begin(lab, SyncMode::EveryN(3));
  Writes(lab);
  lab->Put("asked", 40, {.sync = true});
  lab->Put("k1", 41);
  lab->Sync();
  lab->Put("k1", 42);
  lab->SetSyncMode(SyncMode::PerOp());
  lab->Put("k1", 43);
  lab->Close();
}

void Interval(Lab* lab) {
  // Time stands still but for one step, so that the interval is asked about by writes alone.
  Begin(lab, SyncMode::Interval(100'000));
  Writes(lab);
  lab->clock.Advance(100'000'000);
  lab->Put("later", 50, {});
  lab->Sync();
  lab->Put("last", 51);
  lab->Close();
}

void OnFlush(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  Writes(lab);
  lab->Flush();
  lab->Put("k1", 61);
  lab->Delete("i");
  lab->Close();
}

// Records of several pages, so that their writes tear.
void LargeBatch(Lab* lab) {
  Begin(lab, SyncMode::EveryN(100));
  std::vector<std::pair<std::string, int>> batch;
  for (int i = 0; i < 12; ++i) batch.emplace_back("large" + std::to_string(i) + std::string(900, 'x'), 100 + i);
  lab->Batch(batch);
  lab->Put("between", 1);
  for (auto& [key, value] : batch) value += 100;
  batch.erase(batch.begin(), batch.begin() + 4);
  lab->Batch(batch);
  lab->Put("end", 2, {.sync = true});
}

void FlushAndDelete(Lab* lab) {
  Begin(lab);
  lab->Put("k4", 4);
  lab->Delete("k0");  // a death in a segment, which the flush puts into a bitmap
  lab->Flush();
  lab->Put("k1", 71);
  lab->Delete("k4");
  lab->Checkpoint();
  lab->Put("k0", 70);
  lab->Flush();
  lab->Delete("k0");
  lab->Close();
}

void MergeSegments(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  lab->Put("k4", 4);
  lab->Delete("k1");
  lab->Flush();
  lab->Put("k5", 5);
  lab->Flush();
  lab->Delete("k5");
  lab->Put("k2", 82);
  lab->Merge();
  lab->Delete("k3");
  lab->Merge();
  lab->Put("k1", 81);
  lab->Close();
}

// Memtables that are frozen by writers, and logs that wait for their flush.
void Rotation(Lab* lab) {
  lab->options.memtable_rows = 3;
  Begin(lab, SyncMode::EveryN(4));
  for (int i = 0; i < 10; ++i) lab->Put(Key(i % 7), 90 + i);
  lab->Delete("k2");
  lab->Kill();
  lab->Open(kPath);
  for (int i = 0; i < 4; ++i) lab->Put(Key(i), 95 + i);
  lab->Close();
}

// A flush that publishes while the log behind it has writes that nobody has synced.
void Frozen(Lab* lab) {
  lab->options.memtable_rows = 2;
  Begin(lab, SyncMode::OnFlush());
  lab->Put("k0", 10);
  lab->Put("new", 11);
  lab->Put("k1", 12);  // freezes; its bitmap is that of a row that the flush does not hold
  lab->Delete("k2");
  lab->Put("k3", 13);
  lab->Put("k0", 14);
}

void Namespaces(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  for (int i = 0; i < 3; ++i) lab->PutIn("x", Key(i), i);
  lab->Flush();
  lab->PutIn("x", "new", 7);
  lab->DeleteNamespace("x");
  lab->PutIn("x", "k1", 8);
  lab->Flush();
  lab->DeleteWhereAtLeast(2);
  lab->Put("k9", 9);
  lab->Merge();
}

void Loads(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  lab->Put("k1", 1);
  lab->BulkLoad("l", 100, 10, 4);
  lab->Put("l1", 11);
  lab->BulkLoad("l", 200, 3, 4);
  lab->Delete("l2");
  lab->Flush();
  lab->Merge();
  lab->Close();
}

// Opened again and again, after the death of the process.
void Deaths(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  lab->Put("k1", 1);
  lab->Put("k5", 5);
  lab->Kill();
  lab->Open(kPath);
  lab->Delete("k1");
  lab->Kill();
  lab->Open(kPath);
  lab->Put("k1", 3);
  lab->Flush();
  lab->Put("k6", 6);
  lab->Kill();
  lab->Open(kPath);
  lab->Kill();
  lab->Open(kPath);
  lab->Close();
}

void ManyLogs(Lab* lab) {
  Begin(lab);
  for (int i = 0; i < 6; ++i) {
    lab->Put(Key(i), 30 + i);
    lab->Kill();
    lab->Open(kPath);
  }
  lab->Close();
}

// For disks that damage what stands beside a write.
void Padded(Lab* lab) {
  lab->options.wal_pad_to = 4096;
  lab->beside = true;
  Begin(lab, SyncMode::EveryN(2));
  Writes(lab);
  lab->Kill();
  lab->Open(kPath);
  lab->Put("k1", 5);
  lab->Flush();
  lab->Put("k2", 6);
  lab->Close();
}

void Backups(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  lab->Put("k4", 4);
  lab->Delete("k0");
  lab->Flush();
  lab->Put("k5", 5);
  lab->Backup("/backups/b");
  lab->Put("k6", 6);
  lab->Close();
}

// The first opening of a copy for writing gives it a name of its own.
void FirstOpeningOfACopy(Lab* lab) {
  Prepare(lab);
  lab->Open(kPath);
  lab->Put("k4", 4);
  lab->Flush();
  lab->Put("k5", 5);
  lab->Backup("/b");
  lab->Close();
  lab->Record();
  lab->Open("/b");
  lab->Put("k6", 6);
  lab->Close();
}

void Restores(Lab* lab) {
  Prepare(lab);
  lab->Open(kPath);
  lab->Put("k4", 4);
  lab->Backup("/b");
  lab->Close();
  lab->Record();
  lab->Restore("/b", "/restored");
}

void DropInDatabase(Lab* lab) {
  {
    DatabaseOptions options;
    options.collections = lab->options;
    lab->Fail(Database::Open("/db", options).status(), "open database");
  }
  for (const char* path : {"/db/a", "/db/b"}) {
    lab->Create(path);
    lab->Put("k", 1);
    lab->Flush();
    lab->Put("l", 2);
    lab->Close();
  }
  lab->Record();
  lab->database = "/db";
  lab->Drop("/db", "a");
  lab->Open("/db/b");
  lab->Put("m", 3);
  lab->Close();
}

// What was dropped before is removed when the database is opened, beside what goes on in it.
void RemovalOfTheDropped(Lab* lab) {
  {
    DatabaseOptions options;
    options.collections = lab->options;
    lab->Fail(Database::Open("/db", options).status(), "open database");
  }
  for (const char* path : {"/db/a", "/db/b", "/db/dropped"}) {
    lab->Create(path);
    lab->Put("k", 1);
    lab->Flush();
    lab->Put("l", 2);
    lab->Close();
  }
  lab->Fail(lab->memory->Rename("/db/dropped", "/db/.dropped-00112233445566778899aabbccddeeff"), "rename");
  std::erase_if(lab->ledgers, [](const Ledger& ledger) { return ledger.directory == "/db/dropped"; });
  lab->Record();
  lab->database = "/db";
  lab->Drop("/db", "");
  lab->Open("/db/b");
  lab->Put("m", 3);
  lab->Close();
  lab->Drop("/db", "b");
  lab->Open("/db/a");
  lab->Delete("k");
  lab->Close();
}

// Merges that nobody asked for, in turn with the writes that make them due.
void MergesInTheBackground(Lab* lab) {
  lab->options.background_merges = true;
  lab->options.max_segments = 4;
  Begin(lab, SyncMode::EveryN(3));
  for (int i = 0; i < 7; ++i) {
    lab->Put(Key(i % 5), 200 + i);
    lab->Put("m" + std::to_string(i), i);
    if (i % 3 == 2) lab->Delete("m" + std::to_string(i - 1));
    lab->Flush();
  }
  lab->Kill();
  lab->Open(kPath);
  lab->Put("k1", 5);
  lab->Close();
}

// Writes that come while a merge or a flush has read what they replace, and has not published.
void WritesBesideMerges(Lab* lab) {
  Begin(lab, SyncMode::EveryN(4));
  lab->Put("k4", 4);
  lab->Flush();
  lab->During(DiskCall::kCreateFile, ".vcnt.tmp", [lab] {
    lab->Delete("k1");
    lab->Put("k2", 102);
    lab->PutIn("x", "k1", 1);
  });
  lab->Merge();
  lab->Put("k5", 5);
  lab->During(DiskCall::kCreateFile, ".vckp.tmp", [lab] {
    lab->Delete("k5");
    lab->DeleteNamespace("x");
    lab->Put("k6", 6);
  });
  lab->Flush();
  lab->During(DiskCall::kRename, "/manifest.json", [lab] {
    lab->Delete("k6");
    lab->Put("k3", 103);
  });
  lab->Merge();
  lab->Kill();
  lab->Open(kPath);
  lab->Close();
}

// Records that expire: in the memtable, in segments, on their way through a flush and a merge.
void TimesToLive(Lab* lab) {
  Begin(lab, SyncMode::OnFlush());
  lab->PutForAWhile("t1", 1, 10);
  lab->PutForAWhile("t2", 2, 1000);
  lab->PutForAWhile("k1", 3, 10);
  lab->Flush();
  lab->PutForAWhile("t3", 4, 20);
  lab->clock.Advance(15'000'000);
  lab->Put("t1", 5);
  lab->Flush();
  lab->clock.Advance(10'000'000);
  lab->Insert("t3", 6);
  lab->Kill();
  lab->Open(kPath);
  lab->PutForAWhile("t4", 7, 30);
  lab->Merge();
  lab->clock.Advance(40'000'000);
  lab->Insert("k1", 8);
  lab->Merge();
  lab->Close();
}

// Damages the newest file of a folder in the middle, before anything is written down.
void Damage(Lab* lab, const std::string& folder) {
  const absl::StatusOr<std::vector<std::string>> names = lab->memory->List(folder);
  lab->Fail(names.status(), "list");
  if (!names.ok()) return;
  const std::string path = JoinPath(folder, *std::max_element(names->begin(), names->end()));
  const absl::StatusOr<std::string> bytes = ReadWholeFile(lab->memory.get(), path, 1 << 20);
  lab->Fail(bytes.status(), "read");
  if (!bytes.ok()) return;
  const absl::StatusOr<std::unique_ptr<WritableFile>> file = lab->memory->OpenForAppend(path);
  lab->Fail(file.status(), "open");
  if (file.ok()) lab->Fail((*file)->WriteAt(bytes->size() / 2, "damage").status, "write");
}

void Salvage(Lab* lab) {
  Prepare(lab);
  lab->Open(kPath);
  // Records of a page, of which the one in the middle is lost.
  for (int i = 0; i < 5; ++i) lab->Put("record" + std::to_string(i) + std::string(300, 'r'), i);
  lab->Close();
  Damage(lab, "/c/wal");
  lab->Record();
  lab->needs_salvage = true;
  lab->options.recovery = RecoveryMode::kSalvage;
  // What it keeps is told by a first salvage, of another disk.
  ReadOnlyOptions read_only;
  read_only.file_system = lab->memory.get();
  read_only.clock = &lab->clock;
  read_only.recovery = RecoveryMode::kSalvage;
  absl::StatusOr<std::unique_ptr<Collection>> reader = Collection::OpenReadOnly(kPath, read_only);
  lab->Fail(reader.status(), "salvage");
  if (!reader.ok()) return;
  absl::StatusOr<Content> kept = ReadContent(reader->get());
  lab->Fail(kept.status(), "read");
  Ledger* const ledger = lab->ledger(kPath);
  if (kept.ok() && kept->size() + 1 != ledger->initial.size()) {
    lab->Fail(absl::InternalError("it keeps " + std::to_string(kept->size())), "salvage");
  }
  if (kept.ok()) ledger->initial = *std::move(kept);
  reader->reset();
  lab->Open(kPath);
  lab->options.recovery = RecoveryMode::kStrict;
  lab->Put("after", 1);
  lab->Close();
}

// A checkpoint stands in for both manifests.
void LostManifest(Lab* lab) {
  Prepare(lab);
  lab->Open(kPath);
  lab->Put("k4", 4);
  lab->Flush();
  lab->Put("k5", 5);
  lab->Kill();
  for (const char* name : {"/c/manifest.json", "/c/manifest.json.1"})
    lab->Fail(lab->memory->RemoveFile(name), "remove");
  lab->Record();
  lab->Open(kPath);
  lab->Put("k6", 6);
  lab->Close();
}

}  // namespace

const std::vector<Workload>& Workloads() {
  static const std::vector<Workload> workloads = {
      {"create", CreateAndWrite},
      {"per_op", PerOp},
      {"every", EveryN},
      {"interval", Interval},
      {"on_flush", OnFlush},
      {"large_batch", LargeBatch},
      {"flush", FlushAndDelete},
      {"merge", MergeSegments},
      {"rotation", Rotation},
      {"frozen", Frozen},
      {"namespaces", Namespaces},
      {"bulk_load", Loads},
      {"deaths", Deaths},
      {"many_logs", ManyLogs},
      {"padded", Padded},
      {"backup", Backups},
      {"first_opening", FirstOpeningOfACopy},
      {"restore", Restores},
      {"drop", DropInDatabase},
      {"removal", RemovalOfTheDropped},
      {"background", MergesInTheBackground},
      {"beside", WritesBesideMerges},
      {"ttl", TimesToLive},
      {"salvage", Salvage},
      {"lost_manifest", LostManifest},
  };
  return workloads;
}

Workload RandomWorkload(uint64_t seed) {
  return {std::string(kRandom) + std::to_string(seed), [seed](Lab* lab) { LiveAtRandom(lab, seed); }};
}

std::optional<Workload> FindWorkload(std::string_view name) {
  if (name.starts_with(kRandom)) {
    return RandomWorkload(std::strtoull(std::string(name.substr(kRandom.size())).c_str(), nullptr, 10));
  }
  const auto found = std::find_if(Workloads().begin(), Workloads().end(),
                                  [&](const Workload& workload) { return workload.name == name; });
  if (found == Workloads().end()) return std::nullopt;
  return *found;
}

}  // namespace varve::testing
