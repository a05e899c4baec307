#include "tests/damage/file_regions.h"

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "segment.pb.h"
#include "segment/segment_footer.h"
#include "wal/log_reader.h"

namespace varve::testing {
namespace {

// Sections begin with a header of their own, or an area that counts as one.
constexpr uint64_t kSectionHeadBytes = 64;

void AddSegment(const std::string& name, const std::string& bytes, FileRegions* regions) {
  const absl::StatusOr<SegmentFooter> footer = DecodeSegmentFooter(bytes, name);
  VARVE_CHECK(footer.ok());
  const uint64_t header = footer->header_offset;
  pb::SegmentHeader parsed;
  VARVE_CHECK(parsed.ParseFromString(bytes.substr(header, bytes.size() - SegmentFooter::kEncodedBytes - header)));
  regions->dense.emplace_back(0, kSectionHeadBytes);
  for (const pb::Section& section : parsed.sections()) {
    const uint64_t end = section.offset() + section.length();
    regions->borders.push_back(section.offset());
    regions->borders.push_back(end);
    const bool whole = section.kind() == pb::BLOCK_CHECKSUMS;
    regions->dense.emplace_back(section.offset(), whole ? end : std::min(end, section.offset() + kSectionHeadBytes));
  }
  regions->dense.emplace_back(header, bytes.size());
  regions->borders.push_back(header);
  regions->borders.push_back(bytes.size() - SegmentFooter::kEncodedBytes);
}

void AddLog(const std::string& bytes, FileRegions* regions) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  absl::StatusOr<std::unique_ptr<WritableFile>> file = fs->CreateFile("/log");
  VARVE_CHECK(file.ok() && (*file)->Append(bytes).status.ok());
  const absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(fs.get(), "/log");
  VARVE_CHECK(reader.ok());
  regions->dense.emplace_back(0, kLogHeaderBytes);
  LogRecord record;
  for (absl::StatusOr<LogReader::Outcome> outcome = (*reader)->Read(&record);
       outcome.ok() && *outcome == LogReader::Outcome::kRecord; outcome = (*reader)->Read(&record)) {
    regions->dense.emplace_back(record.offset, record.offset + kLogRecordHeaderBytes);
    regions->borders.push_back(record.offset);
    regions->borders.push_back(record.end);
  }
}

}  // namespace

FileRegions FindRegions(const std::string& name, const std::string& bytes) {
  FileRegions regions;
  const uint64_t size = bytes.size();
  const auto ends = [&](uint64_t head, uint64_t tail) {
    regions.dense.emplace_back(0, std::min(head, size));
    if (size > head) regions.dense.emplace_back(std::max(head, size - std::min(size, tail)), size);
    regions.borders = {std::min(head, size), size - std::min(size, tail)};
  };
  if (name.ends_with(".vcnt")) {
    AddSegment(name, bytes, &regions);
  } else if (name.ends_with(".vwal")) {
    AddLog(bytes, &regions);
  } else if (name.ends_with(".vdel")) {
    ends(64, 4);
  } else if (name.ends_with(".vckp")) {
    ends(16, 4);
  } else if (name.starts_with("manifest.json")) {
    ends(23, 2);
  } else {
    ends(size, 0);
  }
  regions.borders.push_back(size);
  std::sort(regions.borders.begin(), regions.borders.end());
  regions.borders.erase(std::unique(regions.borders.begin(), regions.borders.end()), regions.borders.end());
  return regions;
}

}  // namespace varve::testing
