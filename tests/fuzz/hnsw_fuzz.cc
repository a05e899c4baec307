// The two sections of an HNSW index over vectors that are sound: search, verify, dump and merge end with an answer or
// DataLoss. A graph in which the full check finds nothing is searched without an error, and gives as many rows as were
// asked for.
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "index/index_registry.h"
#include "tests/fuzz/exact_sections.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

constexpr VectorShape kShape = {.dimension = 3, .metric = Metric::kL2, .element = ElementType::kF32};
constexpr uint32_t kMaxSlots = 1024;
// slots u16, m u8, what to ask u8, length of GRAPH_LEVELS u16
constexpr size_t kPrefixBytes = 6;

const FieldIndexFactory& Hnsw() { return *Take(FindIndexFactory(IndexType::kHnsw)); }

std::vector<float> Vectors(uint32_t slots) {
  Random random(5);
  std::vector<float> vectors(size_t{slots} * kShape.dimension);
  for (float& component : vectors) component = static_cast<float>(random.Below(9));
  return vectors;
}

SlotSource SourceOf(const std::vector<float>& vectors, std::vector<const std::byte*>* addresses) {
  for (size_t i = 0; i < vectors.size(); i += kShape.dimension) {
    addresses->push_back(reinterpret_cast<const std::byte*>(&vectors[i]));
  }
  return {kShape, *addresses, {}};
}

void CheckSearch(const FieldIndexSearcher& searcher, uint32_t slots, bool sound, uint8_t ask) {
  RowSet even(slots);
  for (uint32_t row = 0; row < slots; row += 2) even.Add(row);
  const ParamMap params = {{"ef", static_cast<double>(1 + ask % 64)}};
  const float query[] = {1, 2, 3};
  FieldQuery field_query;
  field_query.dense = reinterpret_cast<const std::byte*>(query);
  for (const bool filtered : {false, true}) {
    SlotFilter filter;
    filter.rows = slots;
    if (filtered) filter.allowed = &even;
    SearchContext context;
    TopK best(1 + ask % 7);
    const absl::Status status = searcher.Search({&field_query, 1}, {.params = &params, .exact = (ask & 128) != 0},
                                                filter, &context, {&best, 1});
    FUZZ_CHECK(status.ok() || (absl::IsDataLoss(status) && !sound));
    if (!status.ok()) continue;
    const std::vector<Neighbor> found = best.TakeSorted();
    for (const Neighbor& neighbor : found) FUZZ_CHECK(neighbor.id < slots && (!filtered || neighbor.id % 2 == 0));
    const size_t accepted = filtered ? (size_t{slots} + 1) / 2 : slots;
    if (sound) FUZZ_CHECK(found.size() == std::min(best.k(), accepted));
  }
}

void CheckMerge(const ExactSections& sections, uint32_t slots, const ParamMap& params, const std::vector<float>& all) {
  std::vector<const std::byte*> addresses;
  const SlotSource source = SourceOf(all, &addresses);
  std::vector<SlotId> new_slots(slots);
  for (uint32_t slot = 0; slot < slots; ++slot) new_slots[slot] = slot % 5 == 0 ? kNoSlot : slot;
  const MergeInput input{IndexType::kHnsw, params, &sections, slots, new_slots};
  ExactSections merged;
  merged.Set(SectionKind::kVectors, sections.Bytes(SectionKind::kVectors));
  const absl::Status status =
      Hnsw().Merge(source, {&input, 1}, Take(ResolveParams(Hnsw().traits(), params)), {}, &merged);
  FUZZ_CHECK(status.ok() || absl::IsDataLoss(status));
  if (!status.ok()) return;
  std::vector<IndexDamage> damage;
  Hnsw().Verify(merged, kShape, slots, params, /*deep=*/true, &damage);
  FUZZ_CHECK(damage.empty());
}

void RunHnsw(std::string_view bytes) {
  FuzzInput input(bytes);
  const uint32_t slots = input.Number<uint16_t>() % (kMaxSlots + 1);
  const ParamMap params = {{"m", static_cast<double>(input.Byte())}};
  const uint8_t ask = input.Byte();
  const uint16_t levels_bytes = input.Number<uint16_t>();
  const std::vector<float> vectors = Vectors(slots);
  ExactSections sections;
  sections.Set(SectionKind::kVectors, {reinterpret_cast<const char*>(vectors.data()), vectors.size() * sizeof(float)});
  sections.Set(SectionKind::kGraphLevels, input.Bytes(levels_bytes), params);
  sections.Set(SectionKind::kGraph, input.Rest(), params);

  std::vector<IndexDamage> damage;
  Hnsw().Verify(sections, kShape, slots, params, /*deep=*/true, &damage);
  (void)Hnsw().Dump(sections, kShape, slots, params);
  const auto searcher = Hnsw().Open(sections, kShape, slots, params);
  if (!searcher.ok()) {
    FUZZ_CHECK(absl::IsDataLoss(searcher.status()) || absl::IsUnimplemented(searcher.status()));
    FUZZ_CHECK(!damage.empty());
    return;
  }
  CheckSearch(**searcher, slots, damage.empty(), ask);
  if (slots <= 200) CheckMerge(sections, slots, params, vectors);
}

std::string Seed(uint32_t slots, uint32_t m) {
  const std::vector<float> vectors = Vectors(slots);
  std::vector<const std::byte*> addresses;
  ExactSections sections;
  const ParamMap params = Take(ResolveParams(Hnsw().traits(), {{"m", static_cast<double>(m)}}));
  FUZZ_CHECK_OK(Hnsw().Build(SourceOf(vectors, &addresses), params, {}, &sections));
  const std::string_view levels = sections.Bytes(SectionKind::kGraphLevels);
  ByteWriter writer;
  writer.Fixed(static_cast<uint16_t>(slots));
  writer.Fixed(static_cast<uint8_t>(m));
  writer.Fixed(uint8_t{40});
  writer.Fixed(static_cast<uint16_t>(levels.size()));
  writer.Bytes(levels);
  writer.Bytes(sections.Bytes(SectionKind::kGraph));
  return writer.Take();
}

std::vector<std::string> HnswSeeds() { return {Seed(0, 4), Seed(1, 4), Seed(9, 4), Seed(60, 4), Seed(300, 5)}; }

// The header of the levels, the levels, or level 0.
std::pair<size_t, size_t> PickPart(std::string_view input, uint64_t random) {
  constexpr size_t kHeaderBytes = 128;
  FuzzInput numbers(input.substr(0, kPrefixBytes));
  (void)numbers.Number<uint32_t>();
  const size_t levels = numbers.Number<uint16_t>();
  const size_t graph_at = kPrefixBytes + levels;
  if (levels < kHeaderBytes || graph_at >= input.size()) return {0, input.size()};
  switch (random % 4) {
    case 0:
      return {0, kPrefixBytes};
    case 1:
      return {kPrefixBytes, kHeaderBytes};
    case 2:
      return {kPrefixBytes + kHeaderBytes, levels - kHeaderBytes};
    default:
      return {graph_at, input.size() - graph_at};
  }
}

}  // namespace

FuzzTarget HnswTarget() { return {.name = "hnsw", .run = RunHnsw, .seeds = HnswSeeds, .pick_range = PickPart}; }

}  // namespace varve::fuzz
