// Deletion bitmaps: what is accepted is written again and reads the same.
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "segment/deletion_bitmap.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr uint32_t kMaxRows = 1u << 16;

void RunBitmap(std::string_view input) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  FUZZ_CHECK_OK(PublishFile(fs.get(), "/a.vdel", input));
  const absl::StatusOr<LoadedBitmap> read = ReadDeletionBitmap(fs.get(), "/a.vdel", kMaxRows);
  if (!read.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(read.status()) || absl::IsUnimplemented(read.status()));
    return;
  }
  FUZZ_CHECK(read->dead.bound() == read->header.rows && read->dead.Count() == read->header.dead);
  const absl::StatusOr<PublishedBitmap> written = WriteDeletionBitmap(fs.get(), "/b.vdel", read->header, read->dead);
  FUZZ_CHECK_OK(written);
  const absl::StatusOr<LoadedBitmap> again = ReadDeletionBitmap(fs.get(), "/b.vdel", kMaxRows);
  FUZZ_CHECK_OK(again);
  FUZZ_CHECK(again->dead == read->dead && again->crc == written->crc);
}

std::vector<std::string> BitmapSeeds() {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  std::vector<std::string> seeds;
  for (const uint32_t rows : {0u, 1u, 64u, 65u, 1000u}) {
    for (const uint32_t step : {1u, 3u, 100u}) {
      DeletionBitmapHeader header;
      header.segment = 1;
      header.file_id = 2;
      header.rows = rows;
      header.durable_sequence = 77;
      RowSet dead(rows);
      for (uint32_t row = 0; row < rows; row += step) dead.Add(row);
      (void)Take(WriteDeletionBitmap(fs.get(), "/seed.vdel", header, dead));
      seeds.push_back(Take(ReadWholeFile(fs.get(), "/seed.vdel", 1 << 20)));
    }
  }
  return seeds;
}

}  // namespace

FuzzTarget BitmapTarget() {
  return {.name = "bitmap", .run = RunBitmap, .seeds = BitmapSeeds, .repair = RepairBitmap, .words = {"VDEL"}};
}

}  // namespace varve::fuzz
