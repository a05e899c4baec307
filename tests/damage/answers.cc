#include "tests/damage/answers.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "base/status.h"

namespace varve::testing {
namespace {

constexpr uint64_t kQuerySeed = 99;
constexpr int kAskedRows = 128;

// One answer a line; the last line has no comma.
class Lines {
 public:
  void Begin(const std::string& name) {
    text_ += absl::StrFormat("%s\"%s\":[", text_.empty() ? "{" : ",", name);
    first_ = true;
  }
  void Add(const std::string& line) {
    text_ += (first_ ? "\n" : ",\n") + line;
    first_ = false;
  }
  void End() { text_ += "\n]"; }
  std::string Take() { return std::exchange(text_, "") + "}\n"; }

 private:
  std::string text_;
  bool first_ = true;
};

std::string RecordLine(const Record& record) {
  JsonWriter json;
  json.BeginObject().Member("ns", record.ns).Member("key", record.key).Key("vectors").BeginObject();
  for (const auto& [field, components] : record.vectors) {
    json.Key(field).BeginArray();
    for (const float component : components) json.Float(component);
    json.EndArray();
  }
  json.EndObject().Member("metadata", record.metadata).BytesMember("payload", record.payload);
  json.Key("expires_at").Int(record.expires_at_ms).Key("created_at").Int(record.created_at_us);
  json.Key("updated_at").Int(record.updated_at_us).Member("sequence", record.sequence).EndObject();
  return json.Take();
}

// Rounded, and without a negative zero.
std::string DistanceText(float distance) {
  return absl::StrFormat("%.4f", std::round(static_cast<double>(distance) * 1e4) / 1e4 + 0.0);
}

std::string HitsLine(const std::string& question, const SearchResult& result) {
  JsonWriter json;
  json.BeginObject().Member("search", question).Key("hits").BeginArray();
  for (const Hit& hit : result.hits) {
    json.BeginArray().String(hit.ns).String(hit.key).Raw(DistanceText(hit.distance)).EndArray();
  }
  json.EndArray().EndObject();
  return json.Take();
}

absl::Status AskSearches(Collection* collection, const FieldSpec& field, const Filter& filter, Lines* lines) {
  for (int n = 0; n < 8; ++n) {
    SearchRequest request;
    request.field = field.name;
    request.vector = VectorValue(VectorOfRow(field, kQuerySeed, n));
    request.k = 12;
    request.exact = n % 2 == 0;
    // With so wide a beam the small graphs of the tests answer as exactly as a scan.
    if (!request.exact && field.index.type == IndexType::kHnsw) request.params["ef"] = 512;
    if (n == 4 || n == 5) request.ns = NamespaceOfRow(0);
    if (n == 6 || n == 7) request.filter = filter;
    ASSIGN_OR_RETURN(const SearchResult result, collection->Search(request));
    lines->Add(HitsLine(field.name + " " + std::to_string(n), result));
  }
  return absl::OkStatus();
}

}  // namespace

std::string NamespaceOfRow(int n) { return n % 3 == 0 ? "odd one" : ""; }
std::string KeyOfRow(int n) { return "key-" + std::to_string(n); }

std::vector<float> VectorOfRow(const FieldSpec& field, uint64_t seed, int n) {
  Random random(Mix64(seed) + Mix64(static_cast<uint64_t>(n) * 64 + field.dimension));
  const uint64_t levels = field.element == ElementType::kBits ? 2 : 16;
  std::vector<float> vector(field.dimension);
  for (float& component : vector) component = static_cast<float>(random.Below(levels));
  if (levels > 2) vector[0] += 1;  // never without direction
  return vector;
}

absl::StatusOr<std::string> Ask(Collection* collection) {
  Lines lines;
  lines.Begin("records");
  RETURN_IF_ERROR(collection->Scan({}, [&](const Record& record) {
    lines.Add(RecordLine(record));
    return true;
  }));
  lines.End();
  lines.Begin("gets");
  for (int n = 0; n < kAskedRows; n += 9) {
    const absl::StatusOr<Record> record = collection->Get(NamespaceOfRow(n), KeyOfRow(n));
    if (!record.ok() && !absl::IsNotFound(record.status())) return record.status();
    lines.Add(record.ok() ? RecordLine(*record) : "null");
  }
  lines.End();
  lines.Begin("counts");
  ASSIGN_OR_RETURN(const Filter filter, Filter::Parse("n >= 20 AND text != 'other' OR n < 0"));
  ASSIGN_OR_RETURN(const uint64_t all, collection->Count());
  ASSIGN_OR_RETURN(const uint64_t of_namespace, collection->Count(NamespaceOfRow(0)));
  ASSIGN_OR_RETURN(const uint64_t matching, collection->CountWhere(filter));
  lines.Add(absl::StrFormat("%u,%u,%u", all, of_namespace, matching));
  lines.End();
  lines.Begin("searches");
  for (const FieldSpec& field : collection->schema().fields) {
    RETURN_IF_ERROR(AskSearches(collection, field, filter, &lines));
  }
  lines.End();
  return lines.Take();
}

std::vector<std::string> RecordLines(const std::string& answers) {
  std::vector<std::string> records;
  const std::vector<std::string> lines = absl::StrSplit(answers, '\n');
  for (std::string line : lines) {
    if (line.ends_with(',')) line.pop_back();
    if (line.starts_with("],\"gets\"")) break;
    if (line.starts_with("{\"ns\"")) records.push_back(std::move(line));
  }
  return records;
}

}  // namespace varve::testing
