#include "tests/fuzz/file_set.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/publish.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr size_t kMaxFiles = 32;

// Calls visit(name, offset of the bytes, length) for each file.
template <typename Visit>
void ForEachFile(std::string_view input, Visit visit) {
  size_t at = 0;
  for (size_t i = 0; i < kMaxFiles; ++i) {
    const size_t name_end = input.find('\n', at);
    if (name_end == std::string_view::npos || input.size() - name_end - 1 < sizeof(uint32_t)) return;
    const size_t begin = name_end + 1 + sizeof(uint32_t);
    const size_t length = std::min<size_t>(LoadUnaligned<uint32_t>(input.data() + name_end + 1), input.size() - begin);
    visit(input.substr(at, name_end - at), begin, length);
    at = begin + length;
  }
}

void AddFiles(FileSystem* fs, const std::string& directory, const std::string& prefix, FileSet* files) {
  for (const std::string& name : Take(fs->List(directory))) {
    const std::string path = JoinPath(directory, name);
    if (Take(fs->Stat(path)).is_directory) {
      AddFiles(fs, path, prefix + name + "/", files);
    } else {
      (*files)[prefix + name] = Take(ReadWholeFile(fs, path, uint64_t{1} << 26));
    }
  }
}

}  // namespace

std::string EncodeFileSet(const FileSet& files) {
  ByteWriter writer;
  for (const auto& [name, bytes] : files) {
    writer.Bytes(name);
    writer.Fixed('\n');
    writer.Fixed(static_cast<uint32_t>(bytes.size()));
    writer.Bytes(bytes);
  }
  return writer.Take();
}

FileSet DecodeFileSet(std::string_view input) {
  FileSet files;
  ForEachFile(input, [&](std::string_view name, size_t begin, size_t length) {
    files[std::string(name)] = input.substr(begin, length);
  });
  return files;
}

std::pair<size_t, size_t> PickFile(std::string_view input, uint64_t random) {
  std::vector<std::pair<size_t, size_t>> ranges;
  ForEachFile(input, [&](std::string_view, size_t begin, size_t length) {
    if (length > 0) ranges.emplace_back(begin, length);
  });
  if (ranges.empty()) return {0, input.size()};
  return ranges[random % ranges.size()];
}

FileSet ReadDirectory(FileSystem* fs, const std::string& directory) {
  FileSet files;
  AddFiles(fs, directory, "", &files);
  return files;
}

void WriteDirectory(FileSystem* fs, const std::string& directory, const FileSet& files) {
  fs->CreateDirectory(directory).IgnoreError();  // there may be one; what fails here fails below
  for (const auto& [name, bytes] : files) {
    if (name.empty() || name.size() > 64 || name.find("..") != std::string::npos) continue;
    const size_t slash = name.find('/');
    if (slash != std::string::npos) fs->CreateDirectory(JoinPath(directory, name.substr(0, slash))).IgnoreError();
    PublishFile(fs, JoinPath(directory, name), bytes).IgnoreError();
  }
}

}  // namespace varve::fuzz
