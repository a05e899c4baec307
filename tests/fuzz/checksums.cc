#include "tests/fuzz/checksums.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "engine/version/file_names.h"
#include "segment.pb.h"
#include "segment/block_checksums.h"
#include "segment/segment_footer.h"
#include "segment/segment_head.h"
#include "wal/log_format.h"

namespace varve::fuzz {
namespace {

constexpr size_t kManifestChecksumAt = std::string_view(R"({"checksum":")").size();
constexpr size_t kManifestChecksumBytes = 8;

void StoreTrailingChecksum(std::string* file) {
  if (file->size() < sizeof(Crc32c)) return;
  const size_t end = file->size() - sizeof(Crc32c);
  StoreUnaligned(file->data() + end, ComputeCrc32c(std::string_view(*file).substr(0, end)));
}

pb::Section* FindBlockChecksums(pb::SegmentHeader* header) {
  for (pb::Section& section : *header->mutable_sections()) {
    if (section.kind() == pb::BLOCK_CHECKSUMS) return &section;
  }
  return nullptr;
}

// The checksums of the blocks, and in the header that of them all. False if they do not lie before the header.
bool RepairBlocks(std::string* file, uint64_t header_offset, pb::Section* section) {
  const uint64_t offset = section->offset();
  const uint64_t blocks = section->length() / sizeof(uint32_t);
  if (offset > header_offset || section->length() > header_offset - offset) return false;
  if (blocks > ChecksumBlockCount(offset)) return false;
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t begin = i * BlockVerifier::kBlockBytes;
    const uint64_t length = std::min(BlockVerifier::kBlockBytes, offset - begin);
    StoreUnaligned(file->data() + offset + i * sizeof(uint32_t),
                   ComputeCrc32c(std::string_view(*file).substr(begin, length)));
  }
  const std::string_view table = std::string_view(*file).substr(offset, section->length());
  section->set_crc(static_cast<uint32_t>(ComputeCrc32c(table)));
  return true;
}

// The end of a log as the header of the next one states it.
LogEnd EndOf(std::string_view file) {
  LogEnd end;
  end.number = LoadUnaligned<uint64_t>(file.data() + 8);
  end.length = file.size();
  end.final_crc = StoredLogHeaderCrc(file);
  end.last_sequence = LoadUnaligned<Sequence>(file.data() + 16) - 1;
  return end;
}

// The checksum of an encoded record header, whatever it says.
Crc32c StoreRecordChecksum(Crc32c seed, uint64_t offset, char* record) {
  std::string covered(reinterpret_cast<const char*>(&offset), sizeof(offset));
  covered.append(record + sizeof(Crc32c), kLogRecordHeaderBytes - sizeof(Crc32c));
  const Crc32c crc = ExtendCrc32c(seed, covered);
  StoreUnaligned(record, crc);
  return crc;
}

// Makes the checksums of the records right, and moves `end` behind each.
void RepairRecords(std::string* file, LogEnd* end) {
  const auto secret = LoadUnaligned<Uuid>(file->data() + 40);
  const auto pad_to = LoadUnaligned<uint32_t>(file->data() + 56);
  const Crc32c seed = LogRecordSeed(secret, end->number);
  if (pad_to != kLogRecordAlignment && pad_to != 4096) return;
  uint64_t offset = FirstRecordOffset(pad_to);
  while (offset + kLogRecordHeaderBytes <= file->size()) {
    char* const record = file->data() + offset;
    const auto payload_bytes = LoadUnaligned<uint32_t>(record + 8);
    const auto sequence = LoadUnaligned<Sequence>(record + 16);
    if (record[12] == 0 && sequence == 0) return;  // zeros: the log ends here
    const size_t payload = offset + kLogRecordHeaderBytes;
    const bool fits = payload_bytes <= file->size() - payload;
    if (fits) StoreUnaligned(record + 4, ComputeCrc32c(std::string_view(*file).substr(payload, payload_bytes)));
    end->final_crc = StoreRecordChecksum(seed, offset, record);
    end->last_sequence = sequence;
    if (!fits) return;
    offset = LogRecordEnd(offset, payload_bytes, static_cast<uint8_t>(record[13]), pad_to);
    end->length = offset;
  }
}

std::string RepairOneLog(std::string file, LogEnd* end) {
  if (file.size() < kLogHeaderBytes) return file;
  const size_t checksum_at = kLogHeaderBytes - sizeof(Crc32c);
  StoreUnaligned(file.data() + checksum_at, ComputeCrc32c(std::string_view(file).substr(0, checksum_at)));
  *end = EndOf(file);
  RepairRecords(&file, end);
  return file;
}

std::string_view DigitsBehind(std::string_view text, std::string_view name, size_t from) {
  const size_t at = text.find(name, from);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + name.size());
}

// The eight hex digits that follow `name` behind `from` are made those of `crc`.
void StoreHex(std::string_view name, size_t from, Crc32c crc, std::string* text) {
  const std::string_view digits = DigitsBehind(*text, name, from);
  if (digits.size() < 8) return;
  text->replace(static_cast<size_t>(digits.data() - text->data()), 8, Crc32cToHex(crc));
}

// What a manifest says of the segments and bitmaps: found as text, since it need not be a manifest any more.
void RepairManifestEntries(const FileSet& files, std::string* manifest) {
  size_t at = 0;
  while ((at = manifest->find(R"({"id":")", at)) != std::string::npos) {
    at += 7;
    const uint64_t id = std::strtoull(manifest->c_str() + at, nullptr, 10);
    const auto segment = files.find(SegmentName(id));
    if (segment != files.end() && segment->second.size() >= sizeof(Crc32c)) {
      const char* const crc = segment->second.data() + segment->second.size() - sizeof(Crc32c);
      StoreHex(R"("footer_crc":")", at, LoadUnaligned<Crc32c>(crc), manifest);
    }
    const std::string_view bitmap = DigitsBehind(*manifest, R"("bitmap":{"file_id":")", at);
    if (bitmap.empty()) continue;
    const uint64_t file_id = std::strtoull(std::string(bitmap.substr(0, 20)).c_str(), nullptr, 10);
    const auto file = files.find(BitmapName(id, file_id));
    if (file == files.end() || file->second.size() < sizeof(Crc32c)) continue;
    const char* const crc = file->second.data() + file->second.size() - sizeof(Crc32c);
    StoreHex(R"("crc":")", static_cast<size_t>(bitmap.data() - manifest->data()), LoadUnaligned<Crc32c>(crc), manifest);
  }
}

}  // namespace

void RepairSegment(std::string* file) {
  if (file->size() < kSegmentHeadBytes + SegmentFooter::kEncodedBytes) return;
  const size_t head_crc_at = kSegmentHeadBytes - sizeof(Crc32c);
  StoreUnaligned(file->data() + head_crc_at, ComputeCrc32c(std::string_view(*file).substr(0, head_crc_at)));
  std::string footer = file->substr(file->size() - SegmentFooter::kEncodedBytes);
  const auto header_offset = LoadUnaligned<uint64_t>(footer.data() + SegmentFooterLayout::kHeaderOffset);
  if (header_offset > file->size() - SegmentFooter::kEncodedBytes) return;
  std::string header = file->substr(header_offset, file->size() - SegmentFooter::kEncodedBytes - header_offset);
  pb::SegmentHeader message;
  if (message.ParseFromString(header)) {
    pb::Section* const checksums = FindBlockChecksums(&message);
    if (checksums != nullptr && RepairBlocks(file, header_offset, checksums)) header = message.SerializeAsString();
  }
  const Crc32c crc =
      ExtendCrc32c(ComputeCrc32c(header), std::string_view(footer).substr(0, SegmentFooterLayout::kChecksum));
  StoreUnaligned(footer.data() + SegmentFooterLayout::kChecksum, crc);
  file->resize(header_offset);
  *file += header + footer;
}

void RepairBitmap(std::string* file) { StoreTrailingChecksum(file); }

void RepairCheckpoint(std::string* file) {
  constexpr size_t kLengthAt = 8;
  constexpr size_t kFrameBytes = 16 + sizeof(Crc32c);
  if (file->size() >= kFrameBytes) StoreUnaligned(file->data() + kLengthAt, uint64_t{file->size() - kFrameBytes});
  StoreTrailingChecksum(file);
}

void RepairManifest(std::string* file) {
  if (file->size() < kManifestChecksumAt + kManifestChecksumBytes) return;
  file->replace(kManifestChecksumAt, kManifestChecksumBytes, "00000000");
  file->replace(kManifestChecksumAt, kManifestChecksumBytes, Crc32cToHex(ComputeCrc32c(*file)));
}

void RepairLog(std::string* file) {
  LogEnd end;
  *file = RepairOneLog(std::move(*file), &end);
}

void RepairLogs(FileSet* files) {
  LogEnd previous;
  for (auto& [name, file] : *files) {
    if (!name.ends_with(".vwal") || file.size() < kLogHeaderBytes) continue;
    if (LoadUnaligned<uint64_t>(file.data() + 60) == previous.number && previous.number != 0) {
      StoreUnaligned(file.data() + 68, previous.length);
      StoreUnaligned(file.data() + 76, previous.final_crc);
      StoreUnaligned(file.data() + 80, previous.last_sequence);
    }
    file = RepairOneLog(std::move(file), &previous);
  }
}

void RepairCollection(FileSet* files) {
  RepairLogs(files);
  for (auto& [name, file] : *files) {
    if (name.ends_with(".vcnt")) RepairSegment(&file);
    if (name.ends_with(".vdel")) RepairBitmap(&file);
    if (name.ends_with(".vckp")) RepairCheckpoint(&file);
  }
  for (const std::string_view name : {kManifestName, kManifestBackupName}) {
    const auto manifest = files->find(std::string(name));
    if (manifest == files->end()) continue;
    RepairManifestEntries(*files, &manifest->second);
    RepairManifest(&manifest->second);
  }
}

}  // namespace varve::fuzz
