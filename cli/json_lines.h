// Operations as JSON lines: what `varve write` and `varve import` of a .jsonl file read.
//
// A line without "op" that scan or export printed (it has "sequence") is a put of that record.
//
// Strict: an unknown member, a value of the wrong kind or a missing key refuses the line. What later versions build
// (sparse vectors, text, multi-vectors) is Unimplemented by name. Thread-compatible.
#ifndef VARVE_CLI_JSON_LINES_H_
#define VARVE_CLI_JSON_LINES_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/filter.h"
#include "varve/record.h"
#include "varve/types.h"
#include "varve/write_batch.h"

namespace varve::cli {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, FileCloser>;

// Opens a file of lines for reading.
absl::StatusOr<FilePointer> OpenLines(const std::string& path);

// Gives a stream line by line, each as soon as it is complete, so that a writer at the other end of a pipe may wait for
// the answer to one line before it writes the next.
class LineReader {
 public:
  // Longer lines are refused: the largest record, all its fields at their limits, is shorter.
  static constexpr size_t kMaxLineBytes = size_t{256} << 20;

  // `name` is for messages. The stream must outlive the reader, which does not close it.
  LineReader(std::FILE* stream, std::string name) : stream_(stream), name_(std::move(name)) {}

  // The next line that is not blank, without its end; false at the end of the stream. The last line need not be ended.
  absl::StatusOr<bool> Next(std::string* line);

  // Of the line that Next gave last, counted from 1 over all lines.
  uint64_t line_number() const { return line_number_; }
  // "NAME: line N"
  std::string place() const { return name_ + ": line " + std::to_string(line_number_); }

 private:
  std::FILE* stream_;
  std::string name_;
  uint64_t line_number_ = 0;
};

// One line.
struct LineOperation {
  enum class Kind : uint8_t { kWrite, kDeleteWhere, kDeleteNamespace, kFlush, kCheckpoint };

  Kind kind = Kind::kWrite;
  WriteBatch::Operation write;          // kWrite: put, insert, update or delete
  std::optional<std::string> ns;        // kDeleteNamespace; kDeleteWhere, if it keeps to one
  Filter filter;                        // kDeleteWhere
  std::optional<std::string> key_text;  // the key as it was given, in base64 or plain; empty for the other kinds
};

// Errors: InvalidArgument, Unimplemented; the caller adds the line's number.
absl::StatusOr<LineOperation> ParseOperation(std::string_view line);

void AddToBatch(WriteBatch::Operation operation, WriteBatch* batch);

// The line that acknowledges `operation`, without its end: "ack KEY", with the key as a JSON string if it has a control
// character (and would break the line); "ack" alone if it has no key.
std::string AckLine(const LineOperation& operation);

}  // namespace varve::cli

#endif  // VARVE_CLI_JSON_LINES_H_
