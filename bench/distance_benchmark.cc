// Speed of the distance kernels in bytes of vectors per second: from the first-level cache, and from memory.
//
//   distance_benchmark --benchmark_filter='batch/l2/f32'
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "benchmark/benchmark.h"
#include "simd/distance.h"
#include "simd/target.h"
#include "varve/types.h"

namespace varve {
namespace {

struct Combination {
  const char* name;
  Metric metric;
  ElementType element;
};
constexpr Combination kCombinations[] = {
    {"l2/f32", Metric::kL2, ElementType::kF32},
    {"ip/f32", Metric::kInnerProduct, ElementType::kF32},
    {"l1/f32", Metric::kL1, ElementType::kF32},
    {"l2/f16", Metric::kL2, ElementType::kF16},
    {"l2/bf16", Metric::kL2, ElementType::kBF16},
    {"l2/u8", Metric::kL2, ElementType::kU8},
    {"ip/i8", Metric::kInnerProduct, ElementType::kI8},
    {"l1/u8", Metric::kL1, ElementType::kU8},
    {"hamming/bits", Metric::kHamming, ElementType::kBits},
};
constexpr size_t kDimensions[] = {128, 784, 1536};
constexpr size_t kMemoryBytes = size_t{256} << 20;  // more than most last-level caches hold
constexpr size_t kCacheVectors = 4;

// `count` vectors of small finite values, one after the other.
std::vector<std::byte> MakeVectors(ElementType element, size_t dim, size_t count) {
  std::vector<std::byte> bytes(count * VectorBytes(element, static_cast<uint32_t>(dim)));
  Random random(1);
  if (element == ElementType::kF32) {
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      const float value = static_cast<float>(random.Uniform());
      std::memcpy(&bytes[i], &value, sizeof(value));
    }
  } else {
    // 0x38 .. 0x3B in every byte: ordinary numbers in every other element type, none of them denormal.
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(0x38 | (random.Next() & 3));
  }
  return bytes;
}

void SetRates(benchmark::State& state, size_t vectors, size_t vector_bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(vectors * vector_bytes));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(vectors));
}

void RunPair(benchmark::State& state, const Combination& combination, size_t dim) {
  const size_t vector_bytes = VectorBytes(combination.element, static_cast<uint32_t>(dim));
  const std::vector<std::byte> vectors = MakeVectors(combination.element, dim, kCacheVectors + 1);
  const DistanceFunction function = GetDistanceFunction(combination.metric, combination.element);
  for (auto _ : state) {
    for (size_t v = 1; v <= kCacheVectors; ++v) {
      benchmark::DoNotOptimize(function(vectors.data(), vectors.data() + v * vector_bytes, dim));
    }
  }
  SetRates(state, kCacheVectors, vector_bytes);
}

// In memory the vectors are visited in a random order, as a graph search does.
void RunBatch(benchmark::State& state, const Combination& combination, size_t dim, bool in_memory) {
  const size_t vector_bytes = VectorBytes(combination.element, static_cast<uint32_t>(dim));
  const size_t count = in_memory ? kMemoryBytes / vector_bytes : kCacheVectors;
  const std::vector<std::byte> vectors = MakeVectors(combination.element, dim, count + 1);
  std::vector<const void*> addresses(count);
  Random random(2);
  for (const void*& address : addresses) address = vectors.data() + (1 + random.Below(count)) * vector_bytes;
  std::vector<float> distances(count);
  const BatchDistanceFunction function = GetBatchDistanceFunction(combination.metric, combination.element);
  for (auto _ : state) {
    function(vectors.data(), addresses.data(), count, dim, distances.data());
    benchmark::DoNotOptimize(distances.data());
  }
  SetRates(state, count, vector_bytes);
}

void RunMatrix(benchmark::State& state, const Combination& combination, size_t dim) {
  constexpr size_t kQueries = 32;
  const size_t vector_bytes = VectorBytes(combination.element, static_cast<uint32_t>(dim));
  const size_t count = (size_t{256} << 10) / vector_bytes;
  const std::vector<std::byte> queries = MakeVectors(combination.element, dim, kQueries);
  const std::vector<std::byte> vectors = MakeVectors(combination.element, dim, count);
  std::vector<float> distances(kQueries * count);
  const MatrixDistanceFunction function = GetMatrixDistanceFunction(combination.metric, combination.element);
  for (auto _ : state) {
    function(queries.data(), kQueries, vectors.data(), count, dim, distances.data());
    benchmark::DoNotOptimize(distances.data());
  }
  SetRates(state, kQueries * count, vector_bytes);
}

void RegisterAll() {
  for (const Combination& combination : kCombinations) {
    for (const size_t dim : kDimensions) {
      const std::string suffix = std::string("/") + combination.name + "/" + std::to_string(dim);
      benchmark::RegisterBenchmark(("pair" + suffix).c_str(), RunPair, combination, dim);
      benchmark::RegisterBenchmark(("batch" + suffix).c_str(), RunBatch, combination, dim, /*in_memory=*/false);
      benchmark::RegisterBenchmark(("batch_memory" + suffix).c_str(), RunBatch, combination, dim, /*in_memory=*/true);
      benchmark::RegisterBenchmark(("matrix" + suffix).c_str(), RunMatrix, combination, dim);
    }
  }
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  varve::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("instruction_set", varve::ActiveTargetName());
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
