// A collection in a temporary directory, with short ways to write and read it.
#ifndef VARVE_TESTS_SUPPORT_COLLECTION_FIXTURE_H_
#define VARVE_TESTS_SUPPORT_COLLECTION_FIXTURE_H_

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "varve/collection.h"

namespace varve::testing {

inline RecordInput MakeRecord(std::string key, std::vector<float> vector, std::string metadata = "") {
  RecordInput record;
  record.key = std::move(key);
  record.vectors.push_back({"", VectorValue(std::move(vector))});
  record.metadata = std::move(metadata);
  return record;
}

// Components of small integers: distances are exact and ties are common.
inline std::vector<float> RandomVector(Random* random, uint32_t dimension, uint64_t levels = 8) {
  std::vector<float> vector(dimension);
  for (float& component : vector) component = static_cast<float>(random->Below(levels)) + 1;
  return vector;
}

inline std::vector<std::string> KeysOf(const SearchResult& result) {
  std::vector<std::string> keys;
  for (const Hit& hit : result.hits) keys.push_back(hit.key);
  return keys;
}

class CollectionTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kDimension = 4;

  CollectionTest() {
    options_.clock = &clock_;
    // A copy of the directory is what a kill leaves only while nothing changes it.
    options_.background_merges = false;
  }

  // File systems, budgets and listeners that a test's fixture owns go after the collection that uses them.
  void TearDown() override { collection_.reset(); }

  void Create(const Schema& schema = Schema::SingleVector(kDimension, Metric::kL2)) {
    absl::StatusOr<std::unique_ptr<Collection>> created = Collection::Create(path(), schema, options_);
    ASSERT_OK(created);
    collection_ = *std::move(created);
  }
  void Reopen() {
    collection_.reset();
    absl::StatusOr<std::unique_ptr<Collection>> opened = Collection::Open(path(), options_);
    ASSERT_OK(opened);
    collection_ = *std::move(opened);
  }
  // What a SIGKILL at this moment leaves, in a directory of its own: everything written, nothing closed.
  std::string CopyAsIfKilled(const std::string& name) {
    std::filesystem::copy(path(), temp_ / name, std::filesystem::copy_options::recursive);
    return temp_ / name;
  }
  absl::StatusOr<SearchResult> Search(std::vector<float> vector, size_t k, bool exact = false) {
    SearchRequest request;
    request.vector = VectorValue(std::move(vector));
    request.k = k;
    request.exact = exact;
    return collection_->Search(request);
  }
  std::string path() const { return temp_ / "collection"; }

  TempDir temp_;
  ManualClock clock_{1'700'000'000'000'000};
  Options options_;
  std::unique_ptr<Collection> collection_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_COLLECTION_FIXTURE_H_
