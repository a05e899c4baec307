// The JSON spelling of filters.
//
//   filter     = { NAME: condition, ... }  all of them; also "$and": [filter, ...], "$or": [...], "$not": filter
//   condition  = value | { OPERATOR: ..., ... }  all of them
//   OPERATOR   = $eq $ne $gt $gte $lt $lte $in $nin $contains $exists $elemMatch $size $not
//
// A NAME is member names with dots between them; a backslash takes the meaning from a dot, a backslash, and a '$' at
// the beginning. Inside $elemMatch, operators in the place of names speak of the element itself.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/filter_words.h"
#include "base/json_text.h"
#include "base/status.h"
#include "varve/filter.h"

namespace varve {
namespace {

// Of JSON containers: a level of filters takes at most two, a leaf three.
constexpr size_t kMaxFilterJsonDepth = 2 * kMaxFilterDepth + 2;

std::optional<Filter::Op> CompareOp(std::string_view name) {
  static constexpr std::pair<std::string_view, Filter::Op> kOps[] = {
      {"$eq", Filter::Op::kEq}, {"$ne", Filter::Op::kNe},  {"$lt", Filter::Op::kLt},
      {"$gt", Filter::Op::kGt}, {"$lte", Filter::Op::kLe}, {"$gte", Filter::Op::kGe}};
  for (const auto& [spelling, op] : kOps) {
    if (spelling == name) return op;
  }
  return std::nullopt;
}

class FilterJsonParser {
 public:
  explicit FilterJsonParser(std::string_view text) : text_(text) {}

  absl::StatusOr<Filter> Run() { return ParseObject(TrimJsonSpace(text_), /*of_element=*/false); }

 private:
  absl::Status ErrorAt(std::string_view place, std::string_view what) const {
    return InvalidArgument("filter: at offset " + std::to_string(place.data() - text_.data()) + ": " +
                           std::string(what));
  }
  absl::StatusOr<Filter> Checked(Filter filter, std::string_view place) const {
    if (!filter.status().ok()) return ErrorAt(place, std::string(filter.status().message()));
    return filter;
  }
  // The members, whose names differ.
  absl::StatusOr<std::vector<JsonMember>> MembersOf(std::string_view object, std::string_view expected) const;

  // `of_element`: it stands inside $elemMatch.
  absl::StatusOr<Filter> ParseObject(std::string_view object, bool of_element) const;
  absl::StatusOr<Filter> ParseMember(const JsonMember& member, bool of_element) const;
  absl::StatusOr<std::vector<Filter>> ParseFilters(std::string_view array, bool of_element) const;
  absl::StatusOr<Filter> ParseCondition(const FilterPath& path, std::string_view value) const;
  absl::StatusOr<Filter> ParseOperator(const FilterPath& path, const std::string& name, const JsonMember& member) const;
  absl::StatusOr<Filter> ParseSize(const FilterPath& path, std::string_view value) const;
  absl::StatusOr<FilterPath> ParsePath(std::string_view quoted) const;
  absl::StatusOr<FilterValue> ParseValue(std::string_view value) const;
  absl::StatusOr<std::vector<FilterValue>> ParseValues(std::string_view array) const;

  const std::string_view text_;
};

absl::StatusOr<std::vector<JsonMember>> FilterJsonParser::MembersOf(std::string_view object,
                                                                    std::string_view expected) const {
  if (object.front() != '{') return ErrorAt(object, "expected " + std::string(expected));
  std::vector<JsonMember> members = SplitJsonObject(object);
  std::vector<std::pair<std::string, std::string_view>> names;
  names.reserve(members.size());
  for (const JsonMember& member : members) names.emplace_back(PlainJsonString(member.name), member.name);
  std::stable_sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto twin =
      std::adjacent_find(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twin != names.end()) return ErrorAt((twin + 1)->second, "the member " + Quoted(twin->first) + " is there twice");
  return members;
}

absl::StatusOr<Filter> FilterJsonParser::ParseObject(  // NOLINT(misc-no-recursion): JSON's depth was checked
    std::string_view object, bool of_element) const {
  ASSIGN_OR_RETURN(const std::vector<JsonMember> members, MembersOf(object, "an object of conditions"));
  std::vector<Filter> conditions;
  for (const JsonMember& member : members) {
    ASSIGN_OR_RETURN(Filter condition, ParseMember(member, of_element));
    conditions.push_back(std::move(condition));
  }
  return Checked(Filter::And(std::move(conditions)), object);
}

absl::StatusOr<Filter> FilterJsonParser::ParseMember(  // NOLINT(misc-no-recursion): JSON's depth was checked
    const JsonMember& member, bool of_element) const {
  const std::string name = PlainJsonString(member.name);
  if (name == "$and" || name == "$or") {
    ASSIGN_OR_RETURN(std::vector<Filter> filters, ParseFilters(member.value, of_element));
    return Checked(name == "$and" ? Filter::And(std::move(filters)) : Filter::Or(std::move(filters)), member.name);
  }
  if (name == "$not") {
    ASSIGN_OR_RETURN(Filter child, ParseObject(member.value, of_element));
    return Checked(Filter::Not(std::move(child)), member.name);
  }
  if (name.substr(0, 1) == "$") {
    if (of_element) return ParseOperator({}, name, member);
    return ErrorAt(member.name, "found " + Quoted(name) + ", expected a field, $and, $or or $not");
  }
  ASSIGN_OR_RETURN(const FilterPath path, ParsePath(member.name));
  return ParseCondition(path, member.value);
}

absl::StatusOr<std::vector<Filter>> FilterJsonParser::ParseFilters(  // NOLINT(misc-no-recursion): as above
    std::string_view array, bool of_element) const {
  if (array.front() != '[') return ErrorAt(array, "expected an array of filters");
  std::vector<Filter> filters;
  for (const std::string_view item : SplitJsonArray(array)) {
    ASSIGN_OR_RETURN(Filter filter, ParseObject(item, of_element));
    filters.push_back(std::move(filter));
  }
  if (filters.empty()) return ErrorAt(array, "expected at least one filter");
  return filters;
}

absl::StatusOr<Filter> FilterJsonParser::ParseCondition(  // NOLINT(misc-no-recursion): JSON's depth was checked
    const FilterPath& path, std::string_view value) const {
  if (value.front() != '{') {
    ASSIGN_OR_RETURN(FilterValue literal, ParseValue(value));
    return Checked(Filter::Compare(path, Filter::Op::kEq, std::move(literal)), value);
  }
  ASSIGN_OR_RETURN(const std::vector<JsonMember> members, MembersOf(value, "an object of operators"));
  if (members.empty()) return ErrorAt(value, "expected an operator, such as $eq");
  std::vector<Filter> conditions;
  for (const JsonMember& member : members) {
    ASSIGN_OR_RETURN(Filter condition, ParseOperator(path, PlainJsonString(member.name), member));
    conditions.push_back(std::move(condition));
  }
  return Checked(Filter::And(std::move(conditions)), value);
}

absl::StatusOr<Filter> FilterJsonParser::ParseOperator(  // NOLINT(misc-no-recursion): JSON's depth was checked
    const FilterPath& path, const std::string& name, const JsonMember& member) const {
  const std::string_view value = member.value;
  if (const std::optional<Filter::Op> op = CompareOp(name)) {
    ASSIGN_OR_RETURN(FilterValue literal, ParseValue(value));
    return Checked(Filter::Compare(path, *op, std::move(literal)), value);
  }
  if (name == "$in" || name == "$nin") {
    ASSIGN_OR_RETURN(std::vector<FilterValue> values, ParseValues(value));
    return Checked(name == "$in" ? Filter::In(path, std::move(values)) : Filter::NotIn(path, std::move(values)), value);
  }
  if (name == "$contains") {
    ASSIGN_OR_RETURN(FilterValue literal, ParseValue(value));
    return Checked(Filter::Contains(path, std::move(literal)), value);
  }
  if (name == "$exists") {
    if (value != "true" && value != "false") return ErrorAt(value, "expected true or false");
    Filter exists = Filter::Exists(path);
    return Checked(value == "true" ? std::move(exists) : Filter::Not(std::move(exists)), member.name);
  }
  if (name == "$elemMatch") {
    ASSIGN_OR_RETURN(Filter child, ParseObject(value, /*of_element=*/true));
    return Checked(Filter::ElemMatch(path, std::move(child)), member.name);
  }
  if (name == "$size") return ParseSize(path, value);
  if (name == "$not") {
    if (value.front() != '{') return ErrorAt(value, "expected an object of operators");
    ASSIGN_OR_RETURN(Filter child, ParseCondition(path, value));
    return Checked(Filter::Not(std::move(child)), member.name);
  }
  return ErrorAt(member.name, "unknown operator " + Quoted(name));
}

absl::StatusOr<Filter> FilterJsonParser::ParseSize(const FilterPath& path, std::string_view value) const {
  const auto compare = [&](Filter::Op op, std::string_view number) -> absl::StatusOr<Filter> {
    uint64_t elements = 0;
    const char* end = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), end, elements);
    if (error != std::errc() || stop != end) return ErrorAt(number, "expected a whole number of at least 0");
    return Checked(Filter::Size(path, op, elements), number);
  };
  if (value.front() != '{') return compare(Filter::Op::kEq, value);
  ASSIGN_OR_RETURN(const std::vector<JsonMember> members, MembersOf(value, "a number or an object of comparisons"));
  if (members.empty()) return ErrorAt(value, "expected a comparison, such as $gte");
  std::vector<Filter> conditions;
  for (const JsonMember& member : members) {
    const std::optional<Filter::Op> op = CompareOp(PlainJsonString(member.name));
    if (!op) return ErrorAt(member.name, "expected $eq, $ne, $gt, $gte, $lt or $lte");
    ASSIGN_OR_RETURN(Filter condition, compare(*op, member.value));
    conditions.push_back(std::move(condition));
  }
  return Checked(Filter::And(std::move(conditions)), value);
}

absl::StatusOr<FilterPath> FilterJsonParser::ParsePath(std::string_view quoted) const {
  const std::string text = PlainJsonString(quoted);
  FilterPath path(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      path.emplace_back();
      continue;
    }
    if (text[i] == '\\') {
      ++i;
      const bool meant = i < text.size() && (text[i] == '.' || text[i] == '\\' || text[i] == '$');
      if (!meant) return ErrorAt(quoted, "a backslash in a field's name stands before '.', '$' or another one");
    }
    path.back() += text[i];
  }
  return path;
}

absl::StatusOr<FilterValue> FilterJsonParser::ParseValue(std::string_view value) const {
  switch (value.front()) {
    case '{':
    case '[':
      return ErrorAt(value, "expected null, true, false, a number or a string");
    case '"':
      return FilterValue(PlainJsonString(value));
    case 'n':
      return FilterValue(nullptr);
    case 't':
    case 'f':
      return FilterValue(value.front() == 't');
    default:
      break;
  }
  absl::StatusOr<FilterValue> number = ParseFilterNumber(value);
  if (!number.ok()) return ErrorAt(value, std::string(number.status().message()));
  return number;
}

absl::StatusOr<std::vector<FilterValue>> FilterJsonParser::ParseValues(std::string_view array) const {
  if (array.front() != '[') return ErrorAt(array, "expected an array");
  std::vector<FilterValue> values;
  for (const std::string_view item : SplitJsonArray(array)) {
    ASSIGN_OR_RETURN(FilterValue value, ParseValue(item));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

absl::StatusOr<Filter> Filter::ParseJson(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return InvalidArgument("filter: at offset " + std::to_string(kMaxFilterBytes) + ": expected at most " +
                           std::to_string(kMaxFilterBytes) + " bytes");
  }
  RETURN_IF_ERROR(Annotate(CheckJson(text, kMaxFilterJsonDepth), "filter"));
  return FilterJsonParser(text).Run();
}

}  // namespace varve
