#include "tests/crash_states/random_life.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace varve::testing {
namespace {

constexpr char kLifePath[] = "/c";
constexpr uint64_t kKeys = 8;

class RandomLife {
 public:
  RandomLife(Lab* lab, uint64_t seed) : lab_(lab), random_(seed) {}

  void Live() {
    const SyncMode modes[] = {SyncMode::PerOp(), SyncMode::EveryN(2 + random_.Below(4)), SyncMode::Interval(1'000'000),
                              SyncMode::OnFlush()};
    // More is at stake where less is synced.
    lab_->mode = modes[std::min<uint64_t>(random_.Below(6), 3)];
    if (random_.Below(3) == 0) lab_->options.memtable_rows = 2 + static_cast<uint32_t>(random_.Below(5));
    if (random_.Below(5) == 0) {
      lab_->options.wal_pad_to = 4096;
      lab_->beside = true;
    }
    if (random_.Below(3) == 0) {
      lab_->options.background_merges = true;
      lab_->options.max_segments = 4;
    }
    lab_->Create(kLifePath);
    for (uint64_t i = random_.Below(6); i-- > 0;) lab_->Put(Key(), Value());
    if (random_.Below(2) == 0) lab_->Flush();
    lab_->Close();
    lab_->Record();
    lab_->Open(kLifePath);
    for (uint64_t i = 8 + random_.Below(8); i-- > 0;) Act();
    if (random_.Below(2) == 0) lab_->Close();
  }

 private:
  std::string Key() { return "k" + std::to_string(random_.Below(kKeys)); }
  int Value() { return next_value_++; }
  bool Has(const std::string& key) {
    const Ledger& ledger = *lab_->ledger(kLifePath);
    return ledger.ContentAfter(ledger.steps.size()).contains({"", key});
  }

  void Act() {
    switch (random_.Below(25)) {
      case 0:
      case 1:
      case 2:
        return lab_->Delete(Key());
      case 3:
      case 4:
        return WriteBatchOf(1 + random_.Below(6), random_.Below(3) == 0 ? 700 : 0);
      case 5:
        return lab_->PutIn("ns", Key(), Value());
      case 6:
        return lab_->DeleteNamespace("ns");
      case 7:
        return lab_->DeleteWhereAtLeast(next_value_ - 3);
      case 8:
        if (const std::string key = Key(); Has(key)) return lab_->UpdatePayload(key, "payload of an update");
        return lab_->Insert("i" + std::to_string(next_value_), Value());
      case 9:
        return lab_->BulkLoad("k", Bulk(), 2 + static_cast<int>(random_.Below(4)), 2);
      case 10:
        return lab_->Flush();
      case 11:
        return lab_->Merge(random_.Below(2) == 0);
      case 12:
        return lab_->Checkpoint();
      case 13:
        return random_.Below(2) == 0 ? lab_->Sync() : lab_->Put(Key(), Value(), {.sync = true});
      case 14:
        lab_->Kill();
        return lab_->Open(kLifePath);
      case 15:
        lab_->Close();
        return lab_->Open(kLifePath);
      case 16:
        if (std::exchange(backed_up_, true)) return;
        return lab_->Backup("/b");
      case 17:
        return lab_->PutForAWhile(Key(), Value(), 1 + static_cast<int64_t>(random_.Below(100)));
      case 18:
        // In other modes time makes a thread act at a moment that nobody knows.
        if (lab_->mode.kind == SyncMode::Kind::kOnFlush) lab_->clock.Advance(20'000'000);
        return;
      case 19:
        return WriteBeside();
      default:
        return lab_->Put(Key(), Value());
    }
  }

  // In the middle of a flush or a merge.
  void WriteBeside() {
    const std::string paths[] = {".vcnt.tmp", ".vckp.tmp", ".vdel.tmp", "/manifest.json.tmp"};
    lab_->During(DiskCall::kCreateFile, paths[random_.Below(4)], [this, put = Key(), erase = Key(), value = Value()] {
      lab_->Put(put, value);
      lab_->Delete(erase);
    });
    return random_.Below(2) == 0 ? lab_->Flush() : lab_->Merge();
  }

  void WriteBatchOf(uint64_t size, size_t key_bytes) {
    std::vector<std::pair<std::string, int>> batch;
    for (uint64_t i = 0; i < size; ++i) {
      const std::string key = Key() + std::string(key_bytes, 'x');
      batch.emplace_back(key, random_.Below(4) == 0 ? -1 : Value());
    }
    lab_->Batch(batch);
  }

  int Bulk() {
    next_value_ += 10;
    return next_value_ - 10;
  }

  Lab* const lab_;
  Random random_;
  int next_value_ = 100;
  bool backed_up_ = false;
};

}  // namespace

void LiveAtRandom(Lab* lab, uint64_t seed) { RandomLife(lab, seed).Live(); }

}  // namespace varve::testing
