#include "varve/schema.h"

#include <algorithm>

namespace varve {
namespace {

// The first entry of a value is its name; the others are read too.
template <typename Enum>
struct Name {
  Enum value;
  std::string_view text;
};

constexpr Name<Metric> kMetrics[] = {
    {Metric::kL2, "l2"},         {Metric::kInnerProduct, "ip"}, {Metric::kInnerProduct, "inner_product"},
    {Metric::kCosine, "cosine"}, {Metric::kL1, "l1"},           {Metric::kHamming, "hamming"},
};
constexpr Name<ElementType> kElementTypes[] = {
    {ElementType::kF32, "f32"}, {ElementType::kF16, "f16"}, {ElementType::kBF16, "bf16"},
    {ElementType::kI8, "i8"},   {ElementType::kU8, "u8"},   {ElementType::kBits, "bits"},
};
constexpr Name<FieldKind> kFieldKinds[] = {
    {FieldKind::kDense, "dense"},
    {FieldKind::kMultiVector, "multi_vector"},
    {FieldKind::kSparse, "sparse"},
    {FieldKind::kText, "text"},
};
constexpr Name<IndexType> kIndexTypes[] = {
    {IndexType::kAuto, "AUTO"},
    {IndexType::kHnsw, "HNSW"},
    {IndexType::kDiskAnn, "DISKANN"},
    {IndexType::kIvfPq, "IVF_PQ"},
    {IndexType::kScann, "SCANN"},
    {IndexType::kSng, "SNG"},
    {IndexType::kLearnedSparse, "LEARNED_SPARSE"},
    {IndexType::kFlat, "FLAT"},
};
constexpr Name<CompressionType> kCompressionTypes[] = {
    {CompressionType::kNone, "NONE"},
    {CompressionType::kProductQuantization, "PRODUCT_QUANTIZATION"},
    {CompressionType::kProductQuantization, "PQ"},
    {CompressionType::kProductQuantization, "PQ4"},
    {CompressionType::kScalarQuantization, "SCALAR_QUANTIZATION"},
    {CompressionType::kScalarQuantization, "SQ8"},
    {CompressionType::kScalarQuantization, "SQ4"},
    {CompressionType::kScalarQuantization, "F16"},
    {CompressionType::kScalarQuantization, "BF16"},
    {CompressionType::kBinaryQuantization, "BINARY_QUANTIZATION"},
    {CompressionType::kBinaryQuantization, "BINARY"},
    {CompressionType::kRabitq, "RABITQ"},
    {CompressionType::kTurboquant, "TURBOQUANT"},
    {CompressionType::kTurboquant, "TURBO2"},
    {CompressionType::kTurboquant, "TURBO3"},
    {CompressionType::kTurboquant, "TURBO4"},
};

constexpr std::string_view kUnknown = "UNKNOWN";

template <typename Enum, size_t kCount>
std::string_view NameOf(const Name<Enum> (&names)[kCount], Enum value) {
  for (const Name<Enum>& name : names) {
    if (name.value == value) return name.text;
  }
  return kUnknown;
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return ToLower(x) == ToLower(y); });
}

template <typename Enum, size_t kCount>
std::optional<Enum> Parse(const Name<Enum> (&names)[kCount], std::string_view text) {
  for (const Name<Enum>& name : names) {
    if (EqualsIgnoringCase(name.text, text)) return name.value;
  }
  return std::nullopt;
}

template <typename Matches>
const FieldSpec* FindFirst(const std::vector<FieldSpec>& fields, Matches matches) {
  const auto found = std::find_if(fields.begin(), fields.end(), matches);
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

IndexSpec IndexSpec::HighRecall() {
  IndexSpec spec;
  spec.params = {{"m", 32}, {"ef_construction", 400}, {"ef", 200}};
  return spec;
}

IndexSpec IndexSpec::Fast() {
  IndexSpec spec;
  spec.params = {{"m", 8}, {"ef_construction", 100}, {"ef", 40}};
  return spec;
}

Schema Schema::SingleVector(uint32_t dimension, Metric metric, ElementType element) {
  FieldSpec field;
  field.name = "vector";
  field.dimension = dimension;
  field.metric = metric;
  field.element = element;
  Schema schema;
  schema.fields.push_back(std::move(field));
  return schema;
}

const FieldSpec* Schema::FindField(std::string_view name) const {
  return FindFirst(fields, [&](const FieldSpec& field) { return field.name == name; });
}

const FieldSpec* Schema::FindField(FieldId id) const {
  return FindFirst(fields, [&](const FieldSpec& field) { return field.id == id; });
}

const FieldSpec* Schema::DefaultDenseField() const {
  return FindFirst(fields, [](const FieldSpec& field) { return field.kind == FieldKind::kDense; });
}

std::string_view MetricName(Metric metric) { return NameOf(kMetrics, metric); }
std::string_view ElementTypeName(ElementType element) { return NameOf(kElementTypes, element); }
std::string_view FieldKindName(FieldKind kind) { return NameOf(kFieldKinds, kind); }
std::string_view IndexTypeName(IndexType type) { return NameOf(kIndexTypes, type); }
std::string_view CompressionTypeName(CompressionType type) { return NameOf(kCompressionTypes, type); }

std::optional<Metric> ParseMetric(std::string_view name) { return Parse(kMetrics, name); }
std::optional<ElementType> ParseElementType(std::string_view name) { return Parse(kElementTypes, name); }
std::optional<FieldKind> ParseFieldKind(std::string_view name) { return Parse(kFieldKinds, name); }
std::optional<IndexType> ParseIndexType(std::string_view name) { return Parse(kIndexTypes, name); }
std::optional<CompressionType> ParseCompressionType(std::string_view name) { return Parse(kCompressionTypes, name); }

}  // namespace varve
