#include "cli/search_requests.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/status.h"
#include "cli/field_vectors.h"
#include "cli/filter_argument.h"
#include "cli/json_lines.h"
#include "cli/json_members.h"
#include "cli/json_value.h"

namespace varve::cli {
namespace {

// Rows of a query file read at a time.
constexpr uint64_t kRowsPerRead = 1024;

// "vector", or "vectors" with one field.
absl::Status TakeVector(JsonMembers* members, SearchRequest* request) {
  const JsonValue* vector = members->Take("vector");
  const JsonValue* vectors = members->Take("vectors");
  if (vector == nullptr && vectors == nullptr) return InvalidArgument("\"vector\" is missing");
  if (vectors != nullptr) {
    const JsonValue::Object* fields = vectors->object();
    if (fields == nullptr || fields->empty()) return InvalidArgument("\"vectors\" is not an object of fields");
    if (vector != nullptr || fields->size() > 1) {
      return Unimplemented("a search of several fields at once is not built in this version");
    }
    request->field = fields->front().first;
    vector = &fields->front().second;
  }
  if (const JsonValue::Array* items = vector->array();
      items != nullptr && !items->empty() && items->front().array() != nullptr) {
    return Unimplemented("multi-vector queries are not built in this version");
  }
  ASSIGN_OR_RETURN(request->vector, ToFloats(*vector, "\"vector\""));
  return absl::OkStatus();
}

absl::Status TakeParams(JsonMembers* members, ParamMap* params) {
  const JsonValue* value = members->Take("params");
  if (value == nullptr) return absl::OkStatus();
  if (value->object() == nullptr) return InvalidArgument("\"params\" is not a JSON object");
  for (const auto& [name, number] : *value->object()) {
    ASSIGN_OR_RETURN((*params)[name], ToDouble(number, "parameter " + Quoted(name)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Query> ParseRequest(std::string_view line, const SearchRequest& defaults) {
  ASSIGN_OR_RETURN(const JsonValue value, ParseJson(line));
  ASSIGN_OR_RETURN(JsonMembers members, JsonMembers::Of(value, "the request"));
  RETURN_IF_ERROR(members.RefuseUnbuilt({"sparse", "text", "fusion", "mmr", "group_by", "truncate_dim"}));
  Query query{defaults, ""};
  if (const JsonValue* id = members.Take("id")) query.id = id->ToText();
  RETURN_IF_ERROR(TakeVector(&members, &query.request));
  ASSIGN_OR_RETURN(std::optional<std::string> ns, members.TakeBytes("namespace"));
  if (ns) query.request.ns = std::move(ns);
  if (const JsonValue* filter = members.Take("filter")) {
    ASSIGN_OR_RETURN(query.request.filter, ToFilter(*filter));
  }
  if (const JsonValue* k = members.Take("k")) {
    ASSIGN_OR_RETURN(query.request.k, ToUint64(*k, "\"k\""));
  }
  RETURN_IF_ERROR(TakeParams(&members, &query.request.params));
  if (const JsonValue* threshold = members.Take("score_threshold")) {
    ASSIGN_OR_RETURN(query.request.score_threshold, ToFloat(*threshold, "\"score_threshold\""));
  }
  if (const JsonValue* exact = members.Take("exact")) {
    ASSIGN_OR_RETURN(query.request.exact, ToBool(*exact, "\"exact\""));
  }
  RETURN_IF_ERROR(members.RefuseRest());
  return query;
}

absl::StatusOr<std::vector<Query>> ReadRequestLines(const std::string& path, const SearchRequest& defaults,
                                                    uint64_t limit) {
  ASSIGN_OR_RETURN(const FilePointer file, OpenLines(path));
  LineReader reader(file.get(), path);
  std::vector<Query> queries;
  std::string line;
  while (queries.size() < limit) {
    ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) break;
    absl::StatusOr<Query> query = ParseRequest(line, defaults);
    if (!query.ok()) return Annotate(query.status(), reader.place());
    queries.push_back(*std::move(query));
  }
  return queries;
}

absl::StatusOr<std::vector<Query>> ReadMatrixQueries(const std::string& path, MatrixFormat format, const Schema& schema,
                                                     const SearchRequest& defaults, uint64_t limit) {
  ASSIGN_OR_RETURN(const FieldSpec* field, FindDenseField(schema, defaults.field));
  ASSIGN_OR_RETURN(const std::unique_ptr<MatrixFile> file, MatrixFile::Open(path, format));
  ASSIGN_OR_RETURN(const RowConverter converter, RowConverter::Make(*file, *field));
  const uint64_t count = std::min(limit, file->rows());
  std::vector<Query> queries;
  queries.reserve(count);
  std::vector<std::byte> rows;
  while (queries.size() < count) {
    const uint64_t batch = std::min(kRowsPerRead, count - queries.size());
    RETURN_IF_ERROR(file->ReadRows(queries.size(), batch, &rows));
    const absl::Span<const std::byte> bytes(rows);
    for (uint64_t row = 0; row < batch; ++row) {
      Query query{defaults, ""};
      query.request.vector = converter.Convert(bytes.subspan(row * file->row_bytes(), file->row_bytes()));
      queries.push_back(std::move(query));
    }
  }
  return queries;
}

}  // namespace varve::cli
