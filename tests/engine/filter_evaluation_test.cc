// Filters agree with a second evaluator that shares nothing with the first: it works on the test's own documents and
// expressions, compares numbers as long doubles, and spells documents and filters itself.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/collection_fixture.h"
#include "varve/filter.h"

namespace varve::testing {
namespace {

using ::testing::HasSubstr;

// A JSON value, or the absence of one.
struct Json {
  enum Kind { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = kNull;
  bool boolean = false;
  std::string number;  // as spelled
  std::string text;
  std::vector<Json> items;
  std::vector<std::pair<std::string, Json>> members;

  long double value() const {
    // Integers exactly, all else as the nearest double.
    if (number.find_first_of(".e") == std::string::npos) return std::stold(number);
    return static_cast<long double>(std::stod(number));
  }
};

std::string Escaped(const std::string& text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (quote == '"' && (c == '"' || c == '\\')) result += '\\';
    result += c;
    if (quote == '\'' && c == quote) result += c;
  }
  return result + quote;
}

std::string ToJsonText(const Json& json) {
  std::string text;
  switch (json.kind) {
    case Json::kNull:
      return "null";
    case Json::kBool:
      return json.boolean ? "true" : "false";
    case Json::kNumber:
      return json.number;
    case Json::kString:
      return Escaped(json.text, '"');
    case Json::kArray:
      for (const Json& item : json.items) text += (text.empty() ? "" : ",") + ToJsonText(item);
      return "[" + text + "]";
    case Json::kObject:
      for (const auto& [name, member] : json.members) {
        text += (text.empty() ? "" : ", ") + Escaped(name, '"') + ":" + ToJsonText(member);
      }
      return "{" + text + "}";
  }
  return text;
}

// An expression in the test's own words.
struct Expression {
  std::string word;  // and or not = != < <= > >= in nin contains exists any size
  std::string size_op;
  std::vector<std::string> path;  // empty: the element
  std::vector<Json> literals;
  std::vector<Expression> operands;
};

constexpr int kNo = 0;
constexpr int kMaybe = 1;
constexpr int kYes = 2;

int Ask(bool yes) { return yes ? kYes : kNo; }

bool Same(const Json& a, const Json& b) {
  if (a.kind != b.kind || a.kind == Json::kArray || a.kind == Json::kObject) return false;
  if (a.kind == Json::kNumber) return a.value() == b.value();
  return a.kind == Json::kNull || (a.kind == Json::kBool ? a.boolean == b.boolean : a.text == b.text);
}

int Order(const std::string& op, int sign) {
  if (op == "=") return Ask(sign == 0);
  if (op == "!=") return Ask(sign != 0);
  if (op == "<") return Ask(sign < 0);
  if (op == "<=") return Ask(sign <= 0);
  return Ask(op == ">" ? sign > 0 : sign >= 0);
}

template <typename T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

const Json* Walk(const Json* from, const std::vector<std::string>& path) {
  for (const std::string& name : path) {
    const auto found = std::find_if(from->members.begin(), from->members.end(),
                                    [&](const auto& member) { return member.first == name; });
    if (found == from->members.end()) return nullptr;
    from = &found->second;
  }
  return from;
}

int Judge(const Expression& e, const Json& root);

int JudgeAt(const Expression& e, const Json& at) {
  const auto among = [&](const Json& value) {
    return std::any_of(e.literals.begin(), e.literals.end(), [&](const Json& l) { return Same(l, value); });
  };
  if (e.word == "=" || e.word == "in") return Ask(among(at));
  if (e.word == "!=" || e.word == "nin") return Ask(!among(at));
  if (e.word == "contains" || e.word == "any" || e.word == "size") {
    if (at.kind != Json::kArray) return kMaybe;
    if (e.word == "size") return Order(e.size_op, Sign<long double>(at.items.size(), e.literals[0].value()));
    int best = kNo;
    for (const Json& item : at.items) {
      best = std::max(best, e.word == "contains" ? Ask(among(item)) : Judge(e.operands[0], item));
    }
    return best;
  }
  if (at.kind != e.literals[0].kind) return kMaybe;
  if (at.kind == Json::kNumber) return Order(e.word, Sign(at.value(), e.literals[0].value()));
  const auto bytes = [](const std::string& text) { return std::vector<unsigned char>(text.begin(), text.end()); };
  return Order(e.word, Sign(bytes(at.text), bytes(e.literals[0].text)));
}

int Judge(const Expression& e, const Json& root) {
  if (e.word == "not") return 2 - Judge(e.operands[0], root);
  if (e.word == "and" || e.word == "or") {
    std::vector<int> answers;
    for (const Expression& operand : e.operands) answers.push_back(Judge(operand, root));
    return e.word == "and" ? *std::min_element(answers.begin(), answers.end())
                           : *std::max_element(answers.begin(), answers.end());
  }
  const Json* at = Walk(&root, e.path);
  if (e.word == "exists") return Ask(at != nullptr);
  return at == nullptr ? kMaybe : JudgeAt(e, *at);
}

std::string SqlLiteral(const Json& json) {
  return json.kind == Json::kString ? Escaped(json.text, '\'') : ToJsonText(json);
}

std::string SqlPath(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "\"" : ".\"") + name + "\"";
  return path.empty() ? "@" : text;
}

std::string SqlText(const Expression& e) {
  const std::string path = SqlPath(e.path);
  std::string list;
  for (const Json& literal : e.literals) list += (list.empty() ? "" : ",") + SqlLiteral(literal);
  if (e.word == "not") return "not (" + SqlText(e.operands[0]) + ")";
  if (e.word == "and" || e.word == "or") {
    std::string text;
    for (const Expression& operand : e.operands) {
      text += (text.empty() ? "(" : " " + e.word + " (") + SqlText(operand) + ")";
    }
    return text;
  }
  if (e.word == "in") return path + " IN (" + list + ")";
  if (e.word == "nin") return path + " NOT IN (" + list + ")";
  if (e.word == "contains") return path + " CONTAINS " + list;
  if (e.word == "exists") return "EXISTS(" + path + ")";
  if (e.word == "any") return "ELEMMATCH(" + path + ", " + SqlText(e.operands[0]) + ")";
  if (e.word == "size") return "SIZE(" + path + ")" + e.size_op + list;
  return path + e.word + list;
}

std::string JsonOperator(const std::string& op) {
  static const std::vector<std::pair<std::string, std::string>> kNames = {
      {"=", "$eq"}, {"!=", "$ne"}, {"<", "$lt"}, {"<=", "$lte"}, {">", "$gt"}, {">=", "$gte"}};
  for (const auto& [word, name] : kNames) {
    if (word == op) return name;
  }
  return "$" + op;
}

std::string JsonText(const Expression& e) {
  std::string path;
  for (const std::string& name : e.path) path += (path.empty() ? "" : ".") + name;
  std::string list;
  for (const Json& literal : e.literals) list += (list.empty() ? "" : ",") + ToJsonText(literal);
  if (e.word == "not") return R"({"$not":)" + JsonText(e.operands[0]) + "}";
  if (e.word == "and" || e.word == "or") {
    std::string operands;
    for (const Expression& operand : e.operands) operands += (operands.empty() ? "" : ",") + JsonText(operand);
    return R"({"$)" + e.word + R"(":[)" + operands + "]}";
  }
  std::string condition = "{\"" + JsonOperator(e.word) + "\":" + list + "}";
  if (e.word == "in" || e.word == "nin") condition = "{\"$" + e.word + "\":[" + list + "]}";
  if (e.word == "exists") condition = R"({"$exists":true})";
  if (e.word == "any") condition = R"({"$elemMatch":)" + JsonText(e.operands[0]) + "}";
  if (e.word == "size") condition = R"({"$size":{")" + JsonOperator(e.size_op) + "\":" + list + "}}";
  return e.path.empty() ? condition : "{\"" + path + "\":" + condition + "}";
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  Json Scalar() {
    static const char* const kNumbers[] = {"0",
                                           "-0.0",
                                           "1",
                                           "1.0",
                                           "2",
                                           "-1",
                                           "0.5",
                                           "9007199254740992",
                                           "9007199254740993",
                                           "9007199254740992.0",
                                           "1e3",
                                           "1000",
                                           "1e300",
                                           "-2.5",
                                           "1e-3",
                                           "1e400",
                                           "9223372036854775807",
                                           "9223372036854775808",
                                           "9223372036854775808.0",
                                           "18446744073709551615",
                                           "18446744073709551616.0",
                                           "-9223372036854775808"};
    static const char* const kTexts[] = {"", "a", "b", "ab", "it's", "\"", "\\", "\xC3\xBC", "1", "true"};
    Json json;
    switch (random_.Below(6)) {
      case 0:
        break;
      case 1:
        json.kind = Json::kBool;
        json.boolean = random_.Below(2) == 0;
        break;
      case 2:
      case 3:
        json.kind = Json::kString;
        json.text = kTexts[random_.Below(10)];
        break;
      default:
        json.kind = Json::kNumber;
        do {
          json.number = kNumbers[random_.Below(22)];
        } while (json.number == "1e400");  // no metadata has it
        break;
    }
    return json;
  }
  Json Value(int depth) {
    const uint64_t kind = random_.Below(depth > 0 ? 8 : 5);
    if (kind < 5) return Scalar();
    if (kind == 5) return Object(depth - 1);
    Json json;
    json.kind = Json::kArray;
    for (uint64_t i = random_.Below(4); i > 0; --i) json.items.push_back(Value(depth - 1));
    return json;
  }
  Json Object(int depth) {
    Json json;
    json.kind = Json::kObject;
    for (const std::string& name : Names()) {
      if (random_.Below(3) != 0) json.members.emplace_back(name, Value(depth));
    }
    return json;
  }
  Expression Make(int depth, bool of_element) {
    static const char* const kWords[] = {"=",   "!=", "<",   "<=",  ">",        ">=",     "in",   "nin",
                                         "=",   "<",  "in",  ">",   "contains", "exists", "size", "any",
                                         "and", "or", "not", "and", "or",       "not"};
    Expression e;
    e.word = kWords[random_.Below(depth > 0 ? 22 : 15)];
    if (e.word == "and" || e.word == "or" || e.word == "not") {
      for (uint64_t i = e.word == "not" ? 1 : random_.Below(3) + 1; i > 0; --i) {
        e.operands.push_back(Make(depth - 1, of_element));
      }
      return e;
    }
    for (uint64_t i = random_.Below(2) + (of_element ? random_.Below(2) : 1); i > 0; --i) {
      e.path.push_back(Names()[random_.Below(Names().size())]);
    }
    if (e.word == "any") {
      e.operands.push_back(Make(depth - 1, /*of_element=*/true));
    } else if (e.word == "size") {
      static const char* const kOps[] = {"=", "!=", "<", "<=", ">", ">="};
      e.size_op = kOps[random_.Below(6)];
      e.literals.push_back({.kind = Json::kNumber, .number = std::to_string(random_.Below(4))});
    } else if (e.word != "exists") {
      for (uint64_t i = e.word == "in" || e.word == "nin" ? random_.Below(5) : 1; i > 0; --i) {
        e.literals.push_back(Scalar());
        const bool ordered = e.word[0] == '<' || e.word[0] == '>';
        while (ordered && e.literals.back().kind != Json::kNumber && e.literals.back().kind != Json::kString) {
          e.literals.back() = Scalar();
        }
      }
    }
    return e;
  }
  Random& random() { return random_; }

 private:
  static const std::vector<std::string>& Names() {
    static const std::vector<std::string> kNames = {"a", "b", "c", "not"};
    return kNames;
  }

  Random random_;
};

class FilterEvaluation : public CollectionTest {
 protected:
  // Records 0, 1, ... with these documents: part in segments, part in the memtable; some of them once had others.
  void Fill(const std::vector<Json>& documents) {
    Create();
    for (size_t i = 0; i < documents.size(); ++i) {
      RecordInput record;
      record.key = std::to_string(i);
      if (i % 7 == 3) record.metadata = R"({"a":1,"b":[1,2],"c":"a"})";
      if (i % 7 == 3) {
        ASSERT_OK(collection_->Put(record));
      }
      if (i == documents.size() / 3 || i == documents.size() / 2) {
        ASSERT_OK(collection_->Flush());
      }
      // A record without metadata is one whose object is empty.
      record.metadata = documents[i].members.empty() ? "" : ToJsonText(documents[i]);
      ASSERT_OK(collection_->Put(record));
    }
  }
  absl::StatusOr<std::set<std::string>> KeysThatMatch(const Filter& filter) {
    std::set<std::string> keys;
    ScanRequest request;
    request.filter = filter;
    request.keys_only = true;
    const absl::Status scanned = collection_->Scan(request, [&](const Record& record) {
      keys.insert(record.key);
      return true;
    });
    if (!scanned.ok()) return scanned;
    return keys;
  }
};

TEST_F(FilterEvaluation, RandomFiltersAgreeWithASecondEvaluator) {
  if (std::numeric_limits<long double>::digits < 64) GTEST_SKIP() << "long double does not hold all 64-bit integers";
  Generator generator(20);
  std::vector<Json> documents;
  for (int i = 0; i < 60; ++i) documents.push_back(generator.Object(3));
  Fill(documents);
  constexpr int kFilters = 10'000;
  std::array<uint64_t, 3> answers = {};
  for (int i = 0; i < kFilters; ++i) {
    const Expression expression = generator.Make(4, /*of_element=*/false);
    std::set<std::string> expected;
    for (size_t d = 0; d < documents.size(); ++d) {
      const int answer = Judge(expression, documents[d]);
      ++answers[static_cast<size_t>(answer)];
      if (answer == kYes) expected.insert(std::to_string(d));
    }
    ASSERT_OK_AND_ASSIGN(const Filter from_text, Filter::Parse(SqlText(expression)));
    ASSERT_OK_AND_ASSIGN(const Filter from_json, Filter::ParseJson(JsonText(expression)));
    ASSERT_EQ(from_text, from_json) << SqlText(expression) << "\n" << JsonText(expression);
    ASSERT_OK_AND_ASSIGN(const std::set<std::string> keys, KeysThatMatch(from_text));
    ASSERT_EQ(keys, expected) << SqlText(expression);
    ASSERT_OK_AND_ASSIGN(const uint64_t count, collection_->CountWhere(from_json));
    ASSERT_EQ(count, expected.size()) << JsonText(expression);
  }
  for (const uint64_t count : answers) EXPECT_GT(count, 10'000u) << "each of the three values is common";
}

TEST_F(FilterEvaluation, ThreeValuedLogicAsDocumented) {
  Create();
  const std::vector<std::pair<std::string, std::string>> records = {{"none", ""},
                                                                    {"null", R"({"x":null})"},
                                                                    {"true", R"({"x":true})"},
                                                                    {"five", R"({"x":5})"},
                                                                    {"text", R"({"x":"5"})"},
                                                                    {"list", R"({"x":[5,"a",{"y":1}]})"},
                                                                    {"empty", R"({"x":[]})"},
                                                                    {"object", R"({"x":{"y":1}})"}};
  for (const auto& [key, metadata] : records) ASSERT_OK(collection_->Put(MakeRecord(key, {1, 1, 1, 1}, metadata)));
  using Keys = std::set<std::string>;
  const std::vector<std::pair<std::string, Keys>> cases = {
      {"TRUE", {"none", "null", "true", "five", "text", "list", "empty", "object"}},
      {"FALSE", {}},
      {"x = 5", {"five"}},
      {"x != 5", {"null", "true", "text", "list", "empty", "object"}},
      {"NOT x = 5", {"null", "true", "text", "list", "empty", "object"}},
      {"x = NULL", {"null"}},
      {"x IS NULL", {"none", "null"}},
      {"x IS NOT NULL", {"true", "five", "text", "list", "empty", "object"}},
      {"x < 6", {"five"}},
      {"NOT x < 6", {}},
      {"x >= 5.0 OR x < 5", {"five"}},
      {"x > '4'", {"text"}},
      {"x", {"true"}},
      {"NOT x", {"null", "five", "text", "list", "empty", "object"}},
      {"x IN (5, NULL, 'a')", {"null", "five"}},
      {"x IN ()", {}},
      {"x NOT IN ()", {"null", "true", "five", "text", "list", "empty", "object"}},
      {"EXISTS(x)", {"null", "true", "five", "text", "list", "empty", "object"}},
      {"NOT EXISTS(x)", {"none"}},
      {"x CONTAINS 5", {"list"}},
      {"NOT x CONTAINS 5", {"empty"}},
      {"SIZE(x) = 0", {"empty"}},
      {"NOT SIZE(x) = 0", {"list"}},
      {"x.y = 1", {"object"}},
      {"EXISTS(x.y)", {"object"}},
      {"ELEMMATCH(x, y = 1)", {"list"}},
      {"ELEMMATCH(x, @ = 'a')", {"list"}},
      {"NOT ELEMMATCH(x, @ > 5)", {"empty"}},
      {"ELEMMATCH(x, NOT EXISTS(y))", {"list"}},
      // Unknown does not spoil what is decided without it.
      {"x < 6 OR EXISTS(x)", {"null", "true", "five", "text", "list", "empty", "object"}},
      {"NOT (x < 6 AND x = 7)", {"null", "true", "five", "text", "list", "empty", "object"}},
  };
  for (int round = 0; round < 2; ++round) {
    for (const auto& [text, expected] : cases) {
      ASSERT_OK_AND_ASSIGN(const Filter filter, Filter::Parse(text));
      EXPECT_EQ(KeysThatMatch(filter).value(), expected) << text;
    }
    ASSERT_OK(collection_->Flush());
  }
}

TEST_F(FilterEvaluation, FiltersWithErrorsAreRefusedEverywhere) {
  Create();
  const Filter bad = Filter::Compare({"a"}, Filter::Op::kLt, nullptr);
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter: "));
  EXPECT_THAT(collection_->CountWhere(bad), refused);
  EXPECT_THAT(collection_->DeleteWhere(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter: ")));
  EXPECT_THAT(KeysThatMatch(bad), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter: ")));
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>{1, 1, 1, 1});
  request.filter = Filter::Compare({}, Filter::Op::kEq, 1);
  EXPECT_THAT(collection_->Search(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ElemMatch")));
}

}  // namespace
}  // namespace varve::testing
