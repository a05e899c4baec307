// What a collection holds: its fields, how each is compared, stored and indexed. Fixed when the collection is created.
#ifndef VARVE_SCHEMA_H_
#define VARVE_SCHEMA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "varve/options.h"
#include "varve/types.h"

namespace varve {

// Parameters of an index or a search by the names of the papers, in lower case: m, ef_construction, ef, nprobe ...
// Unknown names and values out of range are InvalidArgument where the map is used.
using ParamMap = std::map<std::string, double, std::less<>>;

// Which index a field gets in each segment, and with what parameters. Persisted with the schema.
struct IndexSpec {
  IndexType type = IndexType::kAuto;  // kAuto lets IndexPolicy choose per segment
  CompressionType compression = CompressionType::kNone;
  ParamMap params;  // those not named take the index type's defaults (HNSW: m 16, ef_construction 200, ef 64)

  // M 32, ef_construction 400, ef 200: more memory and build time for recall.
  static IndexSpec HighRecall();
  // M 8, ef_construction 100, ef 40.
  static IndexSpec Fast();
};

struct FieldSpec {
  FieldId id = 0;  // 0 when the field is new; given by Create, never reused
  std::string name;
  FieldKind kind = FieldKind::kDense;
  uint32_t dimension = 0;  // components of a vector; for ElementType::kBits, bits
  Metric metric = Metric::kL2;
  ElementType element = ElementType::kF32;
  IndexSpec index;

  size_t vector_bytes() const { return VectorBytes(element, dimension); }
};

struct Schema {
  std::vector<FieldSpec> fields;
  SyncMode sync;  // used by writers that do not say otherwise in Options

  // One dense field named "vector".
  static Schema SingleVector(uint32_t dimension, Metric metric, ElementType element = ElementType::kF32);

  const FieldSpec* FindField(std::string_view name) const;
  const FieldSpec* FindField(FieldId id) const;
  // The first dense field, to which "vector" in requests refers; null if there is none.
  const FieldSpec* DefaultDenseField() const;
};

// Names as the command line and JSON use them: "l2", "f32", "hnsw", "none" ...; and the enum names that `info` prints.
std::string_view MetricName(Metric metric);
std::string_view ElementTypeName(ElementType element);
std::string_view FieldKindName(FieldKind kind);
std::string_view IndexTypeName(IndexType type);              // "HNSW", "FLAT", "IVF_PQ" ...; "AUTO"
std::string_view CompressionTypeName(CompressionType type);  // "NONE", "PRODUCT_QUANTIZATION" ...

// The reverse; case does not matter, and the short forms of the command line ("sq8", "pq", "ip") are understood.
// Empty for an unknown name.
std::optional<Metric> ParseMetric(std::string_view name);
std::optional<ElementType> ParseElementType(std::string_view name);
std::optional<FieldKind> ParseFieldKind(std::string_view name);
std::optional<IndexType> ParseIndexType(std::string_view name);
std::optional<CompressionType> ParseCompressionType(std::string_view name);

}  // namespace varve

#endif  // VARVE_SCHEMA_H_
