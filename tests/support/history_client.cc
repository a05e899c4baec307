#include "tests/support/history_client.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve::testing {
namespace {

constexpr size_t kKeysOfFirstNamespace = kHistoryKeys - 3;
constexpr const char* kNamespaces[] = {"", "other"};
constexpr size_t kHeldSnapshots = 2;
// Writes some keys again and again, so that others come to look while it is being applied.
constexpr size_t kLongBatch = 64;

std::vector<float> VectorOf(uint32_t mark) { return {static_cast<float>(mark), 1, 2, 3}; }
std::string MetadataOf(uint32_t mark) { return absl::StrCat("{\"mark\":", mark, "}"); }

template <typename Number>
bool Parse(std::string_view text, Number* number) {
  const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), *number);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

// Empty if this is no record of a history.
std::optional<Seen> Decode(const Record& record) {
  Seen seen;
  size_t key = 0;
  std::string_view metadata = record.metadata;
  const bool whole = metadata.size() > 9 && metadata.substr(0, 8) == "{\"mark\":" && metadata.back() == '}';
  if (!whole || !Parse(metadata.substr(8, metadata.size() - 9), &seen.cell.metadata)) return std::nullopt;
  if (!Parse(record.payload, &seen.cell.row) || !Parse(record.key, &key)) return std::nullopt;
  if (key >= kHistoryKeys || HistoryKey(key).first != record.ns || record.vectors.size() != 1) return std::nullopt;
  seen.key = key;
  seen.cell.vector = static_cast<uint32_t>(record.vectors[0].second.at(0));
  if (record.vectors[0].second != VectorOf(seen.cell.vector)) return std::nullopt;
  seen.sequence = record.sequence;
  return seen;
}

void MakeUnconditional(Step* step) {
  step->kind = Step::Kind::kPut;
  step->expected.reset();
  step->sets_vector = step->sets_metadata = true;
}

// What a read of all keys, or of all of one namespace, told: keys that it did not name hold nothing.
class WholeRead {
 public:
  explicit WholeRead(const std::optional<std::string>& ns) {
    for (size_t k = 0; k < kHistoryKeys; ++k) {
      if (!ns.has_value() || HistoryKey(k).first == *ns) seen_.push_back({k, {}, 0});
    }
  }
  void Add(const Record& record) {
    const std::optional<Seen> found = Decode(record);
    ASSERT_TRUE(found.has_value()) << record.ns << "/" << record.key << " " << record.metadata << " " << record.payload;
    for (Seen& seen : seen_) {
      if (seen.key != found->key) continue;
      ASSERT_FALSE(seen.cell.present()) << "key " << seen.key << " was found twice";
      seen = *found;
      return;
    }
    FAIL() << "not of the namespace: " << record.ns << "/" << record.key;
  }
  void MoveInto(std::vector<Seen>* seen) { seen->insert(seen->end(), seen_.begin(), seen_.end()); }

 private:
  std::vector<Seen> seen_;
};

}  // namespace

std::pair<std::string, std::string> HistoryKey(size_t number) {
  return {kNamespaces[number < kKeysOfFirstNamespace ? 0 : 1], std::to_string(number)};
}

void ReadPrefix(Collection* collection, PrefixRead* prefix) {
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, collection->GetSnapshot());
  prefix->sequence = snapshot.sequence();
  WholeRead read(std::nullopt);
  ASSERT_OK(collection->Scan({},
                             [&](const Record& record) {
                               read.Add(record);
                               return true;
                             },
                             {&snapshot}));
  read.MoveInto(&prefix->seen);
}

HistoryClient::HistoryClient(Collection* collection, HistoryClock* clock, int thread, int threads, uint64_t seed)
    : collection_(collection),
      clock_(clock),
      thread_(thread),
      threads_(threads),
      random_(Mix64(seed) + static_cast<uint64_t>(thread)) {
  for (size_t k = 0; k < kHistoryKeys; ++k) known_[k].key = k;
}

Call HistoryClient::Begin() const {
  Call call;
  call.thread = thread_;
  call.invoked = clock_->Stamp();
  return call;
}

Call& HistoryClient::End(Call call) {
  call.returned = clock_->Stamp();
  return calls_.emplace_back(std::move(call));
}

void HistoryClient::CallSomething() {
  const uint64_t choice = random_.Below(100);
  if (choice < 30) {
    WriteBatchOf(1);
  } else if (choice < 42) {
    WriteBatchOf(2 + random_.Below(3));
  } else if (choice < 45) {
    WriteBatchOf(kLongBatch);
  } else if (choice < 46) {
    DeleteNamespace();
  } else if (choice < 47) {
    BulkLoadSome();
  } else if (choice < 52) {
    TakeSnapshot();
  } else if (choice < 54) {
    DropSnapshot();
  } else if (choice < 62 && !snapshots_.empty()) {
    const HeldSnapshot& held = snapshots_[random_.Below(snapshots_.size())];
    Read(&held.snapshot, &calls_[held.call]);
  } else {
    Call call = Begin();
    Read(nullptr, &call);
    Learn(End(std::move(call)));
  }
}

Step HistoryClient::RandomStep() {
  Step step;
  step.key = random_.Below(kHistoryKeys);
  step.mark = ++marks_ * static_cast<uint32_t>(threads_) + static_cast<uint32_t>(thread_);
  static constexpr Step::Kind kKinds[] = {Step::Kind::kPut, Step::Kind::kInsert, Step::Kind::kUpdate,
                                          Step::Kind::kDelete};
  step.kind = kKinds[random_.Below(4)];
  if (step.kind == Step::Kind::kUpdate) {
    const uint64_t parts = 1 + random_.Below(3);
    step.sets_vector = (parts & 1) != 0;
    step.sets_metadata = (parts & 2) != 0;
  }
  if (random_.Below(4) == 0) step.expected = known_[step.key].cell;
  return step;
}

void HistoryClient::AddStep(const Step& step, WriteBatch* batch) {
  auto [ns, key] = HistoryKey(step.key);
  std::optional<Sequence> condition;
  if (step.expected.has_value()) condition = known_[step.key].sequence;
  if (step.kind == Step::Kind::kDelete) {
    batch->Delete(ns, key, condition);
    return;
  }
  const std::vector<NamedVector> vectors = {{"", VectorValue(VectorOf(step.mark))}};
  if (step.kind == Step::Kind::kUpdate) {
    RecordUpdate update;
    update.ns = ns;
    update.key = key;
    update.payload = std::to_string(step.mark);
    if (step.sets_vector) update.vectors = vectors;
    if (step.sets_metadata) (random_.Below(2) == 0 ? update.metadata : update.patch) = MetadataOf(step.mark);
    batch->Update(std::move(update), condition);
    return;
  }
  RecordInput record;
  record.ns = ns;
  record.key = key;
  record.vectors = vectors;
  record.metadata = MetadataOf(step.mark);
  record.payload = std::to_string(step.mark);
  if (step.kind == Step::Kind::kPut) {
    batch->Put(std::move(record), condition);
  } else {
    batch->Insert(std::move(record), condition);
  }
}

void HistoryClient::WriteBatchOf(size_t steps) {
  WriteBatch batch;
  std::vector<Step> todo;
  for (size_t i = 0; i < steps; ++i) {
    todo.push_back(RandomStep());
    if (steps == kLongBatch) MakeUnconditional(&todo.back());
    AddStep(todo.back(), &batch);
  }
  Call call = Begin();
  const absl::Status status = collection_->Write(batch);
  call.steps = std::move(todo);
  call.outcome = status.code();
  EXPECT_TRUE(status.ok() || absl::IsAborted(status) || absl::IsAlreadyExists(status) || absl::IsNotFound(status))
      << status;
  End(std::move(call));
}

void HistoryClient::DeleteNamespace() {
  WriteBatch batch;
  batch.DeleteNamespace(kNamespaces[1]);
  Call call = Begin();
  EXPECT_OK(collection_->Write(batch));
  for (size_t k = kKeysOfFirstNamespace; k < kHistoryKeys; ++k) {
    Step step;
    step.kind = Step::Kind::kDelete;
    step.key = k;
    call.steps.push_back(step);
  }
  End(std::move(call));
}

void HistoryClient::BulkLoadSome() {
  Call call = Begin();
  absl::StatusOr<std::unique_ptr<BulkLoad>> load = collection_->NewBulkLoad();
  ASSERT_OK(load);
  for (uint64_t i = 0, n = 1 + random_.Below(4); i < n; ++i) {
    Step step = RandomStep();
    MakeUnconditional(&step);
    WriteBatch batch;
    AddStep(step, &batch);
    ASSERT_OK((*load)->Add(batch.operations()[0].record));
    call.steps.push_back(step);
  }
  call.one_sequence = true;
  ASSERT_OK((*load)->Finish());
  End(std::move(call));
}

void HistoryClient::TakeSnapshot() {
  if (snapshots_.size() >= kHeldSnapshots) DropSnapshot();
  Call call = Begin();
  absl::StatusOr<Snapshot> snapshot = collection_->GetSnapshot();
  ASSERT_OK(snapshot);
  call.snapshot = snapshot->sequence();
  End(std::move(call));
  snapshots_.push_back({*std::move(snapshot), calls_.size() - 1});
}

void HistoryClient::DropSnapshot() {
  if (!snapshots_.empty())
    snapshots_.erase(snapshots_.begin() + static_cast<int64_t>(random_.Below(snapshots_.size())));
}

void HistoryClient::Read(const Snapshot* snapshot, Call* call) {
  const ReadOptions options{snapshot};
  const uint64_t choice = random_.Below(10);
  if (choice < 5) {
    Get(options, call);
  } else if (choice < 7) {
    Search(options, call);
  } else if (choice < 9) {
    Scan(options, call);
  } else {
    const absl::StatusOr<uint64_t> count = collection_->Count(std::nullopt, options);
    ASSERT_OK(count);
    ASSERT_TRUE(!call->count.has_value() || call->count == *count) << "a snapshot's count changed to " << *count;
    call->count = *count;
  }
}

void HistoryClient::Get(const ReadOptions& options, Call* call) {
  const size_t number = random_.Below(kHistoryKeys);
  const auto [ns, key] = HistoryKey(number);
  const absl::StatusOr<Record> record = collection_->Get(ns, key, options);
  if (absl::IsNotFound(record.status())) {
    call->seen.push_back({number, {}, 0});
    return;
  }
  ASSERT_OK(record);
  const std::optional<Seen> seen = Decode(*record);
  ASSERT_TRUE(seen.has_value() && seen->key == number) << record->key << " " << record->metadata;
  call->seen.push_back(*seen);
}

void HistoryClient::Search(const ReadOptions& options, Call* call) {
  SearchRequest request;
  request.vector = VectorValue(VectorOf(0));
  request.k = 2 * kHistoryKeys;
  request.with_records = true;
  request.exact = random_.Below(2) == 0;
  if (random_.Below(3) == 0) request.ns = kNamespaces[random_.Below(2)];
  const absl::StatusOr<SearchResult> result = collection_->Search(request, options);
  ASSERT_OK(result);
  WholeRead read(request.ns);
  for (const Hit& hit : result->hits) {
    ASSERT_TRUE(hit.record.has_value() && hit.record->key == hit.key);
    ASSERT_NO_FATAL_FAILURE(read.Add(*hit.record));
    const float mark = hit.record->vectors[0].second[0];
    ASSERT_FLOAT_EQ(hit.distance, mark * mark) << "the distance is not that of the record's vector";
  }
  read.MoveInto(&call->seen);
}

void HistoryClient::Scan(const ReadOptions& options, Call* call) {
  ScanRequest request;
  if (random_.Below(3) == 0) request.ns = kNamespaces[random_.Below(2)];
  WholeRead read(request.ns);
  ASSERT_OK(collection_->Scan(
      request,
      [&](const Record& record) {
        read.Add(record);
        return true;
      },
      options));
  read.MoveInto(&call->seen);
}

void HistoryClient::Learn(const Call& call) {
  for (const Seen& seen : call.seen) known_[seen.key] = seen;
}

}  // namespace varve::testing
