// A merge for tests: vectors that are spread over inputs, some of which the output drops. The output has the others in
// their order, so that every input's slots lie scattered in it.
#ifndef VARVE_INDEX_MERGE_FIXTURE_H_
#define VARVE_INDEX_MERGE_FIXTURE_H_

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "index/index_fixture.h"

namespace varve::testing {

// f32 vectors around random centres, those of the clusters `first` to `last`, out of any number.
inline std::vector<std::vector<std::byte>> ClusteredVectors(const VectorShape& shape, uint32_t count, uint32_t first,
                                                            uint32_t last, uint64_t seed) {
  Random random(seed);
  std::vector<std::vector<std::byte>> vectors;
  for (uint32_t i = 0; i < count; ++i) {
    Random centre(Mix64(first + random.Below(last - first + 1)));
    std::vector<std::byte> vector(shape.bytes());
    for (uint32_t d = 0; d < shape.dimension; ++d) {
      // The sum of four uniform numbers is about normal.
      double spread = -2;
      for (int n = 0; n < 4; ++n) spread += random.Uniform();
      const auto value = static_cast<float>(centre.Uniform() * 2 - 1 + 0.4 * spread);
      std::memcpy(&vector[d * sizeof(float)], &value, sizeof(value));
    }
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

// Thread-compatible.
class MergeCase {
 public:
  // Vector i is of input owners[i], and not in the output if dropped[i].
  MergeCase(const FieldIndexFactory& factory, const VectorShape& shape,
            const std::vector<std::vector<std::byte>>& vectors, const std::vector<uint32_t>& owners,
            const std::vector<bool>& dropped)
      : factory_(factory) {
    std::vector<std::vector<std::vector<std::byte>>> of_inputs;
    std::vector<std::vector<std::byte>> of_output;
    for (size_t i = 0; i < vectors.size(); ++i) {
      if (owners[i] >= of_inputs.size()) {
        of_inputs.resize(owners[i] + 1);
        maps_.resize(owners[i] + 1);
      }
      of_inputs[owners[i]].push_back(vectors[i]);
      maps_[owners[i]].push_back(dropped[i] ? kNoSlot : static_cast<SlotId>(of_output.size()));
      if (!dropped[i]) of_output.push_back(vectors[i]);
    }
    for (auto& input : of_inputs) inputs_.push_back(std::make_unique<TestField>(shape, std::move(input)));
    merged_ = std::make_unique<TestField>(shape, of_output);
    fresh_ = std::make_unique<TestField>(shape, std::move(of_output));
  }
  // `count` vectors of which input 0 has `percent`, and loses `drop_percent` of those; input 1 has the others.
  static MergeCase Split(const FieldIndexFactory& factory, const VectorShape& shape,
                         const std::vector<std::vector<std::byte>>& vectors, uint64_t percent, uint64_t drop_percent) {
    Random random(percent * 100 + drop_percent);
    std::vector<uint32_t> owners;
    std::vector<bool> dropped;
    for (size_t i = 0; i < vectors.size(); ++i) {
      owners.push_back(random.Below(100) < percent ? 0 : 1);
      dropped.push_back(owners.back() == 0 && random.Below(100) < drop_percent);
    }
    return MergeCase(factory, shape, vectors, owners, dropped);
  }

  absl::Status BuildInputs(const ParamMap& params, const BuildContext& context = {}) {
    for (const auto& input : inputs_) RETURN_IF_ERROR(input->Build(factory_, params, context));
    return absl::OkStatus();
  }
  absl::Status Merge(const ParamMap& params, const BuildContext& context = {}) {
    return merged_->Merge(factory_, Inputs(), params, context);
  }
  // Over the same vectors as the merge.
  absl::Status BuildFresh(const ParamMap& params, const BuildContext& context = {}) {
    return fresh_->Build(factory_, params, context);
  }

  std::vector<MergeInput> Inputs() const {
    std::vector<MergeInput> inputs;
    for (size_t i = 0; i < inputs_.size(); ++i) inputs.push_back(inputs_[i]->AsInput(factory_, maps_[i]));
    return inputs;
  }
  TestField& input(size_t i) { return *inputs_[i]; }
  const std::vector<SlotId>& map(size_t i) const { return maps_[i]; }
  TestField& merged() { return *merged_; }
  TestField& fresh() { return *fresh_; }

 private:
  const FieldIndexFactory& factory_;
  std::vector<std::unique_ptr<TestField>> inputs_;
  std::vector<std::vector<SlotId>> maps_;
  std::unique_ptr<TestField> merged_;
  std::unique_ptr<TestField> fresh_;
};

// Queries and their 10 nearest in a field.
struct Truth {
  Truth(const TestField& field, const std::vector<std::vector<std::byte>>& vectors) {
    for (const auto& bytes : vectors) {
      queries.push_back(field.MakeQuery(bytes));
      nearest.push_back(field.Nearest(queries.back(), 10, field.AllRows()));
    }
  }

  std::vector<Query> queries;
  std::vector<std::vector<Neighbor>> nearest;
};

// The mean over the queries of how much of it a search finds.
inline double MeanRecall(const FieldIndexFactory& factory, const TestField& field, const Truth& truth,
                         const ParamMap& params) {
  auto searcher = field.Open(factory);
  EXPECT_OK(searcher);
  if (!searcher.ok()) return 0;
  SearchContext context;
  double recall = 0;
  for (size_t q = 0; q < truth.queries.size(); ++q) {
    const auto found = SearchOne(**searcher, truth.queries[q], 10, field.AllRows(), {.params = &params}, &context);
    EXPECT_OK(found);
    if (found.ok()) recall += Recall(*found, truth.nearest[q]);
  }
  return recall / static_cast<double>(truth.queries.size());
}

}  // namespace varve::testing

#endif  // VARVE_INDEX_MERGE_FIXTURE_H_
