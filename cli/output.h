// What a person or a script reads on stdout.
#ifndef VARVE_CLI_OUTPUT_H_
#define VARVE_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace varve::cli {

// One line on stdout. Failures are kept for FlushOutput.
void PrintLine(std::string_view line);

// Hands what was printed to the reader. Errors: those of the operating system, such as ResourceExhausted on a full
// disk.
absl::Status FlushOutput();

// "varve: STATUS: message" on stderr, on one line of UTF-8 whatever the message holds.
void PrintError(const absl::Status& status);

// 1234567 as "1,234,567".
std::string WithCommas(uint64_t number);
// Fixed-point with `digits` behind the point.
std::string Fixed(double number, int digits);
// "12.3 MiB"
std::string HumanBytes(uint64_t bytes);

// Rows of text in columns as wide as their widest cell; columns of nothing but numbers to the right.
// Thread-compatible.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : has_header_(true) { AddRow(std::move(header)); }
  Table() = default;

  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void Print() const;

 private:
  bool has_header_ = false;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_OUTPUT_H_
