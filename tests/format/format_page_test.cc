// The worked examples of docs/file_format.md are what this build writes, byte for byte.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "gtest/gtest.h"
#include "segment/segment_writer.h"
#include "tests/support/status_matchers.h"
#include "wal/log_writer.h"

namespace varve {
namespace {

Uuid Repeated(char byte) {
  Uuid uuid;
  uuid.bytes.fill(byte);
  return uuid;
}

std::string Printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += c >= ' ' && c <= '~' ? c : '.';
  return text;
}

// Sixteen bytes a line: offset, hex, text. Runs of lines of zeros, but for the first and the last line, are one "*".
std::string HexDump(std::string_view bytes) {
  std::string dump;
  bool starred = false;
  for (size_t offset = 0; offset < bytes.size(); offset += 16) {
    const std::string_view line = bytes.substr(offset, 16);
    const bool is_last = offset + 16 >= bytes.size();
    if (line.find_first_not_of('\0') == std::string_view::npos && offset != 0 && !is_last) {
      if (!starred) dump += "*\n";
      starred = true;
      continue;
    }
    starred = false;
    char number[24];
    std::snprintf(number, sizeof(number), "%04zx ", offset);
    std::string text = number;
    for (const char c : line) {
      std::snprintf(number, sizeof(number), " %02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += number;
    }
    text.resize(4 + 1 + 16 * 3, ' ');
    dump += text + "  " + Printable(line) + "\n";
  }
  return dump;
}

// The first fenced block behind a heading of the page.
std::string BlockOfPage(const std::string& heading) {
  const char* path = std::getenv("VARVE_FORMAT_PAGE");
  if (path == nullptr) return "VARVE_FORMAT_PAGE is not set";
  std::ifstream file(path);
  std::stringstream page;
  page << file.rdbuf();
  const std::string text = page.str();
  const size_t begin = text.find("\n```\n", text.find("\n" + heading + "\n"));
  if (begin == std::string::npos) return "the page has no block behind " + heading;
  const size_t end = text.find("\n```\n", begin + 5);
  return text.substr(begin + 5, end - begin - 4);
}

TEST(FormatPage, ShowsASegmentOfTwoRows) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  SegmentWriterOptions options;
  options.collection = Repeated('\x11');
  options.segment_id = 1;
  pb::Field* field = options.schema.add_fields();
  field->set_id(1);
  field->set_name("vector");
  field->set_kind(pb::DENSE);
  field->set_dimension(2);
  field->set_metric(pb::L2);
  field->set_element(pb::F32);
  options.schema.set_next_field_id(2);
  options.created_at_us = 1'000'000;
  options.writer_version = "0.1.0";

  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<SegmentWriter> writer,
                       SegmentWriter::Create(fs.get(), "segment", options));
  ASSERT_OK(writer->AddRow({.key = "pear", .sequence = 2, .created_at_us = 7, .updated_at_us = 8, .metadata = "{}"}));
  ASSERT_OK(writer->AddRow({.key = "plum", .sequence = 1, .created_at_us = 5, .updated_at_us = 6, .payload = "P"}));
  const SegmentField flat = {
      .id = 1, .dimension = 2, .index_type = IndexType::kFlat, .compression = CompressionType::kNone};
  ASSERT_OK(writer->BeginField(flat, /*slot_count=*/2, /*slot_rows=*/{}));
  ASSERT_OK(writer->BeginSection(SectionKind::kVectors, {}));
  const std::vector<float> vectors = {1.0f, 0.5f, -1.0f, 2.0f};
  ASSERT_OK(writer->Append(absl::MakeConstSpan(reinterpret_cast<const std::byte*>(vectors.data()), 4 * sizeof(float))));
  ASSERT_OK(writer->Finish());

  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadWholeFile(fs.get(), "segment", 1 << 20));
  EXPECT_EQ(HexDump(bytes), BlockOfPage("### A segment of two rows"));
}

TEST(FormatPage, ShowsALogOfTwoRecords) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  LogHeader header;
  header.number = 2;
  header.first_sequence = 1;
  header.collection = Repeated('\x11');
  header.secret = Repeated('\x22');

  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<LogWriter> writer, LogWriter::Create(fs.get(), "log", header));
  const std::vector<LogEntry> batch = {
      {LogEntryType::kInsert, "first payload", /*first_of_batch=*/true, /*last_of_batch=*/false},
      {LogEntryType::kDelete, "second", /*first_of_batch=*/false, /*last_of_batch=*/true}};
  ASSERT_OK(writer->Append(batch));
  ASSERT_OK(writer->Finish());

  ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadWholeFile(fs.get(), "log", 1 << 20));
  EXPECT_EQ(HexDump(bytes), BlockOfPage("### A log of two records"));
}

}  // namespace
}  // namespace varve
