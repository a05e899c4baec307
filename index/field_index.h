// The interface of every index type: what it can do (IndexTraits), how it is built or merged into sections, and how it
// is searched straight from them. An index speaks of slots; SlotFilter turns them into rows. It knows nothing of keys,
// footers or directories. Adding a type is one folder here and one line in index_registry.cc.
//
// Fits, unchanged: exact scans and graphs (dense queries), quantised types (oversampled candidates are rescored by the
// caller, or by the type from its kVectors section), inverted lists (sparse queries), batch types (several queries at
// once), types trained per collection (BuildContext::quantizer_epoch).
#ifndef VARVE_INDEX_FIELD_INDEX_H_
#define VARVE_INDEX_FIELD_INDEX_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/cancellation.h"
#include "base/top_k.h"
#include "index/search_context.h"
#include "index/slot_filter.h"
#include "segment/section.h"
#include "varve/schema.h"
#include "varve/types.h"

namespace varve {

// One parameter of an index type.
struct ParamSpec {
  std::string_view name;
  double default_value;
  double min;
  double max;
  bool integral;
  bool of_search;  // given with a search (and, in the schema, its default); else used by the build
  std::string_view meaning;
};

// What an index type can do; constant.
struct IndexTraits {
  IndexType type;
  std::string_view name;  // "hnsw"
  absl::Span<const Metric> metrics;
  absl::Span<const ElementType> elements;
  absl::Span<const CompressionType> compressions;
  bool sparse;     // takes sparse queries instead of dense ones
  bool can_merge;  // Merge is built; else a merge of segments builds anew
  absl::Span<const ParamSpec> params;
};

// The shape of a dense field's vectors.
struct VectorShape {
  uint32_t dimension = 0;
  Metric metric = Metric::kL2;
  ElementType element = ElementType::kF32;

  size_t bytes() const { return VectorBytes(element, dimension); }
};

// The vectors that an index is built from, by slot. They stay where they are (memtable, mappings of other segments) and
// outlive the build. Thread-safe.
struct SlotSource {
  VectorShape shape;
  absl::Span<const std::byte* const> vectors;  // one address per slot
  absl::Span<const float> inverse_norms;       // one per slot for cosine, else empty

  uint32_t count() const { return static_cast<uint32_t>(vectors.size()); }
};

struct BuildContext {
  int threads = 1;  // with one thread the result is a function of input, params and seed alone
  uint64_t seed = 0;
  const Cancellation* cancellation = nullptr;                // looked at often; Cancelled
  std::function<void(uint64_t done, uint64_t of)> progress;  // may be empty; called from one thread at a time
  uint64_t quantizer_epoch = 0;                              // 0: the collection has no shared quantiser
};

// One query. Dense: `dense` holds `vectors` vectors of the field's element type, row-major (more than one: MaxSim).
// Sparse: terms and weights of equal length, terms ascending.
struct FieldQuery {
  const std::byte* dense = nullptr;
  uint32_t vectors = 1;
  float inverse_norm = 1;  // of the dense query, for cosine
  absl::Span<const uint32_t> terms;
  absl::Span<const float> weights;
};

struct SearchParams {
  const ParamMap* params = nullptr;  // by name; names not given take the defaults stored with the index
  bool exact = false;                // compare with every allowed slot
  float radius = std::numeric_limits<float>::infinity();  // only slots at most this far
  double target_recall = 0;                               // > 0: instead of params, where the type was tuned
};

// Searches one field of one segment from its mapped sections; making one reads O(1) bytes. Thread-safe: all scratch
// memory is the caller's SearchContext, one per thread.
class FieldIndexSearcher {
 public:
  virtual ~FieldIndexSearcher() = default;

  // Offers to best[i] the rows nearest to queries[i] among those that `filter` accepts, as (distance, row).
  // Distances are the metric's (types.h), computed from the stored vectors or codes. If params.exact, exactly
  // min(best[i].k(), accepted rows) are offered; otherwise that many or fewer. context->work is added to.
  // Errors: DataLoss if a section is damaged or refers beyond the segment. Never reads outside its sections, whatever
  // they contain.
  virtual absl::Status Search(absl::Span<const FieldQuery> queries, const SearchParams& params,
                              const SlotFilter& filter, SearchContext* context, absl::Span<TopK> best) const = 0;
};

// One input of a merge: an open index of any type, and where its slots go. What comes from the segment (sections,
// params) is not trusted. The field's shape is that of the output.
struct MergeInput {
  IndexType type = IndexType::kFlat;
  ParamMap params;  // those it was built with
  const SectionSource* sections = nullptr;
  uint32_t slot_count = 0;
  absl::Span<const SlotId> new_slots;  // by old slot; kNoSlot: dropped
};

// One finding of Verify.
struct IndexDamage {
  SectionKind section;
  uint64_t offset;  // within the section
  std::string what;
};

// An index type. Stateless and thread-safe; the registry owns one of each.
class FieldIndexFactory {
 public:
  virtual ~FieldIndexFactory() = default;

  virtual const IndexTraits& traits() const = 0;

  // Bytes on disk and in memory while building, beside the vectors.
  struct Estimate {
    uint64_t section_bytes;
    uint64_t build_bytes;
  };
  // By a build with `threads` threads.
  virtual Estimate EstimateBytes(uint64_t count, const VectorShape& shape, const ParamMap& params,
                                 int threads) const = 0;

  // Builds over all slots and appends the index's sections to `sink` (not the vectors, which are there already). Every
  // param has been validated and defaulted (ResolveParams).
  // Errors: Cancelled; ResourceExhausted; what the sink returns.
  virtual absl::Status Build(const SlotSource& slots, const ParamMap& params, const BuildContext& context,
                             SectionSink* sink) const = 0;

  // As Build, reusing the structure of those inputs that are of this type and were built with fitting params; as good
  // as what Build makes, sooner. Slots that no input leads to are new; no two old ones become the same.
  // Errors: those of Build; DataLoss naming the section of an input; InvalidArgument if CheckMergeInputs is not
  // content; Unimplemented unless traits().can_merge.
  virtual absl::Status Merge(const SlotSource& slots, absl::Span<const MergeInput> inputs, const ParamMap& params,
                             const BuildContext& context, SectionSink* sink) const;

  // `sections` outlives the searcher. `params` are those the index was built with, from the segment's header
  // (untrusted: checked). Reads O(1) bytes; checks sizes, caps and entry points.
  // Errors: DataLoss; Unimplemented.
  virtual absl::StatusOr<std::unique_ptr<FieldIndexSearcher>> Open(const SectionSource& sections,
                                                                   const VectorShape& shape, uint32_t slot_count,
                                                                   const ParamMap& params) const = 0;

  // Checks the structure in full, and with `deep` what costs more than a pass (reachability). Adds findings, goes on.
  virtual void Verify(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count,
                      const ParamMap& params, bool deep, std::vector<IndexDamage>* damage) const = 0;

  // A JSON object for people: levels, degrees, entry point ...
  virtual std::string Dump(const SectionSource& sections, const VectorShape& shape, uint32_t slot_count,
                           const ParamMap& params) const = 0;
};

// Errors: InvalidArgument if an input's map has not an entry for each of its slots, or one leads beyond the output, or
// two to the same slot.
absl::Status CheckMergeInputs(const SlotSource& slots, absl::Span<const MergeInput> inputs);

// `given` checked against the type's specs and filled with defaults (build and search params both).
// Errors: InvalidArgument naming an unknown param, or one out of range or not integral.
absl::StatusOr<ParamMap> ResolveParams(const IndexTraits& traits, const ParamMap& given);

// The value of a search param: from `search`, else from `stored`, else `fallback`.
double SearchParam(const SearchParams& search, const ParamMap& stored, std::string_view name, double fallback);

}  // namespace varve

#endif  // VARVE_INDEX_FIELD_INDEX_H_
