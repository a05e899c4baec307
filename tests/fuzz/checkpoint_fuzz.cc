// Checkpoint files: what is accepted is written again and reads the same.
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "engine/version/checkpoint.h"
#include "engine/version/file_names.h"
#include "engine/version/schema_codec.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/manifest_seeds.h"

namespace varve::fuzz {
namespace {

void RunCheckpoint(std::string_view input) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  FUZZ_CHECK_OK(fs->CreateDirectory("/checkpoint"));
  FUZZ_CHECK_OK(PublishFile(fs.get(), "/a.vckp", input));
  const absl::StatusOr<pb::Checkpoint> read = ReadCheckpoint(fs.get(), "/a.vckp");
  if (!read.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(read.status()) || absl::IsUnimplemented(read.status()));
    return;
  }
  const FileId id = read->manifest().checkpoint_id();
  FUZZ_CHECK_OK(WriteCheckpoint(fs.get(), "/", id, *read));
  const absl::StatusOr<pb::Checkpoint> again = ReadCheckpoint(fs.get(), JoinPath("/", CheckpointName(id)));
  FUZZ_CHECK_OK(again);
  FUZZ_CHECK(again->SerializeAsString() == read->SerializeAsString());
  (void)DecodeSchema(read->manifest().config(), "a.vckp");
}

std::vector<std::string> CheckpointSeeds() {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  (void)fs->CreateDirectory("/checkpoint");
  std::vector<std::string> seeds;
  for (const pb::Manifest& manifest : SeedManifests()) {
    pb::Checkpoint checkpoint;
    *checkpoint.mutable_manifest() = manifest;
    checkpoint.mutable_manifest()->set_checkpoint_id(7);
    checkpoint.mutable_manifest()->set_next_file_id(9);
    checkpoint.set_log_number(6);
    checkpoint.set_log_offset(4096);
    FUZZ_CHECK_OK(WriteCheckpoint(fs.get(), "/", 7, checkpoint));
    seeds.push_back(Take(ReadWholeFile(fs.get(), JoinPath("/", CheckpointName(7)), 1 << 20)));
  }
  return seeds;
}

}  // namespace

FuzzTarget CheckpointTarget() {
  return {.name = "checkpoint",
          .run = RunCheckpoint,
          .seeds = CheckpointSeeds,
          .repair = RepairCheckpoint,
          .words = {"VCKP"}};
}

}  // namespace varve::fuzz
