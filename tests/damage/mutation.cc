#include "tests/damage/mutation.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/str_cat.h"

namespace varve::testing {
namespace {

// What follows the word of each kind: which marks, in this order, stand before which numbers.
struct Form {
  MutationKind kind;
  std::string_view word;
  std::string_view marks;  // '@' offset, '.' ':' '+' length, '=' value, '/' the other file
};
constexpr Form kForms[] = {
    {MutationKind::kFlip, "flip", "@."},
    {MutationKind::kSet, "set", "@="},
    {MutationKind::kInteger, "int", "@:="},
    {MutationKind::kZero, "zero", "@+"},
    {MutationKind::kNeighbour, "neighbour", "@+"},
    {MutationKind::kFromFile, "from", "@+/"},
    {MutationKind::kCut, "cut", "@"},
    {MutationKind::kAppendZeros, "zeros", "+"},
    {MutationKind::kAppendTail, "tail", "+"},
    {MutationKind::kSwap, "swap", "/"},
    {MutationKind::kForeign, "foreign", ""},
    {MutationKind::kMissing, "missing", ""},
    {MutationKind::kEmpty, "empty", ""},
    {MutationKind::kDirectory, "directory", ""},
    {MutationKind::kBothMissing, "both-missing", ""},
};

// Takes a decimal number off the front.
bool TakeNumber(std::string_view* text, uint64_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

void Overwrite(std::string_view from, uint64_t offset, uint64_t length, std::string* bytes) {
  for (uint64_t i = 0; i < length && offset + i < bytes->size(); ++i) {
    (*bytes)[offset + i] = i < from.size() ? from[i] : '\0';
  }
}

std::string_view BlockOf(std::string_view bytes, uint64_t offset, uint64_t length) {
  return offset < bytes.size() ? bytes.substr(offset, length) : std::string_view();
}

}  // namespace

std::string MutationText(const Mutation& mutation) {
  const Form& form = *std::find_if(std::begin(kForms), std::end(kForms),
                                   [&](const Form& candidate) { return candidate.kind == mutation.kind; });
  std::string text(form.word);
  for (const char mark : form.marks) {
    if (mark == '/') {
      absl::StrAppend(&text, "=", mutation.other);
    } else {
      const uint64_t number = mark == '@' ? mutation.offset : mark == '=' ? mutation.value : mutation.length;
      absl::StrAppend(&text, std::string(1, mark), number);
    }
  }
  return text;
}

std::optional<Mutation> ParseMutation(std::string_view text) {
  const size_t end = std::min(text.find_first_of("@+="), text.size());
  const auto form = std::find_if(std::begin(kForms), std::end(kForms),
                                 [&](const Form& candidate) { return candidate.word == text.substr(0, end); });
  if (form == std::end(kForms)) return std::nullopt;
  text.remove_prefix(end);
  Mutation mutation;
  mutation.kind = form->kind;
  for (const char mark : form->marks) {
    if (!text.starts_with(mark == '/' ? '=' : mark)) return std::nullopt;
    text.remove_prefix(1);
    if (mark == '/') {
      mutation.other = std::string(std::exchange(text, ""));
      continue;
    }
    if (!TakeNumber(&text, mark == '@' ? &mutation.offset : mark == '=' ? &mutation.value : &mutation.length)) {
      return std::nullopt;
    }
  }
  if (!text.empty()) return std::nullopt;
  return mutation;
}

bool IsOfBytes(MutationKind kind) {
  switch (kind) {
    case MutationKind::kSwap:
    case MutationKind::kForeign:
    case MutationKind::kMissing:
    case MutationKind::kDirectory:
    case MutationKind::kBothMissing:
      return false;
    default:
      return true;
  }
}

std::string Damaged(const Mutation& mutation, std::string bytes, std::string_view other) {
  const uint64_t offset = mutation.offset;
  const uint64_t length = mutation.length;
  switch (mutation.kind) {
    case MutationKind::kFlip:
      if (offset < bytes.size()) bytes[offset] = static_cast<char>(bytes[offset] ^ (1 << (length % 8)));
      break;
    case MutationKind::kSet:
      if (offset < bytes.size()) bytes[offset] = static_cast<char>(mutation.value);
      break;
    case MutationKind::kInteger: {
      std::string little;
      for (uint64_t i = 0; i < length; ++i) little.push_back(static_cast<char>(mutation.value >> (8 * i)));
      Overwrite(little, offset, length, &bytes);
      break;
    }
    case MutationKind::kZero:
      Overwrite("", offset, length, &bytes);
      break;
    case MutationKind::kNeighbour: {
      const bool is_last = offset + length >= bytes.size();
      const std::string block(BlockOf(bytes, is_last ? offset - std::min(offset, length) : offset + length, length));
      Overwrite(block, offset, length, &bytes);
      break;
    }
    case MutationKind::kFromFile:
      Overwrite(BlockOf(other, offset, length), offset, length, &bytes);
      break;
    case MutationKind::kCut:
      bytes.resize(std::min<uint64_t>(bytes.size(), offset));
      break;
    case MutationKind::kAppendZeros:
      bytes.append(length, '\0');
      break;
    case MutationKind::kAppendTail:
      bytes += std::string(bytes.substr(bytes.size() - std::min<uint64_t>(bytes.size(), length)));
      break;
    case MutationKind::kEmpty:
      bytes.clear();
      break;
    default:
      break;
  }
  return bytes;
}

DamagedFiles Damage(const Mutation& mutation, const std::string& file, const Corpus& corpus, const Corpus& twin) {
  DamagedFiles damaged{corpus.files, {}, {file}};
  const auto find = [](const Files& files, const std::string& name) {
    const auto found = files.find(name);
    return found != files.end() ? found->second : std::string();
  };
  switch (mutation.kind) {
    case MutationKind::kSwap:
      std::swap(damaged.files[file], damaged.files[mutation.other]);
      damaged.changed.insert(mutation.other);
      break;
    case MutationKind::kForeign:
      damaged.files[file] = find(twin.files, file);
      break;
    case MutationKind::kDirectory:
      damaged.directories.insert(file);
      damaged.files.erase(file);
      break;
    case MutationKind::kMissing:
      damaged.files.erase(file);
      break;
    case MutationKind::kBothMissing:
      for (const char* name : {"manifest.json", "manifest.json.1"}) {
        damaged.files.erase(name);
        damaged.changed.insert(name);
      }
      break;
    default:
      damaged.files[file] = Damaged(mutation, damaged.files[file], find(corpus.files, mutation.other));
      break;
  }
  for (auto name = damaged.changed.begin(); name != damaged.changed.end();) {
    const auto before = corpus.files.find(*name);
    const auto after = damaged.files.find(*name);
    const bool same = before != corpus.files.end() && after != damaged.files.end() && before->second == after->second;
    name = same ? damaged.changed.erase(name) : std::next(name);
  }
  return damaged;
}

}  // namespace varve::testing
