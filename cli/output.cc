#include "cli/output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/json_writer.h"
#include "base/status.h"

namespace varve::cli {
namespace {

bool IsNumber(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,-+e") == std::string::npos;
}

}  // namespace

void PrintLine(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

absl::Status FlushOutput() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return absl::OkStatus();
  return ErrnoStatus(errno != 0 ? errno : EIO, "write", "standard output");
}

void PrintError(const absl::Status& status) {
  std::string line = "varve: " + absl::StatusCodeToString(status.code()) + ": ";
  line.append(status.message().data(), status.message().size());
  const bool is_utf8 = IsUtf8(line);
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
    if (!is_utf8 && (c & 0x80) != 0) c = '?';
  }
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string WithCommas(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, ",");
  }
  return digits;
}

std::string Fixed(double number, int digits) {
  std::array<char, 400> text{};  // the largest double has 309 digits before its point
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, number);
  return {text.data(), static_cast<size_t>(std::max(length, 0))};
}

std::string HumanBytes(uint64_t bytes) {
  static constexpr std::array<const char*, 4> kUnits = {" KiB", " MiB", " GiB", " TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit) amount /= 1024;
  return Fixed(amount, 1) + kUnits[unit];
}

void Table::Print() const {
  std::vector<size_t> widths;
  std::vector<bool> numeric;
  for (size_t row = 0; row < rows_.size(); ++row) {
    widths.resize(std::max(widths.size(), rows_[row].size()));
    numeric.resize(widths.size(), true);
    for (size_t i = 0; i < rows_[row].size(); ++i) {
      const std::string& cell = rows_[row][i];
      widths[i] = std::max(widths[i], cell.size());
      if (!(has_header_ && row == 0) && !IsNumber(cell)) numeric[i] = false;
    }
  }
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      line += numeric[i] ? padding + row[i] : row[i] + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    PrintLine(line);
  }
}

}  // namespace varve::cli
