#include "tests/damage/damage_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/publish.h"
#include "base/status.h"
#include "engine/admin/dump.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/manifest.h"
#include "engine/version/manifest_files.h"
#include "engine/version/schema_codec.h"
#include "segment/deletion_bitmap.h"
#include "tests/damage/allocation_meter.h"
#include "tests/damage/answers.h"
#include "tests/damage/row_reader.h"
#include "wal/log_reader.h"

namespace varve::testing {
namespace {

constexpr uint64_t kAllocatedPerByte = 4;
constexpr uint64_t kAllocatedAnyway = uint64_t{64} << 20;

std::string BaseName(const std::string& name) { return name.substr(name.rfind('/') + 1); }
std::string PathOfFile(const std::string& name) { return JoinPath(kCorpusDirectory, name); }

bool IsRefusal(const absl::Status& status, const std::string& name) {
  return absl::IsDataLoss(status) && status.message().find(BaseName(name)) != std::string_view::npos;
}

// The records of a log up to where they end, one text each.
absl::StatusOr<std::vector<std::string>> ReadRecords(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::Open(fs, path));
  // As everybody who opens a log by its name does: another's first sectors may stand in its place.
  if (reader->header().number != std::stoull(BaseName(path))) return DataLossAt(path, 8, "is another log");
  std::vector<std::string> records;
  LogRecord record;
  for (;;) {
    ASSIGN_OR_RETURN(const LogReader::Outcome outcome, reader->Read(&record));
    if (outcome != LogReader::Outcome::kRecord) break;
    records.push_back(absl::StrCat(record.sequence, " ", static_cast<int>(record.type), " ", record.payload));
  }
  ASSIGN_OR_RETURN(const LogLookAhead ahead, reader->LookAhead(reader->offset(), 0));
  (void)ahead;
  return records;
}

// Those that a salvage finds, whatever the header says.
absl::StatusOr<std::vector<std::string>> SalvageRecords(FileSystem* fs, const std::string& path,
                                                        const LogHeader& header) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, LogReader::OpenWithHeader(fs, path, header));
  std::vector<std::string> records;
  LogRecord record;
  Sequence last = 0;
  for (;;) {
    const absl::StatusOr<LogReader::Outcome> outcome = reader->Read(&record);
    if (outcome.ok() && *outcome == LogReader::Outcome::kEnd) return records;
    if (!outcome.ok() && !absl::IsDataLoss(outcome.status())) return outcome.status();
    if (!outcome.ok() || *outcome == LogReader::Outcome::kInvalid) {
      ASSIGN_OR_RETURN(const bool found, reader->SkipToNextRecord(last));
      if (!found) return records;
      continue;
    }
    last = record.sequence;
    records.push_back(absl::StrCat(record.sequence, " ", static_cast<int>(record.type), " ", record.payload));
  }
}

// What a chain of logs says of one that is gone.
std::string MissingLog(const std::string& name) {
  return name.ends_with(".vwal") ? absl::StrCat("log ", std::stoull(BaseName(name)), " is missing") : name;
}

bool IsPrefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace

DamageCheck::DamageCheck(const Corpus& corpus, const Corpus& twin, DamageCounts* counts)
    : corpus_(corpus), twin_(twin), counts_(counts), clock_(ReadingTime()), files_(Restore(corpus.files)) {
  absl::StatusOr<pb::Manifest> manifest = DecodeManifest(corpus.files.at("manifest.json"), "manifest.json");
  VARVE_CHECK(manifest.ok());
  manifest_ = *std::move(manifest);
  absl::StatusOr<Schema> schema = DecodeSchema(manifest_.config(), "manifest.json");
  VARVE_CHECK(schema.ok());
  schema_ = *std::move(schema);
  for (const auto& [name, bytes] : corpus.files) {
    const std::string path = PathOfFile(name);
    if (name.ends_with(".vcnt")) {
      absl::StatusOr<std::string> text = ReadWholeSegment(files_.get(), path, std::nullopt, schema_);
      if (text.ok()) segments_[name] = *std::move(text);
    }
    if (name.ends_with(".vwal")) {
      absl::StatusOr<std::vector<std::string>> records = ReadRecords(files_.get(), path);
      VARVE_CHECK(records.ok());
      records_[name] = *std::move(records);
    }
  }
}

std::string DamageCheck::Measured(uint64_t file_bytes, const std::function<std::string()>& check) {
  AllocationMeter::Begin();
  std::string wrong = check();
  const uint64_t peak = AllocationMeter::Peak();
  counts_->peak_bytes = std::max(counts_->peak_bytes, peak);
  if (wrong.empty() && peak > kAllocatedPerByte * file_bytes + kAllocatedAnyway) {
    return absl::StrCat("allocated ", peak, " bytes for ", file_bytes, " on disk");
  }
  return wrong;
}

std::string DamageCheck::CheckFile(const std::string& file, const Mutation& mutation) {
  const std::string& good = corpus_.files.at(file);
  const auto other = corpus_.files.find(mutation.other);
  const std::string bytes = Damaged(mutation, good, other != corpus_.files.end() ? other->second : "");
  if (bytes == good) {
    ++counts_->same;
    return "";
  }
  ++counts_->alone;
  const std::string path = PathOfFile(file);
  absl::StatusOr<std::unique_ptr<WritableFile>> written = files_->CreateFile(path);
  VARVE_CHECK(written.ok() && (*written)->Append(bytes).status.ok());
  std::string wrong = Measured(std::max(bytes.size(), good.size()), [&]() -> std::string {
    if (file.ends_with(".vwal")) return CheckLog(path, file);
    std::string verified = CheckVerifyFile(path);
    if (!verified.empty()) return verified;
    if (file.ends_with(".vcnt")) return CheckSegment(path, file);
    absl::Status read;
    if (file.ends_with(".vdel")) read = ReadDeletionBitmap(files_.get(), path).status();
    if (file.ends_with(".vckp")) read = ReadCheckpoint(files_.get(), path).status();
    if (file.starts_with("manifest.json")) read = ReadManifestFile(files_.get(), kCorpusDirectory, file).status();
    ++counts_->refused;
    return IsRefusal(read, file) ? "" : "read gave " + read.ToString();
  });
  (void)DumpFile(path, files_.get());  // may fail; must come back
  written = files_->CreateFile(path);
  VARVE_CHECK(written.ok() && (*written)->Append(good).status.ok());
  return wrong;
}

std::string DamageCheck::CheckVerifyAlone(const std::string& file, const Mutation& mutation) {
  if (file.ends_with(".vwal")) {
    const DamagedFiles damaged = Damage(mutation, file, corpus_, twin_);
    return CheckVerify(damaged, mutation);
  }
  const std::string& good = corpus_.files.at(file);
  const std::string path = PathOfFile(file);
  absl::StatusOr<std::unique_ptr<WritableFile>> written = files_->CreateFile(path);
  VARVE_CHECK(written.ok() && (*written)->Append(Damaged(mutation, good, "")).status.ok());
  std::string wrong = CheckVerifyFile(path);
  written = files_->CreateFile(path);
  VARVE_CHECK(written.ok() && (*written)->Append(good).status.ok());
  return wrong;
}

std::string DamageCheck::CheckVerifyFile(const std::string& path) {
  VerifyOptions options;
  options.file_system = files_.get();
  options.deep = true;
  const absl::StatusOr<VerifyReport> report = VerifyPath(path, options);
  if (!report.ok()) return "verify of the file gave " + report.status().ToString();
  return report->ok ? "verify of the file found nothing" : "";
}

std::string DamageCheck::CheckSegment(const std::string& path, const std::string& file) {
  const auto right = segments_.find(file);
  if (right == segments_.end()) return "";
  std::vector<std::optional<SegmentExpectation>> expectations = {std::nullopt};
  for (const pb::SegmentEntry& entry : manifest_.segments()) {
    if (SegmentName(entry.id()) == file) expectations.emplace_back(*ExpectSegment(manifest_, entry));
  }
  for (const std::optional<SegmentExpectation>& expected : expectations) {
    const absl::StatusOr<std::string> text = ReadWholeSegment(files_.get(), path, expected, schema_);
    ++(text.ok() ? counts_->right : counts_->refused);
    if (!text.ok() && !IsRefusal(text.status(), file)) return "reading gave " + text.status().ToString();
    if (text.ok() && *text != right->second) return "reading gave other rows";
  }
  return "";
}

std::string DamageCheck::CheckLog(const std::string& path, const std::string& file) {
  const std::vector<std::string>& right = records_.at(file);
  const absl::StatusOr<std::vector<std::string>> records = ReadRecords(files_.get(), path);
  ++(records.ok() ? counts_->right : counts_->refused);
  if (!records.ok() && !IsRefusal(records.status(), file)) return "reading gave " + records.status().ToString();
  if (records.ok() && !IsPrefix(*records, right)) return "reading gave other records";
  LogHeader header;
  header.number = std::stoull(BaseName(file));
  header.collection = *Uuid::FromHex(manifest_.collection_uuid());
  header.secret = *Uuid::FromHex(manifest_.log_secret());
  const absl::StatusOr<std::vector<std::string>> salvaged = SalvageRecords(files_.get(), path, header);
  if (!salvaged.ok() && !IsRefusal(salvaged.status(), file)) return "salvage gave " + salvaged.status().ToString();
  for (size_t i = 0; salvaged.ok() && i < salvaged->size(); ++i) {
    if (std::find(right.begin(), right.end(), (*salvaged)[i]) == right.end()) return "salvage gave another record";
  }
  return "";
}

bool DamageCheck::IsNewestOpenLog(const std::string& file) const {
  const bool open = corpus_.cell.ending == Ending::kKilled || corpus_.cell.ending == Ending::kKilledInLoad;
  return open && file == corpus_.newest_log;
}

bool DamageCheck::MayBeShorter(const DamagedFiles& damaged) const {
  return std::any_of(damaged.changed.begin(), damaged.changed.end(),
                     [&](const std::string& name) { return IsNewestOpenLog(name); });
}

std::string DamageCheck::CheckCollection(const std::string& file, const Mutation& mutation) {
  const DamagedFiles damaged = Damage(mutation, file, corpus_, twin_);
  if (damaged.changed.empty()) {
    ++counts_->same;
    return "";
  }
  ++counts_->whole;
  uint64_t bytes = 0;
  for (const auto& [name, content] : corpus_.files) bytes += content.size();
  return Measured(bytes, [&]() -> std::string {
    std::string wrong = CheckVerify(damaged, mutation);
    if (!wrong.empty()) return wrong;
    {
      const std::unique_ptr<FileSystem> fs = Restore(damaged.files, damaged.directories);
      Reading reading;
      const absl::StatusOr<std::unique_ptr<Collection>> reader =
          Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock_));
      if (reader.ok()) reading.dropped_bytes = (*reader)->Stats().recovery.dropped_bytes;
      reading.answers = reader.ok() ? Ask(reader->get()) : reader.status();
      wrong = CheckReading(reading, damaged, mutation);
      if (!wrong.empty()) return "a reader: " + wrong;
    }
    wrong = CheckWriter(damaged, mutation);
    if (!wrong.empty()) return "a writer: " + wrong;
    wrong = CheckSalvage(damaged, mutation);
    return wrong.empty() ? "" : "a salvage: " + wrong;
  });
}

bool DamageCheck::EndsInZeros(const DamagedFiles& damaged) const {
  const auto good = corpus_.files.find(corpus_.newest_log);
  const auto bad = damaged.files.find(corpus_.newest_log);
  if (good == corpus_.files.end() || bad == damaged.files.end()) return false;
  const size_t first = static_cast<size_t>(
      std::mismatch(good->second.begin(), good->second.end(), bad->second.begin(), bad->second.end()).first -
      good->second.begin());
  return bad->second.find_first_not_of('\0', first) == std::string::npos;
}

std::string DamageCheck::CheckVerify(const DamagedFiles& damaged, const Mutation& mutation) {
  const std::unique_ptr<FileSystem> fs = Restore(damaged.files, damaged.directories);
  VerifyOptions options;
  options.file_system = fs.get();
  options.deep = true;
  const absl::StatusOr<VerifyReport> report = VerifyPath(kCorpusDirectory, options);
  // Of a collection that never held anything, no trace but empty folders is left.
  const bool is_void = corpus_.cell.rows == 0 && mutation.kind == MutationKind::kBothMissing;
  if (is_void && absl::IsFailedPrecondition(report.status())) return "";
  if (!report.ok()) return "verify gave " + report.status().ToString();
  std::string findings;
  for (const VerifyDamage& damage : report->damage) absl::StrAppend(&findings, "\n  ", damage.file, ": ", damage.what);
  for (const std::string& name : damaged.changed) {
    if (name == "LOCK") continue;  // its text is for people: nothing reads it
    const bool warned = std::any_of(report->warnings.begin(), report->warnings.end(),
                                    [&](const std::string& line) { return line.starts_with(name + ":"); });
    const bool found = std::any_of(report->damage.begin(), report->damage.end(), [&](const VerifyDamage& damage) {
      return damage.file == name || damage.what.find(name) != std::string::npos;
    });
    // What nobody needs may go: that it was there is written nowhere.
    const bool is_gone = mutation.kind == MutationKind::kMissing || mutation.kind == MutationKind::kBothMissing;
    if (is_gone && (warned || name.ends_with(".vckp"))) continue;
    if (is_gone && !found && name.ends_with(".vwal") && report->ok) continue;  // the readers decide
    // Of the end of a log that was not closed nothing says whether it was ever there.
    if (IsNewestOpenLog(name) && (warned || (report->ok && mutation.kind != MutationKind::kFlip))) continue;
    if (!found && mutation.kind == MutationKind::kMissing && findings.find(MissingLog(name)) != std::string::npos) {
      continue;
    }
    if (!found) return "verify did not find the damage to " + name + ", but" + findings;
  }
  return "";
}

std::string DamageCheck::CheckReading(const Reading& reading, const DamagedFiles& damaged, const Mutation& mutation) {
  if (!reading.answers.ok()) {
    ++counts_->refused;
    const absl::Status& status = reading.answers.status();
    const bool is_void = corpus_.cell.rows == 0 && mutation.kind == MutationKind::kBothMissing;
    if (is_void && (absl::IsFailedPrecondition(status) || absl::IsNotFound(status))) return "";
    for (const std::string& name : damaged.changed) {
      if (IsRefusal(status, name)) return "";
      const bool names_it = status.message().find(BaseName(name)) != std::string_view::npos;
      // A reader may do without what a writer cannot replace.
      if (mutation.kind == MutationKind::kDirectory && absl::IsInternal(status) && names_it) return "";
      if (absl::IsDataLoss(status) && status.message().find(MissingLog(name)) != std::string_view::npos) return "";
    }
    // Which of the files is the stranger nobody can say.
    if (mutation.kind == MutationKind::kForeign && absl::IsDataLoss(status)) return "";
    return "not a DataLoss that names the file: " + status.ToString();
  }
  if (*reading.answers == corpus_.answers) {
    ++counts_->right;
    return "";
  }
  if (!MayBeShorter(damaged)) return "other answers than before";
  ++counts_->shorter;
  // That there was a newest log, or that it was longer, is written nowhere else.
  const bool is_end_gone = mutation.kind == MutationKind::kMissing || mutation.kind == MutationKind::kCut ||
                           (mutation.kind == MutationKind::kZero && EndsInZeros(damaged));
  if (is_end_gone && corpus_.prefixes.contains(*reading.answers)) return "";
  if (!corpus_.shorter.contains(*reading.answers)) return "other answers than before";
  // Where a file ends earlier, or in zeros, nothing shows that there was more.
  switch (mutation.kind) {
    case MutationKind::kCut:
    case MutationKind::kZero:
    case MutationKind::kNeighbour:
    case MutationKind::kFromFile:
      return "";
    default:
      return reading.dropped_bytes > 0 ? "" : "dropped a tail without a word";
  }
}

std::string DamageCheck::CheckWriter(const DamagedFiles& damaged, const Mutation& mutation) {
  const std::unique_ptr<FileSystem> fs = Restore(damaged.files, damaged.directories);
  const absl::Status created =
      Collection::Create(kCorpusDirectory, corpus_.cell.schema, WriterOptions(fs.get(), &clock_)).status();
  if (corpus_.cell.rows == 0 && mutation.kind == MutationKind::kBothMissing) return "";
  if (!absl::IsAlreadyExists(created)) return "Create over it gave " + created.ToString();
  absl::StatusOr<std::string> answers;
  {
    Reading reading;
    const absl::StatusOr<std::unique_ptr<Collection>> writer =
        Collection::Open(kCorpusDirectory, WriterOptions(fs.get(), &clock_));
    if (writer.ok()) reading.dropped_bytes = (*writer)->Stats().recovery.dropped_bytes;
    answers = reading.answers = writer.ok() ? Ask(writer->get()) : writer.status();
    std::string wrong = CheckReading(reading, damaged, mutation);
    if (!wrong.empty() || !writer.ok()) return wrong;
    absl::Status status = (*writer)->Merge(/*full=*/true).status();
    if (status.ok() && answers.ok()) {
      const absl::StatusOr<std::string> merged = Ask(writer->get());
      if (!merged.ok()) return "after a merge " + merged.status().ToString();
      if (*merged != *answers) return "other answers after a merge";
    }
    status.Update((*writer)->Close());
    if (!status.ok() && !damaged.directories.empty()) return "";  // it cannot be replaced, and that was said
    if (!status.ok() && !absl::IsDataLoss(status)) return "merge and close gave " + status.ToString();
  }
  const absl::StatusOr<std::unique_ptr<Collection>> reader =
      Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock_));
  const absl::StatusOr<std::string> again = reader.ok() ? Ask(reader->get()) : reader.status();
  if (again.ok()) return !answers.ok() || *again == *answers ? "" : "other answers once it was closed";
  return absl::IsDataLoss(again.status()) ? "" : "once it was closed " + again.status().ToString();
}

std::string DamageCheck::CheckSalvage(const DamagedFiles& damaged, const Mutation& mutation) {
  const std::unique_ptr<FileSystem> fs = Restore(damaged.files, damaged.directories);
  Options options = WriterOptions(fs.get(), &clock_);
  options.recovery = RecoveryMode::kSalvage;
  std::string kept;
  {
    absl::StatusOr<std::unique_ptr<Collection>> salvaged = Collection::Open(kCorpusDirectory, options);
    if (!salvaged.ok()) {
      const absl::Status& status = salvaged.status();
      const bool is_void = corpus_.cell.rows == 0 && absl::IsFailedPrecondition(status);
      const bool names_it = status.message().find(kCorpusDirectory) != std::string_view::npos;
      // With another collection's manifest none of the files is this one's.
      const bool is_foreign = mutation.kind == MutationKind::kForeign && absl::IsDataLoss(status);
      return is_void || is_foreign || (!damaged.directories.empty() && names_it) ? ""
                                                                                 : "opening gave " + status.ToString();
    }
    const absl::StatusOr<std::string> answers = Ask(salvaged->get());
    if (!answers.ok()) return "asking gave " + answers.status().ToString();
    kept = *answers;
    const RecoveryInfo info = (*salvaged)->Stats().recovery;
    const std::vector<std::string> records = RecordLines(kept);
    const std::set<std::string> there(records.begin(), records.end());
    for (const std::string& line : records) {
      if (!corpus_.records.contains(line)) return "a record that never was: " + line;
    }
    for (const std::string& line : RecordLines(corpus_.answers)) {
      const bool said = !info.salvage_report.empty() || info.dropped_bytes > 0 || MayBeShorter(damaged);
      if (!there.contains(line) && !said && mutation.kind != MutationKind::kForeign)
        return "lost without a word: " + line;
    }
    const absl::Status closed = (*salvaged)->Close();
    if (!closed.ok()) return damaged.directories.empty() ? "closing gave " + closed.ToString() : "";
  }
  const absl::StatusOr<std::unique_ptr<Collection>> reader =
      Collection::OpenReadOnly(kCorpusDirectory, ReaderOptions(fs.get(), &clock_));
  const absl::StatusOr<std::string> again = reader.ok() ? Ask(reader->get()) : reader.status();
  if (!again.ok()) return "once it was closed " + again.status().ToString();
  return *again == kept ? "" : "other answers once it was closed";
}

}  // namespace varve::testing
