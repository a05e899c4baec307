// A whole collection on the file system in memory, driven by the input's bytes: writes of all kinds, flushes, merges,
// bulk loads, checkpoints, backups, snapshots, clean closings and deaths of the process. Whatever was acknowledged is
// there, and nothing else; verify finds nothing.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "engine/admin/verify.h"
#include "engine/search/filter_program.h"
#include "tests/fuzz/file_set.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/model_rows.h"

namespace varve::fuzz {
namespace {

constexpr char kFolder[] = "/c";
constexpr char kBackupFolder[] = "/b";
constexpr size_t kMaxSteps = 120;

class Driver {
 public:
  explicit Driver(std::string_view input) : input_(input) {
    const uint8_t setting = input_.Byte();
    const SyncMode modes[] = {SyncMode::PerOp(), SyncMode::EveryN(3), SyncMode::Interval(50), SyncMode::OnFlush()};
    options_.sync = modes[setting % 4];
    options_.wal_pad_to = (setting & 4) != 0 ? 4096 : 8;
    options_.io = (setting & 8) != 0 ? IoMode::kRead : IoMode::kMapped;
    schema_.fields[0].index.type = (setting & 16) != 0 ? IndexType::kHnsw : IndexType::kAuto;
    options_.clock = &clock_;
    options_.threads = 1;
    options_.background_merges = false;
    options_.memory_bytes = size_t{64} << 20;
    fs_ = NewMemoryFileSystem();
    options_.file_system = fs_.get();
    collection_ = Take(Collection::Create(kFolder, schema_, options_));
  }
  ~Driver() { DropCollection(); }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void Run() {
    for (size_t step = 0; step < kMaxSteps && !input_.empty(); ++step) {
      Step();
      CheckRows(collection_.get(), Rows(), nullptr);
    }
    for (const auto& [snapshot, rows] : snapshots_) CheckSnapshot(snapshot, rows);
    CheckSearch(collection_.get(), Rows(), {1, 2});
    FUZZ_CHECK_OK(collection_->Close());
    CheckVerify(kFolder);
    Reopen();
    CheckRows(collection_.get(), Rows(), nullptr);
  }

 private:
  int64_t NowMs() { return clock_.WallMicros() / 1000; }
  const ModelRows& Rows() {
    Expire(NowMs(), &rows_);
    return rows_;
  }

  void Step();
  WriteBatch::Kind AddOperation(WriteBatch* batch);
  void Write(size_t operations);
  void DeleteWhere();
  void Load();
  void Backup();
  void CheckReader();

  void CheckSnapshot(const Snapshot& snapshot, ModelRows rows) {
    Expire(NowMs(), &rows);  // also of a snapshot: time goes on
    CheckRows(collection_.get(), rows, &snapshot);
  }
  void CheckVerify(const std::string& directory) {
    const absl::StatusOr<VerifyReport> report = VerifyPath(directory, {fs_.get(), /*deep=*/true});
    FUZZ_CHECK_OK(report);
    for (const VerifyDamage& damage : report->damage) {
      Fail("verify: " + damage.file + " at " + std::to_string(damage.offset) + ": " + damage.what, __FILE__, __LINE__);
    }
  }
  void DropCollection() {
    snapshots_.clear();
    collection_.reset();
  }
  void Reopen() {
    DropCollection();
    absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(kFolder, options_);
    FUZZ_CHECK_OK(opened);
    collection_ = *std::move(opened);
  }
  // What the process has written stays; what it would still have done is not done.
  void DieAndReopen() {
    FileSet files = ReadDirectory(fs_.get(), kFolder);
    files.erase("LOCK");
    DropCollection();
    fs_ = NewMemoryFileSystem();
    options_.file_system = fs_.get();
    WriteDirectory(fs_.get(), kFolder, files);
    Reopen();
    CheckVerify(kFolder);
  }

  FuzzInput input_;
  Schema schema_ = Schema::SingleVector(2, Metric::kL2);
  ManualClock clock_{1'700'000'000'000'000};
  Options options_;
  std::unique_ptr<FileSystem> fs_;
  std::unique_ptr<Collection> collection_;
  ModelRows rows_;
  std::vector<std::pair<Snapshot, ModelRows>> snapshots_;
};

RecordInput MakeRecord(FuzzInput* input) {
  const uint8_t place = input->Byte();
  const uint8_t value = input->Byte();
  RecordInput record;
  record.ns = place % 2 == 0 ? "n" : "";
  record.key = std::string(1, static_cast<char>('a' + place / 2 % 16));
  record.vectors.push_back({"", VectorValue({static_cast<float>(value % 8), static_cast<float>(value / 8 % 8)})});
  if ((value & 64) != 0) record.metadata = "{\"n\":" + std::to_string(value % 16) + "}";
  if ((place & 64) != 0) record.payload = std::string(value, 'p');
  if ((place & 128) != 0) record.ttl_seconds = value % 4;
  return record;
}

WriteBatch::Kind Driver::AddOperation(WriteBatch* batch) {
  const uint8_t kind = input_.Byte();
  RecordInput record = MakeRecord(&input_);
  switch (kind % 6) {
    case 0:
      batch->Insert(std::move(record));
      return WriteBatch::Kind::kInsert;
    case 1: {
      RecordUpdate update;
      update.ns = record.ns;
      update.key = record.key;
      if ((kind & 8) != 0) update.vectors = record.vectors;
      if ((kind & 16) != 0) update.metadata = record.metadata;
      if ((kind & 48) == 32) update.patch = (kind & 64) != 0 ? "{\"n\":null}" : R"({"m":{"x":1},"n":3})";
      if ((kind & 64) != 0) update.payload = record.payload;
      if (record.ttl_seconds.has_value()) update.ttl_seconds = record.ttl_seconds;
      update.clear_ttl = !record.ttl_seconds.has_value() && (kind & 128) != 0;
      batch->Update(std::move(update));
      return WriteBatch::Kind::kUpdate;
    }
    case 2:
      batch->Delete(record.ns, record.key);
      return WriteBatch::Kind::kDelete;
    default:
      batch->Put(std::move(record));
      return WriteBatch::Kind::kPut;
  }
}

void Driver::Write(size_t operations) {
  WriteBatch batch;
  for (size_t i = 0; i < operations; ++i) (void)AddOperation(&batch);
  ModelRows next = Rows();
  const absl::Status expected = ApplyToModel(batch, NowMs(), &next);
  const absl::Status status = collection_->Write(batch, {.sync = operations == 2});
  if (status.code() != expected.code()) {
    Fail("a write ends with " + status.ToString() + ", not with " + expected.ToString(), __FILE__, __LINE__);
  }
  if (status.ok()) rows_ = std::move(next);
}

void Driver::DeleteWhere() {
  const Filter filter = Filter::Compare({"n"}, Filter::Op::kLt, FilterValue(int64_t{input_.Byte() % 16}));
  const std::unique_ptr<FilterProgram> program = Take(FilterProgram::Make(filter));
  ModelRows next = Rows();
  const size_t deleted =
      std::erase_if(next, [&](const auto& row) { return Take(program->Matches(row.second.metadata)); });
  FUZZ_CHECK(Take(collection_->CountWhere(filter)) == deleted);
  FUZZ_CHECK(Take(collection_->DeleteWhere(filter)) == deleted);
  rows_ = std::move(next);
}

void Driver::Load() {
  const uint8_t count = input_.Byte() % 8;
  BulkLoadOptions options;
  options.segment_rows = count % 3;
  const std::unique_ptr<BulkLoad> load = Take(collection_->NewBulkLoad(options));
  ModelRows added;
  for (uint8_t i = 0; i < count; ++i) {
    RecordInput record = MakeRecord(&input_);
    record.ttl_seconds.reset();
    if (added.contains({record.ns, record.key})) continue;
    ModelRow row{record.vectors[0].value.floats(), record.metadata, record.payload, kNeverExpires};
    added[{record.ns, record.key}] = std::move(row);
    FUZZ_CHECK_OK(load->Add(std::move(record)));
  }
  FUZZ_CHECK_OK(load->Finish());
  FUZZ_CHECK(load->durable_rows() == added.size());
  for (auto& [key, row] : added) rows_[key] = std::move(row);
}

void Driver::Backup() {
  const std::string directory = kBackupFolder + std::to_string(Take(fs_->List("/")).size());
  FUZZ_CHECK_OK(collection_->Backup(directory));
  CheckVerify(directory);
  Options options = options_;
  const std::unique_ptr<Collection> copy = Take(Collection::Open(directory, options));
  CheckRows(copy.get(), Rows(), nullptr);
  FUZZ_CHECK_OK(copy->Delete("", "a"));
}

void Driver::CheckReader() {
  ReadOnlyOptions options;
  options.file_system = fs_.get();
  options.clock = &clock_;
  const std::unique_ptr<Collection> reader = Take(Collection::OpenReadOnly(kFolder, options));
  CheckRows(reader.get(), Rows(), nullptr);
}

void Driver::Step() {
  const uint8_t what = input_.Byte();
  switch (what % 32) {
    case 0:
      FUZZ_CHECK_OK(collection_->Flush());
      break;
    case 1:
      FUZZ_CHECK_OK(collection_->Merge((what & 32) != 0));
      break;
    case 2:
      FUZZ_CHECK_OK(collection_->Checkpoint());
      break;
    case 3:
      Reopen();
      break;
    case 4:
    case 5:
      DieAndReopen();
      break;
    case 6: {
      WriteBatch batch;
      batch.DeleteNamespace((what & 32) != 0 ? "n" : "");
      FUZZ_CHECK_OK(collection_->Write(batch));
      FUZZ_CHECK_OK(ApplyToModel(batch, NowMs(), &rows_));
      break;
    }
    case 7:
      DeleteWhere();
      break;
    case 8:
      Load();
      break;
    case 9:
      clock_.Advance(int64_t{1 + what / 32} * 500'000);
      break;
    case 10:
      Backup();
      break;
    case 11:
      snapshots_.emplace_back(Take(collection_->GetSnapshot()), Rows());
      break;
    case 12:
      CheckReader();
      break;
    case 13:
      FUZZ_CHECK_OK(collection_->SetSyncMode(what / 32 % 2 == 0 ? SyncMode::PerOp() : SyncMode::OnFlush()));
      break;
    case 14:
      CheckSearch(collection_.get(), Rows(), {static_cast<float>(what / 32), 3});
      break;
    default:
      Write(1 + what / 32 % 4);
  }
}

void RunModel(std::string_view input) { Driver(input).Run(); }

// Some lives by hand: what a random one seldom comes to.
std::vector<std::string> ModelSeeds() {
  std::vector<std::string> seeds;
  for (uint8_t setting = 0; setting < 32; setting = static_cast<uint8_t>(setting + 3)) {
    std::string seed(1, static_cast<char>(setting));
    for (uint8_t i = 0; i < 60; ++i) {
      seed += static_cast<char>(i % 7 == 6 ? i / 7 + 32 * (setting % 3) : 16 + 32 * (i % 2));
      for (uint8_t j = 0; j < 6; ++j) seed += static_cast<char>(i * 37 + j * 11 + setting);
    }
    seeds.push_back(seed);
  }
  return seeds;
}

}  // namespace

FuzzTarget CollectionModelTarget() { return {.name = "collection_model", .run = RunModel, .seeds = ModelSeeds}; }

}  // namespace varve::fuzz
