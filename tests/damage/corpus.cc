#include "tests/damage/corpus.h"

#include <utility>

#include "base/memory_file_system.h"
#include "base/publish.h"
#include "base/random.h"
#include "base/status.h"

namespace varve::testing {
namespace {

constexpr uint32_t kDimension = 48;
constexpr int kRows = 900;
constexpr uint64_t kCorpusSeed = 7;

std::vector<float> MakeVector(Random* random) {
  std::vector<float> vector(kDimension);
  for (float& component : vector) component = static_cast<float>(random->Below(16));
  return vector;
}

RecordInput MakeRow(int n, Random* random) {
  RecordInput record;
  record.ns = n % 3 == 0 ? "odd one" : "";
  record.key = "key-" + std::to_string(n);
  record.vectors.push_back({"", VectorValue(MakeVector(random))});
  if (n % 2 == 0) record.metadata = R"({"n":)" + std::to_string(n) + R"(,"text":"some words that repeat"})";
  return record;
}

absl::Status PutRows(Collection* collection, int first, int last, Random* random) {
  for (int n = first; n < last;) {
    WriteBatch batch;
    for (int i = 0; i < 50 && n < last; ++i) batch.Put(MakeRow(n++, random));
    RETURN_IF_ERROR(collection->Write(batch));
  }
  return absl::OkStatus();
}

Answers::Row RowOf(const Record& record) {
  return {record.ns, record.key, record.vectors.empty() ? std::vector<float>() : record.vectors.front().second,
          record.metadata};
}

absl::Status AddFiles(FileSystem* fs, const std::string& directory, const std::string& prefix,
                      std::map<std::string, std::string>* files) {
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

// What lies behind the memtable: two segments, a bitmap over the first, checkpoints.
absl::Status WritePublished(Collection* collection, Random* random) {
  RETURN_IF_ERROR(PutRows(collection, 0, kRows, random));
  RETURN_IF_ERROR(collection->Merge(/*full=*/true).status());  // a segment that stays: it gets the graph
  RETURN_IF_ERROR(PutRows(collection, 0, 40, random));
  for (int n = 100; n < 200; n += 7) RETURN_IF_ERROR(collection->Delete("", "key-" + std::to_string(n)));
  return collection->Flush().status();
}

}  // namespace

absl::StatusOr<Answers> Ask(Collection* collection) {
  Answers answers;
  RETURN_IF_ERROR(collection->Scan({}, [&](const Record& record) {
    answers.scan.push_back(RowOf(record));
    return true;
  }));
  for (int n = 0; n < kRows + 40; n += 41) {
    const absl::StatusOr<Record> record = collection->Get(n % 3 == 0 ? "odd one" : "", "key-" + std::to_string(n));
    if (!record.ok() && !absl::IsNotFound(record.status())) return record.status();
    answers.gets.push_back(record.ok() ? RowOf(*record) : Answers::Row());
  }
  ASSIGN_OR_RETURN(const Filter filter, Filter::Parse("n >= 20 AND text != 'other' OR n < 0"));
  ASSIGN_OR_RETURN(answers.matching, collection->CountWhere(filter));
  Random random(kCorpusSeed + 1);
  for (int n = 0; n < 9; ++n) {
    SearchRequest request;
    request.vector = VectorValue(MakeVector(&random));
    request.k = 12;
    request.exact = n % 2 == 0;
    if (n == 4 || n == 5) request.ns = "odd one";
    if (n % 3 == 2) request.filter = filter;
    ASSIGN_OR_RETURN(const SearchResult result, collection->Search(request));
    auto& hits = answers.searches.emplace_back();
    for (const Hit& hit : result.hits) hits.emplace_back(hit.key, hit.distance);
  }
  return answers;
}

absl::StatusOr<Corpus> MakeCorpus(bool closed) {
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  Options options;
  options.file_system = fs.get();
  options.threads = 1;
  Schema schema = Schema::SingleVector(kDimension, Metric::kL2);
  schema.fields[0].index.type = IndexType::kHnsw;
  ASSIGN_OR_RETURN(const std::unique_ptr<Collection> collection, Collection::Create(kCorpusDirectory, schema, options));
  Random random(kCorpusSeed);
  RETURN_IF_ERROR(WritePublished(collection.get(), &random));
  RETURN_IF_ERROR(PutRows(collection.get(), kRows, kRows + 20, &random));
  RETURN_IF_ERROR(collection->Delete("", "key-1"));
  Corpus corpus;
  ASSIGN_OR_RETURN(corpus.answers_before_last, Ask(collection.get()));
  RETURN_IF_ERROR(PutRows(collection.get(), kRows + 20, kRows + 25, &random));
  ASSIGN_OR_RETURN(corpus.answers, Ask(collection.get()));
  if (closed) RETURN_IF_ERROR(collection->Close());
  RETURN_IF_ERROR(AddFiles(fs.get(), kCorpusDirectory, "", &corpus.files));
  corpus.files.erase("LOCK");
  return corpus;
}

std::unique_ptr<FileSystem> Restore(const std::map<std::string, std::string>& files) {
  std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  const std::string root = kCorpusDirectory;
  for (const std::string& directory : {root, root + "/wal", root + "/segments", root + "/checkpoint"}) {
    fs->CreateDirectory(directory).IgnoreError();  // what fails here fails below
  }
  for (const auto& [name, bytes] : files) PublishFile(fs.get(), root + "/" + name, bytes).IgnoreError();
  return fs;
}

}  // namespace varve::testing
