#include "tests/damage/corpus.h"

#include <algorithm>
#include <utility>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "base/status.h"
#include "base/uuid.h"
#include "tests/damage/answers.h"

namespace varve::testing {
namespace {

constexpr int64_t kSecond = 1'000'000;  // microseconds

// Writes one corpus.
class CorpusWriter {
 public:
  CorpusWriter(const Cell& cell, uint64_t seed) : cell_(cell), seed_(seed), clock_(kCorpusTime) {
    corpus_.cell = cell;
    fs_ = NewMemoryFileSystem();
    options_ = WriterOptions(fs_.get(), &clock_);
    options_.wal_pad_to = cell.pad_to;
  }

  absl::StatusOr<Corpus> Write() {
    Schema schema = cell_.schema;
    schema.sync = cell_.sync;
    ASSIGN_OR_RETURN(collection_, Collection::Create(kCorpusDirectory, schema, options_));
    if (cell_.rows > 0) RETURN_IF_ERROR(WritePublished());
    RETURN_IF_ERROR(WriteBehind());
    ASSIGN_OR_RETURN(corpus_.answers, Ask(collection_.get()));
    corpus_.shorter.erase(corpus_.answers);
    RETURN_IF_ERROR(End());
    for (const auto& [name, bytes] : corpus_.files) {
      if (name.starts_with("wal/")) corpus_.newest_log = std::max(corpus_.newest_log, name);
    }
    return std::move(corpus_);
  }

 private:
  RecordInput MakeRow(int n, uint64_t version) {
    RecordInput record;
    record.ns = NamespaceOfRow(n);
    record.key = KeyOfRow(n);
    const std::vector<FieldSpec>& fields = collection_->schema().fields;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0 && cell_.sparse_rows && (n + static_cast<int>(i)) % 4 == 0) continue;
      record.vectors.push_back({fields[i].name, VectorValue(VectorOfRow(fields[i], seed_ + version, n))});
    }
    if (cell_.documents && n % 2 == 0) {
      record.metadata = R"({"n":)" + std::to_string(n) + R"(,"text":"some words that repeat"})";
      record.payload = std::string(static_cast<size_t>(n % 7), '\xF0');
    }
    if (cell_.expiry && n % 5 == 0) record.ttl_seconds = n % 2 == 0 ? 5 : 1'000'000;
    return record;
  }

  // Every state that a damaged tail may leave is remembered.
  absl::Status Remember() {
    ASSIGN_OR_RETURN(const std::string answers, Ask(collection_.get()));
    for (std::string& line : RecordLines(answers)) corpus_.records.insert(std::move(line));
    corpus_.shorter.insert(answers);
    corpus_.prefixes.insert(answers);
    return absl::OkStatus();
  }

  absl::Status PutRows(int first, int last, uint64_t version, int batch_rows) {
    for (int n = first; n < last;) {
      WriteBatch batch;
      for (int i = 0; i < batch_rows && n < last; ++i) batch.Put(MakeRow(n++, version));
      RETURN_IF_ERROR(collection_->Write(batch));
    }
    return absl::OkStatus();
  }

  // What lies behind the memtable: two segments, perhaps a bitmap over the first, checkpoints.
  absl::Status WritePublished() {
    RETURN_IF_ERROR(PutRows(0, cell_.rows, 0, cell_.rows / 4));
    RETURN_IF_ERROR(collection_->Merge(/*full=*/true).status());
    RETURN_IF_ERROR(Remember());
    RETURN_IF_ERROR(PutRows(0, cell_.rows / 4, 1, cell_.rows));
    for (int n = cell_.rows / 3; cell_.deletions && n < cell_.rows / 2; n += 3) {
      RETURN_IF_ERROR(collection_->Delete(NamespaceOfRow(n), KeyOfRow(n)));
    }
    RETURN_IF_ERROR(collection_->Flush().status());
    RETURN_IF_ERROR(collection_->Checkpoint().status());
    clock_.Advance(10 * kSecond);
    corpus_.shorter.clear();
    corpus_.prefixes.clear();
    return Remember();
  }

  // What only the logs hold.
  absl::Status WriteBehind() {
    if (cell_.rows == 0) return absl::OkStatus();
    for (int log = 0; log < cell_.logs; ++log) {
      if (log > 0) {
        RETURN_IF_ERROR(collection_->Close());
        collection_.reset();
        ASSIGN_OR_RETURN(collection_, Collection::Open(kCorpusDirectory, options_));
        corpus_.shorter.clear();
        RETURN_IF_ERROR(Remember());
      }
      for (int batch = 0; batch < 3; ++batch) {
        const int first = cell_.rows + log * 12 + batch * 4;
        // What a flush synced, and all but the last write of those that are synced one by one, is vouched for.
        if (cell_.sync == SyncMode::PerOp()) corpus_.shorter.clear();
        RETURN_IF_ERROR(Remember());
        RETURN_IF_ERROR(PutRows(first, first + 4, 0, 4));
      }
      if (cell_.sync == SyncMode::PerOp()) corpus_.shorter.clear();
      RETURN_IF_ERROR(Remember());
      RETURN_IF_ERROR(collection_->Delete(NamespaceOfRow(log + 1), KeyOfRow(log + 1)));
    }
    return Remember();
  }

  absl::Status End() {
    switch (cell_.ending) {
      case Ending::kKilled:
        return KeepFiles(kCorpusDirectory);
      case Ending::kKilledInLoad:
        return Load();
      case Ending::kClosed:
        corpus_.shorter.clear();
        RETURN_IF_ERROR(collection_->Close());
        return KeepFiles(kCorpusDirectory);
      case Ending::kBackup:
        corpus_.shorter.clear();
        RETURN_IF_ERROR(collection_->Backup("/backup").status());
        return KeepFiles("/backup");
    }
    return absl::OkStatus();
  }

  absl::Status KeepFiles(const std::string& directory) {
    ASSIGN_OR_RETURN(corpus_.files, ReadFiles(fs_.get(), directory));
    return absl::OkStatus();
  }

  // Keeps the directory as it is when the segment of a load has been logged and is not yet in a manifest.
  absl::Status Load() {
    const std::string before = corpus_.answers;
    BulkLoadOptions load_options;
    absl::Status kept;
    load_options.progress = [&](uint64_t) { kept = KeepFiles(kCorpusDirectory); };
    {
      ASSIGN_OR_RETURN(const std::unique_ptr<BulkLoad> load, collection_->NewBulkLoad(load_options));
      for (int n = cell_.rows / 2; n < cell_.rows + 20; ++n) RETURN_IF_ERROR(load->Add(MakeRow(n, 2)));
      RETURN_IF_ERROR(load->Finish());
    }
    RETURN_IF_ERROR(kept);
    RETURN_IF_ERROR(Remember());
    ASSIGN_OR_RETURN(corpus_.answers, Ask(collection_.get()));
    corpus_.shorter = {before};
    return absl::OkStatus();
  }

  const Cell cell_;
  const uint64_t seed_;
  ManualClock clock_;
  std::unique_ptr<FileSystem> fs_;
  Options options_;
  std::unique_ptr<Collection> collection_;
  Corpus corpus_;
};

absl::Status AddFiles(FileSystem* fs, const std::string& directory, const std::string& prefix, Files* files) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(path));
    if (info.is_directory) {
      RETURN_IF_ERROR(AddFiles(fs, path, prefix + name + "/", files));
    } else {
      ASSIGN_OR_RETURN((*files)[prefix + name], ReadWholeFile(fs, path, uint64_t{64} << 20));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Corpus> MakeCorpus(const Cell& cell, uint64_t seed, bool twin) {
  const ScopedUuidSeed uuids(seed * 2 + (twin ? 1 : 0));
  return CorpusWriter(cell, seed).Write();
}

std::unique_ptr<FileSystem> Restore(const Files& files, const std::set<std::string>& directories) {
  std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::string root = kCorpusDirectory;
  for (const std::string& directory : {root, root + "/wal", root + "/segments", root + "/checkpoint"}) {
    fs->CreateDirectory(directory).IgnoreError();  // what fails here fails below
  }
  for (const std::string& directory : directories) fs->CreateDirectory(JoinPath(root, directory)).IgnoreError();
  for (const auto& [name, bytes] : files) {
    absl::StatusOr<std::unique_ptr<WritableFile>> file = fs->CreateFile(JoinPath(root, name));
    if (file.ok()) (void)(*file)->Append(bytes);
  }
  return fs;
}

absl::StatusOr<Files> ReadFiles(FileSystem* fs, const std::string& directory) {
  Files files;
  RETURN_IF_ERROR(AddFiles(fs, directory, "", &files));
  return files;
}

Options WriterOptions(FileSystem* fs, Clock* clock) {
  Options options;
  options.file_system = fs;
  options.clock = clock;
  options.threads = 1;
  options.background_merges = false;
  return options;
}

ReadOnlyOptions ReaderOptions(FileSystem* fs, Clock* clock) {
  ReadOnlyOptions options;
  options.file_system = fs;
  options.clock = clock;
  return options;
}

int64_t ReadingTime() { return kCorpusTime + 10 * kSecond; }

}  // namespace varve::testing
