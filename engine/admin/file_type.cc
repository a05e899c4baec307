#include "engine/admin/file_type.h"

#include <memory>
#include <string_view>

#include "base/status.h"

namespace varve {
namespace {

struct Mark {
  std::string_view extension;
  std::string_view magic;
  StoredFileType type;
};
constexpr Mark kMarks[] = {
    {".vcnt", "VCNT", StoredFileType::kSegment},
    {".vdel", "VDEL", StoredFileType::kBitmap},
    {".vwal", "VWAL", StoredFileType::kLog},
    {".vckp", "VCKP", StoredFileType::kCheckpoint},
    {"manifest.json", "{\"ch", StoredFileType::kManifest},
    {"manifest.json.1", "{\"ch", StoredFileType::kManifest},
};
constexpr size_t kMagicBytes = 4;

}  // namespace

absl::StatusOr<StoredFileType> TellFileType(FileSystem* fs, const std::string& path) {
  for (const Mark& mark : kMarks) {
    if (path.ends_with(mark.extension)) return mark.type;
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(path));
  char first[kMagicBytes] = {};
  ASSIGN_OR_RETURN(const size_t read, file->Read(0, kMagicBytes, first));
  for (const Mark& mark : kMarks) {
    if (std::string_view(first, read) == mark.magic) return mark.type;
  }
  return FailedPrecondition(path + ": not a file of a collection");
}

}  // namespace varve
