#include "tests/crash_states/recovery_check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/directories.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/admin/backup.h"
#include "engine/admin/verify.h"
#include "tests/crash_states/lab.h"
#include "varve/collection.h"
#include "varve/database.h"

namespace varve::testing {
namespace {

constexpr char kProbe[] = "after the crash";
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

class RecoveryCheck {
 public:
  RecoveryCheck(const RecoverySetting& setting, FileSystem* under, const DiskTrace* begun)
      : setting_(setting), disk_(begun != nullptr ? FaultFileSystem(under, *begun) : FaultFileSystem(under)) {
    for (const DiskFault& lie : setting.lies) disk_.Fail(lie);
  }
  ~RecoveryCheck() {
    disk_.Heal();
    collection_.reset();
    setting_.executor->Settle();
  }

  Findings Run(bool begun) {
    findings_.found.resize(setting_.ledgers.size());
    const absl::Status status = RunAll(begun);
    if (!status.ok()) {
      findings_.complaint = status.ToString();
      findings_.trace = disk_.trace();
    }
    return std::move(findings_);
  }

 private:
  absl::Status RunAll(bool begun);
  absl::Status LookAtDatabase();
  absl::Status Look(const Ledger& ledger, Found* found);
  absl::Status Verify(const std::string& directory, bool clean);
  absl::Status OpenAndWrite(const Ledger& ledger, Found* found);
  absl::Status TryAgain(const Ledger& ledger);
  absl::Status CheckSearch(const Content& content);
  absl::Status CheckKept(const std::string& directory, const std::map<std::string, std::string>& before);
  absl::StatusOr<std::map<std::string, std::string>> ImmutableFiles(const std::string& directory);
  absl::StatusOr<std::unique_ptr<Collection>> OpenWriter(const std::string& directory, FileSystem* disk);
  absl::StatusOr<Content> ReadOnly(const std::string& directory, FileSystem* disk, ReadOnlyLog log);
  // A write that is promised to survive a loss of power.
  absl::Status Step(Ledger* ledger, const std::string& what, Content after, const WriteBatch& batch);

  const RecoverySetting& setting_;
  FaultFileSystem disk_;
  Findings findings_;
  bool salvaged_ = false;
  std::unique_ptr<Collection> collection_;
};

absl::Status Complaint(const std::string& what) { return Internal(what); }

absl::Status RecoveryCheck::RunAll(bool begun) {
  if (!setting_.database.empty()) RETURN_IF_ERROR(LookAtDatabase());
  for (size_t i = 0; i < setting_.ledgers.size(); ++i) {
    RETURN_IF_ERROR(Annotate(Look(setting_.ledgers[i], &findings_.found[i]), setting_.ledgers[i].directory));
  }
  if (!begun) RETURN_IF_ERROR(disk_.Record());
  for (size_t i = 0; i < setting_.ledgers.size(); ++i) {
    if (!findings_.found[i].exists) continue;
    const Ledger& ledger = setting_.ledgers[i];
    RETURN_IF_ERROR(Annotate(OpenAndWrite(ledger, &findings_.found[i]), ledger.directory));
  }
  findings_.trace = disk_.trace();
  for (size_t i = 0; i < setting_.ledgers.size(); ++i) {
    if (!findings_.found[i].exists) {
      RETURN_IF_ERROR(Annotate(TryAgain(setting_.ledgers[i]), setting_.ledgers[i].directory));
    }
  }
  return absl::OkStatus();
}

// The database opens, lists what is there, and removes what is left of what was dropped.
absl::Status RecoveryCheck::LookAtDatabase() {
  DatabaseOptions options;
  options.collections = setting_.options;
  options.collections.file_system = &disk_;
  options.create_if_missing = false;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open(setting_.database, options));
    ASSIGN_OR_RETURN(const std::vector<std::string> names, database->ListCollections());
    for (const std::string& name : names) {
      const std::string path = JoinPath(setting_.database, name);
      const auto is_it = [&](const Ledger& ledger) { return ledger.directory == path; };
      if (std::none_of(setting_.ledgers.begin(), setting_.ledgers.end(), is_it)) {
        return Complaint("the database lists " + name);
      }
    }
  }
  setting_.executor->Settle();
  ASSIGN_OR_RETURN(const std::vector<std::string> left, disk_.List(setting_.database));
  for (const std::string& name : left) {
    if (name.starts_with(".dropped-")) return Complaint(name + " was left in the database");
  }
  return absl::OkStatus();
}

absl::StatusOr<Content> RecoveryCheck::ReadOnly(const std::string& directory, FileSystem* disk, ReadOnlyLog log) {
  ReadOnlyOptions options;
  options.file_system = disk;
  options.clock = setting_.options.clock;
  options.log = log;
  if (salvaged_) options.recovery = RecoveryMode::kSalvage;
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::OpenReadOnly(directory, options));
  return ReadContent(collection.get());
}

absl::StatusOr<std::unique_ptr<Collection>> RecoveryCheck::OpenWriter(const std::string& directory, FileSystem* disk) {
  Options options = setting_.options;
  options.file_system = disk;
  if (salvaged_) options.recovery = RecoveryMode::kSalvage;
  absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(directory, options);
  setting_.executor->Settle();
  return opened;
}

// Reads without touching: a read-only opening writes nothing, and nothing is damaged.
absl::Status RecoveryCheck::Look(const Ledger& ledger, Found* found) {
  FaultFileSystem untouched(&disk_);
  untouched.StopAfter(0);
  absl::StatusOr<Content> content = ReadOnly(ledger.directory, &untouched, ReadOnlyLog::kReplay);
  if (absl::IsDataLoss(content.status()) && setting_.needs_salvage) {
    salvaged_ = true;
    content = ReadOnly(ledger.directory, &untouched, ReadOnlyLog::kReplay);
  }
  // No directory, or one that is no collection (yet).
  if (absl::IsNotFound(content.status()) || absl::IsFailedPrecondition(content.status())) return absl::OkStatus();
  RETURN_IF_ERROR(content.status());
  if (untouched.stopped()) return Complaint("a read-only opening changes the disk");
  found->exists = true;
  found->content = *std::move(content);
  if (salvaged_) return absl::OkStatus();
  RETURN_IF_ERROR(ReadOnly(ledger.directory, &untouched, ReadOnlyLog::kPublished).status());
  return Verify(ledger.directory, /*clean=*/false);
}

absl::Status RecoveryCheck::Verify(const std::string& directory, bool clean) {
  VerifyOptions options;
  options.file_system = &disk_;
  ASSIGN_OR_RETURN(const VerifyReport report, VerifyPath(directory, options));
  if (!report.damage.empty()) {
    const VerifyDamage& first = report.damage.front();
    return Complaint("verify: " + first.file + " at " + std::to_string(first.offset) + ": " + first.what);
  }
  if (!report.ok) return Complaint("verify is not ok, and tells no damage");
  for (const std::string& warning : report.warnings) {
    // What a salvage or a fallback has set aside is there for people.
    if (clean && !warning.starts_with("lost+found")) return Complaint("verify after a clean close warns: " + warning);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> RecoveryCheck::ImmutableFiles(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const char* folder : {"segments", "checkpoint"}) {
    const std::string path = JoinPath(directory, folder);
    const absl::StatusOr<std::vector<std::string>> names = disk_.List(path);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      if (name.ends_with(kTemporarySuffix)) continue;
      ASSIGN_OR_RETURN(files[JoinPath(folder, name)], ReadWholeFile(&disk_, JoinPath(path, name), kMaxFileBytes));
    }
  }
  return files;
}

// A published file is never changed, and its number never given again.
absl::Status RecoveryCheck::CheckKept(const std::string& directory, const std::map<std::string, std::string>& before) {
  ASSIGN_OR_RETURN(const auto after, ImmutableFiles(directory));
  for (const auto& [name, bytes] : after) {
    const auto found = before.find(name);
    if (found != before.end() && found->second != bytes) return Complaint(name + " was there and has other bytes now");
  }
  return absl::OkStatus();
}

absl::Status RecoveryCheck::CheckSearch(const Content& content) {
  ASSIGN_OR_RETURN(const uint64_t count, collection_->Count());
  if (count != content.size()) {
    return Complaint("counts " + std::to_string(count) + " of " + std::to_string(content.size()) + " records");
  }
  SearchRequest request;
  request.vector = VectorValue({1, 2, 2, 3});
  request.k = content.size() + 10;
  request.exact = true;
  ASSIGN_OR_RETURN(const SearchResult result, collection_->Search(request));
  Content hits;
  for (const Hit& hit : result.hits) {
    if (!hits.emplace(std::pair(hit.ns, hit.key), "").second) return Complaint("a search finds " + hit.key + " twice");
    if (!content.contains({hit.ns, hit.key})) return Complaint("a search finds " + hit.key + ", which is not there");
  }
  if (hits.size() != content.size()) return Complaint("a search finds " + std::to_string(hits.size()) + " records");
  return absl::OkStatus();
}

absl::Status RecoveryCheck::Step(Ledger* ledger, const std::string& what, Content after, const WriteBatch& batch) {
  Ledger::Step step{.what = what, .issued = disk_.trace_size(), .after = std::move(after)};
  WriteOptions options;
  options.sync = true;
  RETURN_IF_ERROR(Annotate(collection_->Write(batch, options), what));
  step.acked = disk_.trace_size();
  step.durable = step.acked;
  step.sequence = collection_->Stats().last_sequence;
  ledger->steps.push_back(std::move(step));
  return absl::OkStatus();
}

absl::Status RecoveryCheck::OpenAndWrite(const Ledger& ledger, Found* found) {
  ASSIGN_OR_RETURN(const auto before, ImmutableFiles(ledger.directory));
  ASSIGN_OR_RETURN(collection_, OpenWriter(ledger.directory, &disk_));
  ASSIGN_OR_RETURN(Content content, ReadContent(collection_.get()));
  if (content != found->content) {
    return Complaint("the writer finds other than the reader: " + DescribeDifference(found->content, content));
  }
  RETURN_IF_ERROR(CheckSearch(content));
  if (!absl::IsFailedPrecondition(OpenWriter(ledger.directory, &disk_).status())) {
    return Complaint("a second writer is let in");
  }
  Ledger after;
  after.directory = ledger.directory;
  after.initial = content;
  // It takes new writes, and they stay.
  content[{"", kProbe}] = DescribeRecord([] {
    varve::Record record;
    record.vectors.emplace_back("vector", std::vector<float>{7, 8, 2, 3});
    record.metadata = R"({"n":7})";
    record.payload = "payload 7";
    return record;
  }());
  WriteBatch put;
  put.Put(LabRecord("", kProbe, 7));
  RETURN_IF_ERROR(Step(&after, "put after the crash", content, put));
  ASSIGN_OR_RETURN(const varve::Record written, collection_->Get("", kProbe));
  found->next_sequence = written.sequence;
  if (const auto first = content.begin(); first->first.second != kProbe) {
    WriteBatch erase;
    erase.Delete(first->first.first, first->first.second);
    content.erase(first);
    RETURN_IF_ERROR(Step(&after, "delete after the crash", content, erase));
  }
  // Also if the power fails again at once.
  const DiskTrace trace = disk_.trace();
  ASSIGN_OR_RETURN(const DiskImage worst, CrashDisk(trace, trace.operations.size()).Build("none"));
  const bool was_salvaged = std::exchange(salvaged_, false);
  ASSIGN_OR_RETURN(const Content kept, ReadOnly(ledger.directory, worst.disk.get(), ReadOnlyLog::kReplay));
  if (kept != content) return Complaint("a second loss of power: " + DescribeDifference(content, kept));
  RETURN_IF_ERROR(Annotate(collection_->Close(), "close"));
  collection_.reset();
  RETURN_IF_ERROR(CheckKept(ledger.directory, before));
  if (!was_salvaged) RETURN_IF_ERROR(Verify(ledger.directory, /*clean=*/true));
  findings_.ledgers.push_back(std::move(after));
  ASSIGN_OR_RETURN(collection_, OpenWriter(ledger.directory, &disk_));
  ASSIGN_OR_RETURN(const Content again, ReadContent(collection_.get()));
  if (again != content) return Complaint("opened again: " + DescribeDifference(content, again));
  RETURN_IF_ERROR(collection_->Close());
  collection_.reset();
  return absl::OkStatus();
}

// What was not done can be done now: what a crash left is in nobody's way.
absl::Status RecoveryCheck::TryAgain(const Ledger& ledger) {
  if (ledger.dropped_issued != kNever) return absl::OkStatus();
  if (ledger.copied_from.empty()) {
    Options options = setting_.options;
    options.file_system = &disk_;
    ASSIGN_OR_RETURN(collection_, Collection::Create(ledger.directory, Schema::SingleVector(4, Metric::kL2), options));
    RETURN_IF_ERROR(collection_->Put(LabRecord("", kProbe, 7)));
    // Also of what the first attempt left, all is durable now.
    const DiskTrace trace = disk_.trace();
    ASSIGN_OR_RETURN(const DiskImage worst, CrashDisk(trace, trace.operations.size()).Build("none"));
    ASSIGN_OR_RETURN(const Content kept, ReadOnly(ledger.directory, worst.disk.get(), ReadOnlyLog::kReplay));
    if (kept.size() != 1) return Complaint("made anew, it is gone after a second loss of power");
    return collection_->Close();
  }
  BackupOptions options;
  options.file_system = &disk_;
  options.clock = setting_.options.clock;
  RETURN_IF_ERROR(BackupCollection(ledger.copied_from, ledger.directory, options).status());
  const DiskTrace trace = disk_.trace();
  ASSIGN_OR_RETURN(const DiskImage worst, CrashDisk(trace, trace.operations.size()).Build("none"));
  RETURN_IF_ERROR(ReadOnly(ledger.directory, worst.disk.get(), ReadOnlyLog::kReplay).status());
  ASSIGN_OR_RETURN(const Content source, ReadOnly(ledger.copied_from, &disk_, ReadOnlyLog::kReplay));
  ASSIGN_OR_RETURN(const Content copy, ReadOnly(ledger.directory, &disk_, ReadOnlyLog::kReplay));
  if (copy != source) return Complaint("a backup after the crash: " + DescribeDifference(source, copy));
  return Verify(ledger.directory, /*clean=*/true);
}

}  // namespace

RecoverySetting MakeRecoverySetting(Lab* lab) {
  RecoverySetting setting;
  setting.ledgers = lab->ledgers;
  for (Ledger& ledger : setting.ledgers) ledger.ForgetExpired(lab->clock.WallMicros() / 1000);
  setting.database = lab->database;
  setting.needs_salvage = lab->needs_salvage;
  setting.options = lab->options;
  setting.options.listeners.clear();
  setting.executor = &lab->executor;
  return setting;
}

Findings CheckRecovery(const RecoverySetting& setting, FileSystem* disk, const DiskTrace* begun) {
  return RecoveryCheck(setting, disk, begun).Run(begun != nullptr);
}

std::string Judge(const std::vector<Ledger>& ledgers, const Findings& findings, size_t point, bool killed) {
  if (!findings.complaint.empty()) return findings.complaint;
  for (size_t i = 0; i < ledgers.size(); ++i) {
    const Ledger& ledger = ledgers[i];
    const Found& found = findings.found[i];
    if (!found.exists) {
      if (ledger.MustExist(point)) return ledger.directory + ": is gone";
      continue;
    }
    if (!ledger.MayExist(point) && ledger.created_acked > point) return ledger.directory + ": is there before its time";
    if (ledger.dropped_acked <= point) return ledger.directory + ": is there again after it was dropped";
    const Ledger::Fit fit = ledger.FindPrefix(found.content, point, killed);
    if (fit.steps == kNever) return ledger.directory + ": " + fit.complaint;
    if (found.next_sequence <= ledger.LargestSequence(point)) {
      return ledger.directory + ": gives sequence " + std::to_string(found.next_sequence) + " again";
    }
  }
  return "";
}

}  // namespace varve::testing
