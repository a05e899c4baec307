// The files of a whole collection, whatever they hold: opening strictly or with salvage, reading, searching, writing,
// merging and verifying end with an answer or an error that says what is wrong. What could be opened, written to and
// closed opens again.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/admin/dump.h"
#include "engine/admin/verify.h"
#include "tests/fuzz/checksums.h"
#include "tests/fuzz/exact_file_system.h"
#include "tests/fuzz/fuzz_target.h"
#include "varve/collection.h"

namespace varve::fuzz {
namespace {

constexpr char kFolder[] = "/c";
constexpr int64_t kNow = 1'700'000'000'000'000;

// Everything but: the caller's fault, and this build's.
bool IsRefusal(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsUnimplemented(status) || absl::IsNotFound(status) ||
         absl::IsFailedPrecondition(status);
}
void Answered(const absl::Status& status) {
  if (!status.ok() && !IsRefusal(status)) Fail(status.ToString(), __FILE__, __LINE__);
}

void ReadAll(Collection* collection) {
  std::vector<RecordPlace> places;
  Answered(collection->Scan({}, [&](const Record& record) {
    places.push_back({record.ns, record.key});
    return places.size() < 500;
  }));
  for (size_t i = 0; i < places.size() && i < 20; ++i) {
    Answered(collection->Get(places[i].ns, places[i].key).status());
  }
  Answered(collection->Count().status());
  Answered(collection->CountWhere(Take(Filter::Parse("n > 3 OR t = 'x'"))).status());
  const FieldSpec* field = collection->schema().DefaultDenseField();
  if (field == nullptr || field->dimension > 64) return;
  for (const bool exact : {false, true}) {
    SearchRequest request;
    request.vector = VectorValue(std::vector<float>(field->dimension, 1));
    request.k = 5;
    request.exact = exact;
    request.with_records = true;
    if (exact) request.filter = Take(Filter::Parse("n >= 0"));
    const absl::StatusOr<SearchResult> result = collection->Search(request);
    // A query of floats may not suit the element type that a hostile schema asks for.
    if (!result.ok() && !absl::IsInvalidArgument(result.status())) Answered(result.status());
    if (result.ok()) FUZZ_CHECK(result->hits.size() <= 5);
  }
  (void)collection->Stats();
  (void)collection->MetricsText();
}

void WriteSome(Collection* collection) {
  const FieldSpec* field = collection->schema().DefaultDenseField();
  RecordInput record;
  record.key = "k3";
  if (field != nullptr && field->dimension <= 64) {
    record.vectors.push_back({"", VectorValue(std::vector<float>(field->dimension, 1))});
  }
  const absl::Status status = collection->Put(record);
  if (!status.ok() && !absl::IsInvalidArgument(status) && !absl::IsResourceExhausted(status)) Answered(status);
  Answered(collection->Delete("n", "k6"));
  Answered(collection->Flush().status());
  Answered(collection->Merge(/*full=*/true).status());
  Answered(collection->Checkpoint().status());
}

// False if the collection was not opened, or was not closed.
bool OpenAndWrite(FileSystem* fs, RecoveryMode recovery) {
  ManualClock clock(kNow);
  Options options;
  options.file_system = fs;
  options.clock = &clock;
  options.threads = 1;
  options.background_merges = false;
  options.memory_bytes = size_t{32} << 20;
  options.recovery = recovery;
  absl::StatusOr<std::unique_ptr<Collection>> collection = Collection::Open(kFolder, options);
  Answered(collection.status());
  if (!collection.ok()) return false;
  ReadAll(collection->get());
  WriteSome(collection->get());
  ReadAll(collection->get());
  return (*collection)->Close().ok();
}

void RunCollectionFiles(std::string_view input) {
  const FileSet files = DecodeFileSet(input);
  bool sound = false;
  {
    ExactFileSystem fs;
    WriteDirectory(&fs, kFolder, files);
    const absl::StatusOr<VerifyReport> report = VerifyPath(kFolder, {&fs, /*deep=*/true});
    Answered(report.status());
    sound = report.ok() && report->ok;
    for (const auto& [name, bytes] : files) (void)DumpFile(std::string(kFolder) + "/" + name, &fs);
    ManualClock clock(kNow);
    ReadOnlyOptions options;
    options.file_system = &fs;
    options.clock = &clock;
    const absl::StatusOr<std::unique_ptr<Collection>> reader = Collection::OpenReadOnly(kFolder, options);
    Answered(reader.status());
    if (reader.ok()) ReadAll(reader->get());
  }
  for (const RecoveryMode recovery : {RecoveryMode::kStrict, RecoveryMode::kSalvage}) {
    ExactFileSystem fs;
    WriteDirectory(&fs, kFolder, files);
    if (!OpenAndWrite(&fs, recovery) || !sound) continue;
    FUZZ_CHECK(OpenAndWrite(&fs, RecoveryMode::kStrict));
  }
}

RecordInput MakeRecord(int i) {
  RecordInput record;
  record.ns = i % 3 == 0 ? "n" : "";
  record.key = "k" + std::to_string(i);
  record.vectors.push_back({"", VectorValue({static_cast<float>(i % 7), static_cast<float>(i % 5)})});
  if (i % 2 == 0) record.metadata = "{\"n\":" + std::to_string(i) + "}";
  if (i % 5 == 0) record.ttl_seconds = 1000;
  return record;
}

// With a segment or two, a bitmap, a checkpoint and a log behind them; without segments if `rows` is 0.
std::string Seed(int rows, IndexType index, bool close) {
  ExactFileSystem fs;
  ManualClock clock(kNow);
  Options options;
  options.file_system = &fs;
  options.clock = &clock;
  options.threads = 1;
  options.background_merges = false;
  Schema schema = Schema::SingleVector(2, Metric::kL2);
  schema.fields[0].index.type = index;
  auto collection = Take(Collection::Create(kFolder, schema, options));
  for (int i = 0; i < rows; ++i) FUZZ_CHECK_OK(collection->Put(MakeRecord(i)));
  if (rows > 0) {
    FUZZ_CHECK_OK(collection->Merge(/*full=*/true));
    FUZZ_CHECK_OK(collection->Delete("", "k4"));
    const auto load = Take(collection->NewBulkLoad());
    FUZZ_CHECK_OK(load->Add(MakeRecord(1)));
    FUZZ_CHECK_OK(load->Finish());
    FUZZ_CHECK_OK(collection->Checkpoint());
  }
  FUZZ_CHECK_OK(collection->Put(MakeRecord(2)));
  WriteBatch batch;
  batch.Put(MakeRecord(100));
  batch.Delete("", "k2");
  FUZZ_CHECK_OK(collection->Write(batch));
  if (!close) {
    WriteBatch drop;
    drop.DeleteNamespace("n");
    FUZZ_CHECK_OK(collection->Write(drop));
  } else {
    FUZZ_CHECK_OK(collection->Close());
  }
  FileSet files = ReadDirectory(&fs, kFolder);
  for (auto& [name, bytes] : files) {  // zeros at the end of a log that is in use say nothing
    if (!close && name.ends_with(".vwal")) bytes.resize(bytes.find_last_not_of('\0') / 8 * 8 + 16);
  }
  files.erase("LOCK");
  return EncodeFileSet(files);
}

std::vector<std::string> CollectionFilesSeeds() {
  return {Seed(0, IndexType::kAuto, false), Seed(0, IndexType::kAuto, true), Seed(12, IndexType::kFlat, false),
          Seed(30, IndexType::kHnsw, true)};
}

void RepairInput(std::string* input) {
  FileSet files = DecodeFileSet(*input);
  RepairCollection(&files);
  *input = EncodeFileSet(files);
}

}  // namespace

FuzzTarget CollectionFilesTarget() {
  return {.name = "collection_files",
          .run = RunCollectionFiles,
          .seeds = CollectionFilesSeeds,
          .repair = RepairInput,
          .pick_range = PickFile,
          .words = {"manifest.json\n", "manifest.json.1\n", "\"wal_sequence\":\"", "\"ingest_sequence\":\""}};
}

}  // namespace varve::fuzz
