#include "wal/log_format.h"

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr size_t kHeaderCrcOffset = kLogHeaderBytes - sizeof(Crc32c);
constexpr size_t kHeaderFieldsEnd = 88;

bool IsValidPadding(uint32_t pad_to) { return pad_to == kLogRecordAlignment || pad_to == 4096; }

// Why `previous` can be no predecessor of the log; null if it can.
const char* WhyNoPredecessor(const LogHeader& header) {
  const LogEnd& previous = header.previous;
  if (previous.number == 0) {
    return previous == LogEnd{} ? nullptr : "log header: names no predecessor, but its length or sequence";
  }
  if (previous.number >= header.number) return "log header: predecessor's number is not below the log's own";
  if (previous.length < kLogHeaderBytes || previous.length % kLogRecordAlignment != 0) {
    return "log header: impossible length of the predecessor";
  }
  if (previous.last_sequence >= header.first_sequence) {
    return "log header: predecessor's last sequence is not below the log's first";
  }
  return nullptr;
}

// Why the fields, read under a right checksum, cannot be a log's; null if they can.
const char* WhyNoHeader(const LogHeader& header) {
  if (header.number == 0) return "log header: number is 0";
  if (header.first_sequence == 0) return "log header: first sequence is 0";
  if (!IsValidPadding(header.pad_to)) return "log header: pad_to is neither 8 nor 4096";
  return WhyNoPredecessor(header);
}

// The checksum of an encoded record header.
Crc32c ComputeHeaderCrc(Crc32c seed, uint64_t offset, const char* header) {
  char covered[sizeof(offset) + kLogRecordHeaderBytes - sizeof(Crc32c)];
  StoreUnaligned(covered, offset);
  std::memcpy(covered + sizeof(offset), header + sizeof(Crc32c), kLogRecordHeaderBytes - sizeof(Crc32c));
  return ExtendCrc32c(seed, std::string_view(covered, sizeof(covered)));
}

}  // namespace

bool IsValidLogHeader(const LogHeader& header) { return WhyNoHeader(header) == nullptr; }

std::string EncodeLogHeader(const LogHeader& header) {
  VARVE_CHECK(IsValidLogHeader(header));
  ByteWriter writer;
  writer.Bytes(kLogMagic);
  writer.Fixed(kFormatVersion);
  writer.Fixed(header.number);
  writer.Fixed(header.first_sequence);
  writer.Bytes(header.collection.view());
  writer.Bytes(header.secret.view());
  writer.Fixed(header.pad_to);
  writer.Fixed(header.previous.number);
  writer.Fixed(header.previous.length);
  writer.Fixed(header.previous.final_crc);
  writer.Fixed(header.previous.last_sequence);
  VARVE_CHECK(writer.size() == kHeaderFieldsEnd);
  writer.Zeros(kHeaderCrcOffset - kHeaderFieldsEnd);
  writer.Fixed(ComputeCrc32c(writer.str()));
  return writer.Take();
}

Crc32c StoredLogHeaderCrc(std::string_view bytes) {
  VARVE_CHECK(bytes.size() >= kLogHeaderBytes);
  return LoadUnaligned<Crc32c>(bytes.data() + kHeaderCrcOffset);
}

absl::StatusOr<LogHeader> DecodeLogHeader(std::string_view bytes, std::string_view file) {
  if (bytes.size() < kLogHeaderBytes) return DataLossAt(file, bytes.size(), "log header: the file ends within it");
  bytes = bytes.substr(0, kLogHeaderBytes);
  if (bytes.substr(0, kLogMagic.size()) != kLogMagic) return DataLossAt(file, 0, "log header: magic is not VWAL");
  if (ComputeCrc32c(bytes.substr(0, kHeaderCrcOffset)) != StoredLogHeaderCrc(bytes)) {
    return DataLossAt(file, kHeaderCrcOffset, "log header: checksum does not match");
  }
  const uint32_t version = LoadUnaligned<uint32_t>(bytes.data() + 4);
  if (version > kFormatVersion) {
    return Unimplemented(std::string(file) + ": log header: format version " + std::to_string(version) +
                         ": this build reads up to " + std::to_string(kFormatVersion));
  }
  if (version == 0) return DataLossAt(file, 4, "log header: format version is 0");

  LogHeader header;
  const char* const data = bytes.data();
  header.number = LoadUnaligned<uint64_t>(data + 8);
  header.first_sequence = LoadUnaligned<Sequence>(data + 16);
  header.collection = LoadUnaligned<Uuid>(data + 24);
  header.secret = LoadUnaligned<Uuid>(data + 40);
  header.pad_to = LoadUnaligned<uint32_t>(data + 56);
  header.previous.number = LoadUnaligned<uint64_t>(data + 60);
  header.previous.length = LoadUnaligned<uint64_t>(data + 68);
  header.previous.final_crc = LoadUnaligned<Crc32c>(data + 76);
  header.previous.last_sequence = LoadUnaligned<Sequence>(data + 80);
  if (const char* reason = WhyNoHeader(header)) return DataLossAt(file, 0, reason);
  if (bytes.substr(kHeaderFieldsEnd, kHeaderCrcOffset - kHeaderFieldsEnd).find_first_not_of('\0') !=
      std::string_view::npos) {
    return DataLossAt(file, kHeaderFieldsEnd, "log header: bytes that are not zero behind the last field");
  }
  return header;
}

uint64_t FirstRecordOffset(uint32_t pad_to) { return AlignUp(kLogHeaderBytes, pad_to); }

Crc32c LogRecordSeed(const Uuid& secret, uint64_t number) {
  ByteWriter writer;
  writer.Bytes(secret.view());
  writer.Fixed(number);
  return ComputeCrc32c(writer.str());
}

Crc32c EncodeLogRecordHeader(const LogRecordHeader& header, Crc32c seed, uint64_t offset, char* target) {
  VARVE_DCHECK(header.synced_up_to <= offset);
  StoreUnaligned(target + 4, header.payload_crc);
  StoreUnaligned(target + 8, header.payload_bytes);
  StoreUnaligned(target + 12, header.type);
  StoreUnaligned(target + 13, header.flags);
  StoreUnaligned(target + 14, header.reserved);
  StoreUnaligned(target + 16, header.sequence);
  StoreUnaligned(target + 24, header.synced_up_to);
  const Crc32c header_crc = ComputeHeaderCrc(seed, offset, target);
  StoreUnaligned(target, header_crc);
  return header_crc;
}

bool DecodeLogRecordHeader(const char* bytes, Crc32c seed, uint64_t offset, LogRecordHeader* header,
                           Crc32c* header_crc) {
  const Crc32c stored = LoadUnaligned<Crc32c>(bytes);
  if (ComputeHeaderCrc(seed, offset, bytes) != stored) return false;
  *header_crc = stored;
  header->payload_crc = LoadUnaligned<Crc32c>(bytes + 4);
  header->payload_bytes = LoadUnaligned<uint32_t>(bytes + 8);
  header->type = LoadUnaligned<uint8_t>(bytes + 12);
  header->flags = LoadUnaligned<uint8_t>(bytes + 13);
  header->reserved = LoadUnaligned<uint16_t>(bytes + 14);
  header->sequence = LoadUnaligned<Sequence>(bytes + 16);
  header->synced_up_to = LoadUnaligned<uint64_t>(bytes + 24);
  return true;
}

uint64_t LogRecordEnd(uint64_t offset, uint32_t payload_bytes, uint8_t flags, uint32_t pad_to) {
  const uint64_t alignment = (flags & kLastOfSyncGroup) != 0 ? pad_to : kLogRecordAlignment;
  return AlignUp(offset + kLogRecordHeaderBytes + payload_bytes, alignment);
}

}  // namespace varve
