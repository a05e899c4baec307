// A field in memory for tests of index types: random vectors, the sections that an index is built into, searches and
// what they should find.
#ifndef VARVE_INDEX_INDEX_FIXTURE_H_
#define VARVE_INDEX_INDEX_FIXTURE_H_

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "index/dense_distance.h"
#include "index/field_index.h"
#include "index/index_registry.h"
#include "index/section_buffers.h"
#include "simd/distance.h"
#include "tests/support/status_matchers.h"

namespace varve::testing {

// The registered types that take dense vectors, as parameters of test suites, and their names.
inline std::vector<const FieldIndexFactory*> DenseFactories() {
  std::vector<const FieldIndexFactory*> dense;
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    if (!factory->traits().sparse) dense.push_back(factory);
  }
  return dense;
}
inline std::string FactoryName(const ::testing::TestParamInfo<const FieldIndexFactory*>& parameter) {
  return std::string(parameter.param->traits().name);
}

inline std::vector<std::byte> RandomVector(Random* random, const VectorShape& shape) {
  std::vector<std::byte> bytes(shape.bytes());
  if (shape.element == ElementType::kI8 || shape.element == ElementType::kU8 || shape.element == ElementType::kBits) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random->Next());
    return bytes;
  }
  for (uint32_t i = 0; i < shape.dimension; ++i) {
    const float value = static_cast<float>(random->Uniform() * 2 - 1);
    const uint16_t half = shape.element == ElementType::kF16 ? F16FromF32(value) : Bf16FromF32(value);
    if (shape.element == ElementType::kF32) {
      std::memcpy(&bytes[4 * i], &value, 4);
    } else {
      std::memcpy(&bytes[2 * i], &half, 2);
    }
  }
  return bytes;
}

struct Query {
  std::vector<std::byte> bytes;
  float inverse_norm;

  FieldQuery field_query() const {
    FieldQuery query;
    query.dense = bytes.data();
    query.inverse_norm = inverse_norm;
    return query;
  }
};

// Thread-compatible.
class TestField {
 public:
  // `count` random vectors; or the given ones.
  TestField(const VectorShape& shape, uint32_t count, uint64_t seed = 1) : shape_(shape) {
    Random random(seed);
    for (uint32_t slot = 0; slot < count; ++slot) vectors_.push_back(RandomVector(&random, shape));
    WriteVectors();
  }
  TestField(const VectorShape& shape, std::vector<std::vector<std::byte>> vectors)
      : shape_(shape), vectors_(std::move(vectors)) {
    WriteVectors();
  }

  const VectorShape& shape() const { return shape_; }
  uint32_t count() const { return static_cast<uint32_t>(vectors_.size()); }
  SectionBuffers& sections() { return sections_; }
  const std::vector<std::byte>& vector(SlotId slot) const { return vectors_[slot]; }

  absl::Status Build(const FieldIndexFactory& factory, const ParamMap& given = {}, BuildContext context = {}) {
    ASSIGN_OR_RETURN(params_, ResolveParams(factory.traits(), given));
    return factory.Build(Slots(), params_, context, &sections_);
  }
  absl::Status Merge(const FieldIndexFactory& factory, absl::Span<const MergeInput> inputs, const ParamMap& given = {},
                     BuildContext context = {}) {
    ASSIGN_OR_RETURN(params_, ResolveParams(factory.traits(), given));
    return factory.Merge(Slots(), inputs, params_, context, &sections_);
  }
  // This field as an input of a merge. The map must outlive what is made of it.
  MergeInput AsInput(const FieldIndexFactory& factory, absl::Span<const SlotId> new_slots) const {
    return {factory.traits().type, params_, &sections_, count(), new_slots};
  }
  absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> Open(const FieldIndexFactory& factory) const {
    return factory.Open(sections_, shape_, count(), params_);
  }
  std::vector<IndexDamage> Verify(const FieldIndexFactory& factory, bool deep) const {
    std::vector<IndexDamage> damage;
    factory.Verify(sections_, shape_, count(), params_, deep, &damage);
    return damage;
  }
  std::string Dump(const FieldIndexFactory& factory) const { return factory.Dump(sections_, shape_, count(), params_); }

  Query MakeQuery(std::vector<std::byte> bytes) const {
    const float inverse_norm =
        shape_.metric == Metric::kCosine ? InverseNorm(bytes.data(), shape_.element, shape_.dimension) : 1.0f;
    return {std::move(bytes), inverse_norm};
  }
  Query RandomQuery(uint64_t seed) const {
    Random random(seed);
    return MakeQuery(RandomVector(&random, shape_));
  }

  // Accepts every slot as its row.
  SlotFilter AllRows() const {
    SlotFilter filter;
    filter.rows = count();
    return filter;
  }

  float Distance(const Query& query, SlotId slot) const {
    const DenseDistance distance(shape_.metric, shape_.element, shape_.dimension);
    return distance(query.bytes.data(), query.inverse_norm, vectors_[slot].data(),
                    inverse_norms_.empty() ? 1.0f : inverse_norms_[slot]);
  }

  // The k nearest accepted rows, by comparing all.
  std::vector<Neighbor> Nearest(const Query& query, size_t k, const SlotFilter& filter) const {
    TopK best(k);
    for (SlotId slot = 0; slot < count(); ++slot) {
      const RowId row = filter.Accept(slot);
      if (row != kNoRow) best.Offer(Distance(query, slot), row);
    }
    return best.TakeSorted();
  }

 private:
  SlotSource Slots() {
    addresses_.clear();
    for (const auto& vector : vectors_) addresses_.push_back(vector.data());
    return {shape_, addresses_, inverse_norms_};
  }
  void WriteVectors() {
    ASSERT_OK(sections_.BeginSection(SectionKind::kVectors, {}));
    for (const auto& vector : vectors_) ASSERT_OK(sections_.Append(vector));
    if (shape_.metric != Metric::kCosine) return;
    ASSERT_OK(sections_.BeginSection(SectionKind::kInverseNorms, {}));
    for (const auto& vector : vectors_) {
      inverse_norms_.push_back(InverseNorm(vector.data(), shape_.element, shape_.dimension));
      ASSERT_OK(sections_.Append({reinterpret_cast<const std::byte*>(&inverse_norms_.back()), sizeof(float)}));
    }
  }

  VectorShape shape_;
  std::vector<std::vector<std::byte>> vectors_;
  std::vector<float> inverse_norms_;
  std::vector<const std::byte*> addresses_;
  ParamMap params_;
  SectionBuffers sections_;
};

// One query; `ef` = 0 leaves the params to the index.
inline absl::StatusOr<std::vector<Neighbor>> SearchOne(const FieldIndexSearcher& searcher, const Query& query, size_t k,
                                                       const SlotFilter& filter, SearchParams params = {},
                                                       SearchContext* context = nullptr) {
  SearchContext own;
  TopK best(k);
  const FieldQuery field_query = query.field_query();
  RETURN_IF_ERROR(searcher.Search({&field_query, 1}, params, filter, context != nullptr ? context : &own, {&best, 1}));
  return best.TakeSorted();
}

// How many of `found` are in `truth`, as a fraction of truth.
inline double Recall(const std::vector<Neighbor>& found, const std::vector<Neighbor>& truth) {
  size_t hits = 0;
  for (const Neighbor& neighbor : truth) {
    hits += static_cast<size_t>(
        std::count_if(found.begin(), found.end(), [&](const Neighbor& other) { return other.id == neighbor.id; }));
  }
  return truth.empty() ? 1.0 : static_cast<double>(hits) / static_cast<double>(truth.size());
}

}  // namespace varve::testing

#endif  // VARVE_INDEX_INDEX_FIXTURE_H_
