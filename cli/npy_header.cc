#include "cli/npy_header.h"

#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "base/status.h"

namespace varve::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// Walks over the dictionary's text. Every Take moves on only if what it wants is next.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool Take(std::string_view token) {
    SkipSpace();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  // A quoted string without escapes.
  std::optional<std::string> TakeString() {
    SkipSpace();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }

  std::optional<uint64_t> TakeNumber() {
    SkipSpace();
    uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(stop - text_.data()));
    return value;
  }

 private:
  void SkipSpace() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }

  std::string_view text_;
};

// "(rows, columns)"
bool TakeShape(Scanner* scanner, NpyHeader* header) {
  if (!scanner->Take("(")) return false;
  const std::optional<uint64_t> rows = scanner->TakeNumber();
  if (!rows || !scanner->Take(",")) return false;
  const std::optional<uint64_t> columns = scanner->TakeNumber();
  if (!columns) return false;
  scanner->Take(",");
  if (!scanner->Take(")")) return false;
  header->rows = *rows;
  header->columns = *columns;
  return true;
}

// One "'name': value" of the dictionary. Errors: InvalidArgument, with the member's name if there is one.
absl::Status TakeMember(Scanner* scanner, NpyHeader* header) {
  const std::optional<std::string> name = scanner->TakeString();
  if (!name || !scanner->Take(":")) return InvalidArgument("the .npy header is not a dictionary");
  if (*name == "descr") {
    std::optional<std::string> descr = scanner->TakeString();
    if (!descr) return InvalidArgument("the .npy header's descr is not one simple type");
    header->descr = *std::move(descr);
  } else if (*name == "fortran_order") {
    header->fortran_order = scanner->Take("True");
    if (!header->fortran_order && !scanner->Take("False")) {
      return InvalidArgument("the .npy header's fortran_order is neither True nor False");
    }
  } else if (*name == "shape") {
    if (!TakeShape(scanner, header)) return InvalidArgument("the .npy header's shape is not (rows, columns)");
  } else {
    return InvalidArgument("the .npy header has an unknown member " + Quoted(*name));
  }
  return absl::OkStatus();
}

// Where the dictionary lies: after a length of two bytes (version 1) or four.
absl::StatusOr<std::string_view> FindDictionary(std::string_view file_start) {
  if (!file_start.starts_with(kMagic) || file_start.size() < kMagic.size() + 2) {
    return InvalidArgument("not a .npy file: it does not begin with \\x93NUMPY and a version");
  }
  const auto major = static_cast<unsigned char>(file_start[kMagic.size()]);
  if (major < 1 || major > 3) {
    return InvalidArgument("a .npy file of version " + std::to_string(major) + ": expected 1 to 3");
  }
  const size_t length_bytes = major == 1 ? 2 : 4;
  const size_t start = kMagic.size() + 2 + length_bytes;
  if (file_start.size() < start) return InvalidArgument("the file ends inside the .npy header");
  const char* length_at = file_start.data() + kMagic.size() + 2;
  const uint64_t length = major == 1 ? LoadUnaligned<uint16_t>(length_at) : LoadUnaligned<uint32_t>(length_at);
  if (start + length > kMaxNpyHeaderBytes) {
    return InvalidArgument("the .npy header claims " + std::to_string(length) + " bytes: the limit is " +
                           std::to_string(kMaxNpyHeaderBytes));
  }
  if (start + length > file_start.size()) return InvalidArgument("the file ends inside the .npy header");
  return file_start.substr(start, length);
}

}  // namespace

absl::StatusOr<NpyHeader> ParseNpyHeader(std::string_view file_start) {
  ASSIGN_OR_RETURN(const std::string_view dictionary, FindDictionary(file_start));
  NpyHeader header;
  header.data_offset = static_cast<uint64_t>(dictionary.data() + dictionary.size() - file_start.data());
  Scanner scanner(dictionary);
  if (!scanner.Take("{")) return InvalidArgument("the .npy header is not a dictionary");
  int members = 0;
  while (!scanner.Take("}")) {
    RETURN_IF_ERROR(TakeMember(&scanner, &header));
    ++members;
    scanner.Take(",");
  }
  if (members != 3) return InvalidArgument("the .npy header lacks descr, fortran_order or shape");
  return header;
}

}  // namespace varve::cli
