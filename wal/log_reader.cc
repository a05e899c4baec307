#include "wal/log_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/seeded_bug.h"
#include "base/status.h"
#include "wal/log_payload.h"
#include "wal/read_window.h"

namespace varve {
namespace {

// Unreadable bytes are skipped by the page.
constexpr uint64_t kScanStep = 4096;
// How much of a header that starts on the last 8-byte step of a page lies on the next.
constexpr size_t kHeaderOverlap = kLogRecordHeaderBytes - kLogRecordAlignment;

bool IsKnownType(uint8_t type) {
  return type >= static_cast<uint8_t>(LogEntryType::kInsert) && type <= static_cast<uint8_t>(LogEntryType::kControl);
}

class FileLogReader final : public LogReader {
 public:
  FileLogReader(ReadWindow window, std::string path, const LogHeader& header, Crc32c header_crc)
      : window_(std::move(window)),
        path_(std::move(path)),
        header_(header),
        header_crc_(header_crc),
        seed_(LogRecordSeed(header.secret, header.number)),
        offset_(FirstRecordOffset(header.pad_to)),
        scan_from_(offset_),
        expected_sequence_(header.first_sequence) {}

  const LogHeader& header() const override { return header_; }
  uint64_t file_size() const override { return window_.size(); }
  Crc32c header_crc() const override { return header_crc_; }
  uint64_t offset() const override { return offset_; }
  std::string_view invalid_reason() const override { return invalid_reason_; }

  // Takes the records from here on, whatever their first sequence.
  void AcceptAnySequence() { expected_sequence_.reset(); }

  absl::StatusOr<Outcome> Read(LogRecord* record) override;
  absl::StatusOr<LogLookAhead> LookAhead(uint64_t from, Sequence last_sequence) override;
  absl::StatusOr<bool> SkipToNextRecord(Sequence last_sequence) override;

 private:
  struct FoundHeader {
    LogRecordHeader header;
    Crc32c crc{};
    uint64_t end = 0;
  };

  Outcome Invalid(std::string reason) {
    invalid_reason_ = std::move(reason);
    return Outcome::kInvalid;
  }

  absl::StatusOr<Outcome> ReadHeader(FoundHeader* found);
  absl::StatusOr<Outcome> CheckHeader(const FoundHeader& found);
  absl::StatusOr<Outcome> ReadPayload(const FoundHeader& found, std::string* payload);

  // Calls visit(offset, bytes) for each page from `from` on; `bytes` begins at that 8-byte step and overlaps the next
  // page so far that each header lies in one piece. Ends when visit returns false.
  template <typename Visitor>
  absl::Status ScanPages(uint64_t from, bool skip_unreadable, Visitor visit);

  // Calls visit(offset, header) for each valid record header above `last_sequence` in a page.
  template <typename Visitor>
  bool ForEachHeader(uint64_t offset, std::string_view bytes, Sequence last_sequence, Visitor visit) const;

  ReadWindow window_;
  const std::string path_;
  const LogHeader header_;
  const Crc32c header_crc_;
  const Crc32c seed_;
  uint64_t offset_;
  uint64_t scan_from_;  // where a search for the next record may begin
  std::optional<Sequence> expected_sequence_;
  std::string invalid_reason_;
};

absl::StatusOr<LogReader::Outcome> FileLogReader::Read(LogRecord* record) {
  scan_from_ = offset_ + kLogRecordAlignment;
  FoundHeader found;
  ASSIGN_OR_RETURN(Outcome outcome, ReadHeader(&found));
  if (outcome != Outcome::kRecord) return outcome;
  ASSIGN_OR_RETURN(outcome, CheckHeader(found));
  if (outcome != Outcome::kRecord) return outcome;
  // The header is right, so its length is: whatever is wrong with the payload, the next record begins behind it.
  scan_from_ = found.end;
  std::string payload;
  ASSIGN_OR_RETURN(outcome, ReadPayload(found, &payload));
  if (outcome != Outcome::kRecord) return outcome;

  record->offset = offset_;
  record->end = found.end;
  record->type = static_cast<LogEntryType>(found.header.type);
  record->flags = found.header.flags;
  record->sequence = found.header.sequence;
  record->synced_up_to = found.header.synced_up_to;
  record->header_crc = found.crc;
  record->payload = std::move(payload);
  offset_ = found.end;
  expected_sequence_ = found.header.sequence + 1;
  return Outcome::kRecord;
}

absl::StatusOr<LogReader::Outcome> FileLogReader::ReadHeader(FoundHeader* found) {
  ASSIGN_OR_RETURN(const std::string_view bytes, window_.View(offset_, kLogRecordHeaderBytes));
  if (IsAllZeros(bytes)) {
    ASSIGN_OR_RETURN(const bool ends, window_.IsZeroFrom(offset_ + bytes.size()));
    return ends ? Outcome::kEnd : Invalid("zeros in place of a record, and data behind them");
  }
  if (bytes.size() < kLogRecordHeaderBytes) return Invalid("the file ends within a record header");
  if (!DecodeLogRecordHeader(bytes.data(), seed_, offset_, &found->header, &found->crc)) {
    return Invalid("record header: checksum does not match");
  }
  found->end = LogRecordEnd(offset_, found->header.payload_bytes, found->header.flags, header_.pad_to);
  return Outcome::kRecord;
}

absl::StatusOr<LogReader::Outcome> FileLogReader::CheckHeader(const FoundHeader& found) {
  const LogRecordHeader& header = found.header;
  // Sequences never reach the largest number, so that the one that follows always exists.
  if (header.sequence == kMaxSequence || header.sequence != expected_sequence_.value_or(header.sequence)) {
    return Invalid("record header: sequence " + std::to_string(header.sequence) + ": expected " +
                   std::to_string(expected_sequence_.value_or(0)));
  }
  if (header.synced_up_to > offset_) return Invalid("record header: claims durability beyond its own offset");
  if (!IsKnownType(header.type) || header.reserved != 0 ||
      header.flags > (kFirstOfBatch | kLastOfBatch | kLz4Payload | kLastOfSyncGroup)) {
    return Unimplemented(path_ + ": at offset " + std::to_string(offset_) + ": log record of type " +
                         std::to_string(header.type) + " with flags " + std::to_string(header.flags) +
                         ": written by a newer version");
  }
  return Outcome::kRecord;
}

absl::StatusOr<LogReader::Outcome> FileLogReader::ReadPayload(const FoundHeader& found, std::string* payload) {
  const LogRecordHeader& header = found.header;
  if (header.payload_bytes > kMaxLogPayloadBytes) return Invalid("record header: payload above 64 MiB");
  if (found.end > window_.size()) return Invalid("the file ends within a record");
  const uint64_t payload_offset = offset_ + kLogRecordHeaderBytes;
  ASSIGN_OR_RETURN(std::string stored, window_.Copy(payload_offset, header.payload_bytes));
  if (stored.size() < header.payload_bytes) return Invalid("the file ends within a record");
  if (ComputeCrc32c(stored) != header.payload_crc && !VARVE_SEEDED_BUG(kNoPayloadChecksum))
    return Invalid("record payload: checksum does not match");

  const uint64_t payload_end = payload_offset + header.payload_bytes;
  ASSIGN_OR_RETURN(const std::string_view padding, window_.View(payload_end, found.end - payload_end));
  if (payload_end + padding.size() < found.end) return Invalid("the file ends within a record");
  if (!IsAllZeros(padding)) return Invalid("bytes that are not zero behind a record");

  if ((header.flags & kLz4Payload) == 0) {
    *payload = std::move(stored);
    return Outcome::kRecord;
  }
  absl::StatusOr<std::string> plain = DecompressPayload(stored);
  if (!plain.ok()) return DataLossAt(path_, offset_, std::string(plain.status().message()));
  *payload = *std::move(plain);
  return Outcome::kRecord;
}

template <typename Visitor>
absl::Status FileLogReader::ScanPages(uint64_t from, bool skip_unreadable, Visitor visit) {
  uint64_t offset = AlignUp(from, kLogRecordAlignment);
  while (offset < window_.size()) {
    const uint64_t next = (offset / kScanStep + 1) * kScanStep;
    absl::StatusOr<std::string_view> bytes = window_.View(offset, next - offset + kHeaderOverlap);
    if (!bytes.ok() && skip_unreadable && absl::IsDataLoss(bytes.status())) {
      bytes = window_.View(offset, next - offset);  // perhaps it is the next page that cannot be read
      if (!bytes.ok() && absl::IsDataLoss(bytes.status())) bytes = std::string_view();
    }
    if (!bytes.ok()) return bytes.status();
    if (!visit(offset, *bytes)) return absl::OkStatus();
    offset = next;
  }
  return absl::OkStatus();
}

template <typename Visitor>
bool FileLogReader::ForEachHeader(uint64_t offset, std::string_view bytes, Sequence last_sequence,
                                  Visitor visit) const {
  for (size_t i = 0; i + kLogRecordHeaderBytes <= bytes.size(); i += kLogRecordAlignment) {
    const char* const candidate = bytes.data() + i;
    // The cheap tests first: they rule out nearly all that is no header.
    if (LoadUnaligned<Sequence>(candidate + 16) <= last_sequence) continue;
    if (LoadUnaligned<uint64_t>(candidate + 24) > offset + i) continue;
    LogRecordHeader header;
    Crc32c crc{};
    if (!DecodeLogRecordHeader(candidate, seed_, offset + i, &header, &crc)) continue;
    if (!visit(offset + i, header)) return false;
  }
  return true;
}

absl::StatusOr<LogLookAhead> FileLogReader::LookAhead(uint64_t from, Sequence last_sequence) {
  LogLookAhead ahead;
  ahead.data_end = from;
  RETURN_IF_ERROR(ScanPages(from, /*skip_unreadable=*/false, [&](uint64_t offset, std::string_view bytes) {
    if (IsAllZeros(bytes)) return true;
    ahead.data_end = std::max(ahead.data_end, offset + bytes.find_last_not_of('\0') + 1);
    return ForEachHeader(offset, bytes, last_sequence, [&](uint64_t, const LogRecordHeader& header) {
      if (header.synced_up_to > from) ahead.claim = std::max(ahead.claim, header.synced_up_to);
      ahead.largest_sequence = std::max(ahead.largest_sequence, header.sequence);
      return true;
    });
  }));
  return ahead;
}

absl::StatusOr<bool> FileLogReader::SkipToNextRecord(Sequence last_sequence) {
  std::optional<uint64_t> next;
  RETURN_IF_ERROR(ScanPages(scan_from_, /*skip_unreadable=*/true, [&](uint64_t offset, std::string_view bytes) {
    return ForEachHeader(offset, bytes, last_sequence, [&](uint64_t found, const LogRecordHeader&) {
      next = found;
      return false;
    });
  }));
  offset_ = next.value_or(window_.size());
  expected_sequence_.reset();
  return next.has_value();
}

absl::StatusOr<ReadWindow> OpenWindow(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(path));
  return ReadWindow::Open(std::move(file));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::Open(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(ReadWindow window, OpenWindow(fs, path));
  ASSIGN_OR_RETURN(const std::string_view bytes, window.View(0, kLogInitialBytes));
  ASSIGN_OR_RETURN(const LogHeader header, DecodeLogHeader(bytes, path));
  const uint64_t first_record = FirstRecordOffset(header.pad_to);
  if (bytes.size() < first_record) return DataLossAt(path, bytes.size(), "log header: the file ends within its zeros");
  if (!IsAllZeros(bytes.substr(kLogHeaderBytes, first_record - kLogHeaderBytes))) {
    return DataLossAt(path, kLogHeaderBytes, "log header: bytes that are not zero behind it");
  }
  const Crc32c header_crc = StoredLogHeaderCrc(bytes);
  return std::unique_ptr<LogReader>(std::make_unique<FileLogReader>(std::move(window), path, header, header_crc));
}

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::OpenWithHeader(FileSystem* fs, const std::string& path,
                                                                     const LogHeader& header) {
  ASSIGN_OR_RETURN(ReadWindow window, OpenWindow(fs, path));
  auto reader = std::make_unique<FileLogReader>(std::move(window), path, header, Crc32c{});
  reader->AcceptAnySequence();
  return std::unique_ptr<LogReader>(std::move(reader));
}

absl::StatusOr<uint64_t> LogReader::FindDurabilityClaim(uint64_t from, Sequence last_sequence) {
  ASSIGN_OR_RETURN(const LogLookAhead ahead, LookAhead(from, last_sequence));
  return ahead.claim;
}

}  // namespace varve
