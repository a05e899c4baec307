#include "bench/workload/writer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>
#include <utility>

namespace varve::churn {
namespace {

// So many of the keys are deleted at one time, and stay so at the end.
constexpr double kDeadShare = 0.08;

void Shuffle(std::vector<uint32_t>* values, Random* random) {
  for (size_t i = values->size(); i > 1; --i) std::swap((*values)[i - 1], (*values)[random->Below(i)]);
}

}  // namespace

std::vector<uint32_t> VectorsOfPass(uint32_t keys, uint64_t seed, uint32_t pass) {
  std::vector<uint32_t> rows(keys);
  std::iota(rows.begin(), rows.end(), 0U);
  Random random(Mix64(seed) + pass);
  Shuffle(&rows, &random);
  return rows;
}

Writer::Writer(const Workload* workload, KeyModel* model, Findings* findings, Collection* collection, int index, int of)
    : workload_(workload),
      model_(model),
      findings_(findings),
      collection_(collection),
      writers_(of),
      random_(Mix64(workload->settings().seed + 77) + static_cast<uint64_t>(index)),
      is_dead_(workload->keys(), false) {
  for (auto key = static_cast<uint32_t>(index); key < workload->keys(); key += static_cast<uint32_t>(of)) {
    keys_.push_back(key);
  }
}

bool Writer::Run() {
  start_us_ = Clock::Default()->MonotonicMicros();
  auto left = static_cast<uint64_t>(std::llround(workload_->settings().change * static_cast<double>(keys_.size())));
  for (uint32_t pass = 0; left > 0; ++pass) {
    const std::vector<uint32_t> rows = VectorsOfPass(workload_->keys(), workload_->settings().seed, pass);
    Shuffle(&keys_, &random_);
    for (const uint32_t key : keys_) {
      if (left == 0) break;
      --left;
      if (is_dead_[key]) {
        // Deleted in the last pass and not inserted since: that is done in its turn of this one.
        if (!Add(Kind::kInsert, key, rows[key])) return false;
        waiting_.erase(std::find(waiting_.begin(), waiting_.end(), key));
      } else if (!Touch(key, rows[key], static_cast<uint32_t>(random_.Below(2)))) {
        return false;
      }
      if (static_cast<double>(waiting_.size()) <= kDeadShare * static_cast<double>(keys_.size())) continue;
      std::swap(waiting_[random_.Below(waiting_.size())], waiting_.back());
      const uint32_t again = waiting_.back();
      waiting_.pop_back();
      if (!Add(Kind::kInsert, again, rows[again])) return false;
    }
  }
  return Commit();
}

bool Writer::Touch(uint32_t key, uint32_t row, uint32_t kind) {
  if (kind == 0) return Add(Kind::kPut, key, row);
  waiting_.push_back(key);
  return Add(Kind::kDelete, key, row);
}

bool Writer::Add(Kind kind, uint32_t key, uint32_t row) {
  const bool again = std::any_of(batch_.begin(), batch_.end(), [&](const Change& change) { return change.key == key; });
  if ((again || batch_.size() >= batch_size_) && !Commit()) return false;
  const ChurnSettings& settings = workload_->settings();
  if (batch_.empty()) batch_size_ = 1 + random_.Below(settings.batch);
  Change change{kind, key, row, std::nullopt};
  if (kind != Kind::kDelete && random_.Uniform() < settings.ttl_share) {
    const auto range = static_cast<uint64_t>(settings.ttl_max_seconds - settings.ttl_min_seconds + 1);
    change.ttl_seconds = settings.ttl_min_seconds + static_cast<int64_t>(random_.Below(range));
  }
  is_dead_[key] = kind == Kind::kDelete;
  batch_.push_back(change);
  return true;
}

bool Writer::Commit() {
  if (batch_.empty()) return true;
  WriteBatch write;
  for (const Change& change : batch_) {
    model_->BeginChange(change.key);
    if (change.kind == Kind::kDelete) {
      write.Delete(workload_->NamespaceOf(change.key), Workload::NameOf(change.key));
    } else if (change.kind == Kind::kPut) {
      write.Put(workload_->MakeRecord(change.key, change.row, change.ttl_seconds));
    } else {
      write.Insert(workload_->MakeRecord(change.key, change.row, change.ttl_seconds));
    }
  }
  const int64_t before_ms = model_->NowMillis();
  if (const absl::Status status = collection_->Write(write); !status.ok()) {
    findings_->Add("write: " + status.ToString());
    return false;
  }
  const int64_t after_ms = model_->NowMillis();
  for (const Change& change : batch_) {
    if (change.kind == Kind::kDelete) {
      model_->SetDead(change.key);
      continue;
    }
    ++rows_put_;
    KeyModel::Expiry expiry;
    if (change.ttl_seconds.has_value()) {
      // One millisecond more on either side, for the rounding of the clock.
      expiry = {before_ms + *change.ttl_seconds * 1000 - 1, after_ms + *change.ttl_seconds * 1000 + 1};
    }
    model_->SetLive(change.key, change.row, expiry);
  }
  operations_ += batch_.size();
  batch_.clear();
  Pace();
  return true;
}

void Writer::Pace() {
  const double rate = workload_->settings().writes_per_second / writers_;
  if (rate <= 0) return;
  const double due_us = static_cast<double>(operations_) / rate * 1e6;
  const double passed_us = static_cast<double>(Clock::Default()->MonotonicMicros() - start_us_);
  if (due_us > passed_us) {
    std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int64_t>(due_us - passed_us)));
  }
}

}  // namespace varve::churn
