// Filters printed, in both spellings.
#include <algorithm>
#include <charconv>
#include <string>

#include "base/filter_words.h"
#include "base/json_writer.h"
#include "varve/filter.h"

namespace varve {
namespace {

// The shortest text that gives the number again, and in a form that only doubles have.
std::string DoubleText(double value) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  if (std::none_of(text, end, [](char c) { return c == '.' || c == 'e'; })) {
    end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  }
  return {text, end};
}

// With the quote doubled within.
std::string InQuotes(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) quoted.append(c == quote ? 2 : 1, c);
  return quoted + quote;
}

struct SqlValuePrinter {
  std::string operator()(std::nullptr_t) const { return "NULL"; }
  std::string operator()(bool value) const { return value ? "TRUE" : "FALSE"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(uint64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return DoubleText(value); }
  std::string operator()(const std::string& value) const { return InQuotes(value, '\''); }
};

std::string SqlValue(const FilterValue& value) { return std::visit(SqlValuePrinter{}, value.content()); }

std::string SqlPath(const FilterPath& path) {
  if (path.empty()) return "@";
  std::string text;
  for (const std::string& name : path) {
    if (!text.empty()) text += '.';
    const bool plain = !name.empty() && BeginsFilterName(name[0]) &&
                       std::all_of(name.begin(), name.end(), ContinuesFilterName) && !IsFilterWord(name);
    text += plain ? name : InQuotes(name, '"');
  }
  return text;
}

std::string SqlList(const std::vector<FilterValue>& values) {
  std::string text = "(";
  for (const FilterValue& value : values) text += (text.size() > 1 ? ", " : "") + SqlValue(value);
  return text + ")";
}

std::string Sql(const Filter& filter);

// As an operand of AND, OR or NOT.
std::string SqlOperand(const Filter& filter) {  // NOLINT(misc-no-recursion): the depth of filters is limited
  const bool combined = filter.kind() == Filter::Kind::kAnd || filter.kind() == Filter::Kind::kOr;
  return combined ? "(" + Sql(filter) + ")" : Sql(filter);
}

std::string Sql(const Filter& filter) {  // NOLINT(misc-no-recursion): the depth of filters is limited
  const std::string op(FilterOpName(filter.op()));
  switch (filter.kind()) {
    case Filter::Kind::kTrue:
      return "TRUE";
    case Filter::Kind::kAnd:
    case Filter::Kind::kOr: {
      std::string text;
      for (const Filter& child : filter.children()) {
        if (!text.empty()) text += filter.kind() == Filter::Kind::kAnd ? " AND " : " OR ";
        text += SqlOperand(child);
      }
      return text;
    }
    case Filter::Kind::kNot:
      return "NOT " + SqlOperand(filter.children()[0]);
    case Filter::Kind::kCompare:
      return SqlPath(filter.path()) + " " + op + " " + SqlValue(filter.values()[0]);
    case Filter::Kind::kIn:
      return SqlPath(filter.path()) + " IN " + SqlList(filter.values());
    case Filter::Kind::kNotIn:
      return SqlPath(filter.path()) + " NOT IN " + SqlList(filter.values());
    case Filter::Kind::kContains:
      return SqlPath(filter.path()) + " CONTAINS " + SqlValue(filter.values()[0]);
    case Filter::Kind::kExists:
      return "EXISTS(" + SqlPath(filter.path()) + ")";
    case Filter::Kind::kElemMatch:
      return "ELEMMATCH(" + SqlPath(filter.path()) + ", " + Sql(filter.children()[0]) + ")";
    case Filter::Kind::kSize:
      return "SIZE(" + SqlPath(filter.path()) + ") " + op + " " + SqlValue(filter.values()[0]);
  }
  return "";
}

void WriteJsonValue(const FilterValue& value, JsonWriter* writer) {
  if (const std::string* text = std::get_if<std::string>(&value.content())) {
    writer->String(*text);
  } else if (const bool* boolean = std::get_if<bool>(&value.content())) {
    writer->Bool(*boolean);
  } else if (value.is_number()) {
    writer->Raw(SqlValue(value));
  } else {
    writer->Null();
  }
}

// Dots within a name, and a '$' that would begin an operator, follow a backslash.
std::string JsonPath(const FilterPath& path) {
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    if (i > 0) text += '.';
    for (const char c : path[i]) {
      if (c == '.' || c == '\\' || (c == '$' && text.empty())) text += '\\';
      text += c;
    }
  }
  return text;
}

std::string_view JsonOp(Filter::Op op) {
  switch (op) {
    case Filter::Op::kEq:
      return "$eq";
    case Filter::Op::kNe:
      return "$ne";
    case Filter::Op::kLt:
      return "$lt";
    case Filter::Op::kLe:
      return "$lte";
    case Filter::Op::kGt:
      return "$gt";
    case Filter::Op::kGe:
      return "$gte";
  }
  return "";
}

void WriteJson(const Filter& filter, JsonWriter* writer);

// {"$OPERATOR": ...} without the braces.
void WriteJsonLeaf(const Filter& filter, JsonWriter* writer) {  // NOLINT(misc-no-recursion): depth is limited
  switch (filter.kind()) {
    case Filter::Kind::kIn:
    case Filter::Kind::kNotIn:
      writer->Key(filter.kind() == Filter::Kind::kIn ? "$in" : "$nin").BeginArray();
      for (const FilterValue& value : filter.values()) WriteJsonValue(value, writer);
      writer->EndArray();
      break;
    case Filter::Kind::kContains:
      WriteJsonValue(filter.values()[0], &writer->Key("$contains"));
      break;
    case Filter::Kind::kExists:
      writer->Key("$exists").Bool(true);
      break;
    case Filter::Kind::kElemMatch:
      WriteJson(filter.children()[0], &writer->Key("$elemMatch"));
      break;
    case Filter::Kind::kSize:
      writer->Key("$size").BeginObject().Key(JsonOp(filter.op())).Raw(SqlValue(filter.values()[0])).EndObject();
      break;
    default:
      WriteJsonValue(filter.values()[0], &writer->Key(JsonOp(filter.op())));
      break;
  }
}

void WriteJson(const Filter& filter, JsonWriter* writer) {  // NOLINT(misc-no-recursion): the depth is limited
  writer->BeginObject();
  switch (filter.kind()) {
    case Filter::Kind::kTrue:
      break;
    case Filter::Kind::kAnd:
    case Filter::Kind::kOr:
      writer->Key(filter.kind() == Filter::Kind::kAnd ? "$and" : "$or").BeginArray();
      for (const Filter& child : filter.children()) WriteJson(child, writer);
      writer->EndArray();
      break;
    case Filter::Kind::kNot:
      WriteJson(filter.children()[0], &writer->Key("$not"));
      break;
    default:
      if (filter.path().empty()) {
        WriteJsonLeaf(filter, writer);
      } else {
        writer->Key(JsonPath(filter.path())).BeginObject();
        WriteJsonLeaf(filter, writer);
        writer->EndObject();
      }
      break;
  }
  writer->EndObject();
}

}  // namespace

std::string Filter::ToString() const {
  if (!status().ok()) return "<" + std::string(status().message()) + ">";
  return Sql(*this);
}

std::string Filter::ToJson() const {
  JsonWriter writer;
  if (!status().ok()) {
    writer.Null();
  } else {
    WriteJson(*this, &writer);
  }
  return writer.Take();
}

}  // namespace varve
