#include "engine/version/file_names.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/publish.h"
#include "base/status.h"

namespace varve {
namespace {

constexpr std::string_view kLogSuffix = ".vwal";
constexpr std::string_view kSegmentSuffix = ".vcnt";
constexpr std::string_view kBitmapSuffix = ".vdel";
constexpr std::string_view kAttachmentSuffix = ".vatt";
constexpr std::string_view kCheckpointSuffix = ".vckp";
constexpr size_t kMinDigits = 10;

std::string Digits(FileId id) {
  std::string digits = std::to_string(id);
  if (digits.size() < kMinDigits) digits.insert(0, kMinDigits - digits.size(), '0');
  return digits;
}

std::string NumberedName(std::string_view directory, FileId id, std::string_view suffix) {
  return JoinPath(directory, Digits(id) + std::string(suffix));
}

// The number that Digits() prints so; empty for anything else, and for 0, which is nobody's number.
std::optional<FileId> ParseDigits(std::string_view text) {
  FileId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == 0 || Digits(id) != text) return std::nullopt;
  return id;
}

// Takes `suffix` off the end of `name`, if it is there.
bool ConsumeSuffix(std::string_view suffix, std::string_view* name) {
  if (!name->ends_with(suffix)) return false;
  name->remove_suffix(suffix.size());
  return true;
}

// Fills kind and numbers from a name without its .tmp; leaves `entry` alone if no file of `directory` is called so.
void ParseName(std::string_view directory, std::string_view name, DirectoryEntry* entry) {
  FileKind kind = FileKind::kUnknown;
  if (directory == kLogDirectory && ConsumeSuffix(kLogSuffix, &name)) {
    kind = FileKind::kLog;
  } else if (directory == kCheckpointDirectory && ConsumeSuffix(kCheckpointSuffix, &name)) {
    kind = FileKind::kCheckpoint;
  } else if (directory == kSegmentDirectory && ConsumeSuffix(kSegmentSuffix, &name)) {
    kind = FileKind::kSegment;
  } else if (directory == kSegmentDirectory && ConsumeSuffix(kBitmapSuffix, &name)) {
    kind = FileKind::kBitmap;
  } else if (directory == kSegmentDirectory && ConsumeSuffix(kAttachmentSuffix, &name)) {
    kind = FileKind::kAttachment;
  }
  if (kind == FileKind::kUnknown) return;

  FileId segment = 0;
  if (kind == FileKind::kBitmap || kind == FileKind::kAttachment) {
    const size_t dot = name.find('.');
    if (dot == std::string_view::npos) return;
    const std::optional<FileId> owner = ParseDigits(name.substr(0, dot));
    if (!owner.has_value()) return;
    segment = *owner;
    name.remove_prefix(dot + 1);
  }
  const std::optional<FileId> id = ParseDigits(name);
  if (!id.has_value()) return;
  entry->kind = kind;
  entry->id = *id;
  entry->segment = segment;
}

DirectoryEntry MakeEntry(std::string_view directory, std::string_view name) {
  DirectoryEntry entry;
  entry.name = directory.empty() ? std::string(name) : JoinPath(directory, name);
  const bool temporary = ConsumeSuffix(kTemporarySuffix, &name);
  ParseName(directory, name, &entry);
  if (temporary) entry.kind = FileKind::kTemporary;
  return entry;
}

}  // namespace

std::string LogName(FileId log) { return NumberedName(kLogDirectory, log, kLogSuffix); }

std::string SegmentName(FileId segment) { return NumberedName(kSegmentDirectory, segment, kSegmentSuffix); }

std::string BitmapName(FileId segment, FileId bitmap) {
  return JoinPath(kSegmentDirectory, Digits(segment) + "." + Digits(bitmap) + std::string(kBitmapSuffix));
}

std::string CheckpointName(FileId checkpoint) {
  return NumberedName(kCheckpointDirectory, checkpoint, kCheckpointSuffix);
}

absl::StatusOr<std::vector<DirectoryEntry>> ListCollection(FileSystem* fs, const std::string& directory) {
  std::vector<DirectoryEntry> entries;
  for (const std::string_view sub : {kLogDirectory, kSegmentDirectory, kCheckpointDirectory}) {
    absl::StatusOr<std::vector<std::string>> names = fs->List(JoinPath(directory, sub));
    if (absl::IsNotFound(names.status())) continue;
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) entries.push_back(MakeEntry(sub, name));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  for (const std::string& name : names) {
    if (name.ends_with(kTemporarySuffix)) entries.push_back(MakeEntry("", name));
  }
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace varve
