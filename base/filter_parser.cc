// The SQL-like spelling of filters:
//
//   expression  = conjunction { OR conjunction }
//   conjunction = negation { AND negation }
//   negation    = NOT negation | "(" expression ")" | condition
//   condition   = TRUE | FALSE | EXISTS "(" path ")" | SIZE "(" path ")" compare value
//               | ELEMMATCH "(" path "," expression ")" | path [ predicate ]
//   predicate   = compare value | [NOT] IN "(" [ value { "," value } ] ")" | [NOT] CONTAINS value | IS [NOT] NULL
//   path        = "@" { "." name } | name { "." name }
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/filter_words.h"
#include "base/json_writer.h"
#include "base/status.h"
#include "varve/filter.h"

namespace varve {
namespace {

absl::Status FilterErrorAt(size_t offset, std::string_view what) {
  return InvalidArgument("filter: at offset " + std::to_string(offset) + ": " + std::string(what));
}

struct FilterToken {
  enum class Kind : uint8_t { kEnd, kName, kQuotedName, kString, kNumber, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // of names and strings without quotes
  size_t offset = 0;

  bool IsSymbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
  bool IsWord(std::string_view word) const {
    return kind == Kind::kName && absl::EqualsIgnoreCase(text, {word.data(), word.size()});
  }
  // For messages.
  std::string Shown() const { return kind == Kind::kEnd ? "the end" : Quoted(text); }
};

class FilterLexer {
 public:
  explicit FilterLexer(std::string_view text) : text_(text) {}

  absl::StatusOr<FilterToken> Next();
  // The character behind the last token and white space; 0 at the end.
  char Peek() {
    SkipSpace();
    return position_ < text_.size() ? text_[position_] : '\0';
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }
  bool DigitAt(size_t position) const {
    return position < text_.size() && text_[position] >= '0' && text_[position] <= '9';
  }
  absl::StatusOr<FilterToken> TakeQuoted(FilterToken::Kind kind);
  absl::StatusOr<FilterToken> TakeNumber();
  void SkipDigits() {
    while (DigitAt(position_)) ++position_;
  }

  const std::string_view text_;
  size_t position_ = 0;
};

absl::StatusOr<FilterToken> FilterLexer::Next() {
  SkipSpace();
  FilterToken token;
  token.offset = position_;
  if (position_ == text_.size()) return token;
  const char c = text_[position_];
  if (c == '\'') return TakeQuoted(FilterToken::Kind::kString);
  if (c == '"') return TakeQuoted(FilterToken::Kind::kQuotedName);
  if (DigitAt(position_) || (c == '-' && DigitAt(position_ + 1))) return TakeNumber();
  if (BeginsFilterName(c)) {
    while (position_ < text_.size() && ContinuesFilterName(text_[position_])) ++position_;
    token.kind = FilterToken::Kind::kName;
  } else {
    token.kind = FilterToken::Kind::kSymbol;
    const std::string_view two = text_.substr(position_, 2);
    const bool is_double = two == "<=" || two == ">=" || two == "!=" || two == "<>" || two == "==";
    if (!is_double && std::string_view("()<>=,.@").find(c) == std::string_view::npos) {
      return FilterErrorAt(position_, "unexpected character " + Quoted(std::string_view(&c, 1)));
    }
    position_ += is_double ? 2 : 1;
  }
  token.text = std::string(text_.substr(token.offset, position_ - token.offset));
  if (!IsUtf8(token.text)) return FilterErrorAt(token.offset, "a name that is not UTF-8");
  return token;
}

// The quote within is written twice.
absl::StatusOr<FilterToken> FilterLexer::TakeQuoted(FilterToken::Kind kind) {
  FilterToken token;
  token.kind = kind;
  token.offset = position_;
  const char quote = text_[position_++];
  while (true) {
    const size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) return FilterErrorAt(token.offset, "the quote is not closed");
    token.text += text_.substr(position_, end - position_);
    position_ = end + 1;
    if (position_ == text_.size() || text_[position_] != quote) break;
    token.text += quote;
    ++position_;
  }
  if (!IsUtf8(token.text)) return FilterErrorAt(token.offset, "text that is not UTF-8");
  return token;
}

// As JSON spells them.
absl::StatusOr<FilterToken> FilterLexer::TakeNumber() {
  FilterToken token;
  token.kind = FilterToken::Kind::kNumber;
  token.offset = position_;
  if (text_[position_] == '-') ++position_;
  const bool zero = text_[position_] == '0';
  const size_t first = position_;
  SkipDigits();
  bool valid = !zero || position_ == first + 1;
  if (position_ < text_.size() && text_[position_] == '.') {
    ++position_;
    valid = valid && DigitAt(position_);
    SkipDigits();
  }
  if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
    ++position_;
    if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-')) ++position_;
    valid = valid && DigitAt(position_);
    SkipDigits();
  }
  valid = valid && (position_ == text_.size() || !BeginsFilterName(text_[position_]));
  if (!valid) return FilterErrorAt(token.offset, "not a number");
  token.text = std::string(text_.substr(token.offset, position_ - token.offset));
  return token;
}

absl::StatusOr<FilterValue> NumberOf(const FilterToken& token) {
  absl::StatusOr<FilterValue> number = ParseFilterNumber(token.text);
  if (!number.ok()) return FilterErrorAt(token.offset, std::string(number.status().message()));
  return number;
}

class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : lexer_(text) {}

  absl::StatusOr<Filter> Run() {
    RETURN_IF_ERROR(Advance());
    ASSIGN_OR_RETURN(Filter filter, Expression());
    if (token_.kind != FilterToken::Kind::kEnd) return Unexpected("AND, OR or the end");
    return filter;
  }

 private:
  // Counts what is open, for the limit of nesting, while it lives.
  class Level {
   public:
    explicit Level(size_t* depth) : depth_(depth) { ++*depth_; }
    ~Level() { --*depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    size_t* depth_;
  };

  absl::Status Advance() {
    ASSIGN_OR_RETURN(token_, lexer_.Next());
    return absl::OkStatus();
  }
  absl::Status Unexpected(std::string_view expected) const {
    return FilterErrorAt(token_.offset, "found " + token_.Shown() + ", expected " + std::string(expected));
  }
  absl::Status Expect(std::string_view symbol) {
    if (!token_.IsSymbol(symbol)) return Unexpected(Quoted(symbol));
    return Advance();
  }
  // The filter, or what it was refused for.
  static absl::StatusOr<Filter> Checked(Filter filter, size_t offset) {
    if (!filter.status().ok()) return FilterErrorAt(offset, std::string(filter.status().message()));
    return filter;
  }

  absl::StatusOr<Filter> Expression() { return Sequence(&FilterParser::Conjunction, "OR", &Filter::Or); }
  absl::StatusOr<Filter> Conjunction() { return Sequence(&FilterParser::Negation, "AND", &Filter::And); }
  absl::StatusOr<Filter> Sequence(absl::StatusOr<Filter> (FilterParser::*operand)(), std::string_view word,
                                  Filter (*combine)(std::vector<Filter>));
  absl::StatusOr<Filter> Negation();
  absl::StatusOr<Filter> Condition();
  absl::StatusOr<Filter> Predicate();
  absl::StatusOr<Filter> ElemMatch();
  absl::StatusOr<Filter> Size();
  absl::StatusOr<Filter> IsNull(const FilterPath& path);
  // `negate`: NOT was read before.
  absl::StatusOr<Filter> InOrContains(FilterPath path, bool negate);
  absl::StatusOr<FilterPath> Path();
  absl::StatusOr<Filter::Op> Compare();
  absl::StatusOr<FilterValue> Value();
  absl::StatusOr<std::vector<FilterValue>> List();

  FilterLexer lexer_;
  FilterToken token_;      // the next one
  size_t depth_ = 0;       // parentheses, negations and ELEMMATCHes that are open
  size_t elements_ = 0;    // ELEMMATCHes that are open
  size_t conditions_ = 0;  // read so far
};

absl::StatusOr<Filter> FilterParser::Sequence(  // NOLINT(misc-no-recursion): the depth is limited in Negation
    absl::StatusOr<Filter> (FilterParser::*operand)(), std::string_view word, Filter (*combine)(std::vector<Filter>)) {
  const size_t offset = token_.offset;
  std::vector<Filter> operands;
  while (true) {
    ASSIGN_OR_RETURN(Filter one, (this->*operand)());
    operands.push_back(std::move(one));
    if (!token_.IsWord(word)) return Checked(combine(std::move(operands)), offset);
    RETURN_IF_ERROR(Advance());
  }
}

absl::StatusOr<Filter> FilterParser::Negation() {  // NOLINT(misc-no-recursion): the depth is limited here
  const bool negated = token_.IsWord("NOT");
  if (!negated && !token_.IsSymbol("(")) return Condition();
  const size_t offset = token_.offset;
  const Level level(&depth_);
  if (depth_ > kMaxFilterDepth) {
    return FilterErrorAt(offset, "more than " + std::to_string(kMaxFilterDepth) + " expressions within each other");
  }
  RETURN_IF_ERROR(Advance());
  if (negated) {
    ASSIGN_OR_RETURN(Filter child, Negation());
    return Checked(Filter::Not(std::move(child)), offset);
  }
  ASSIGN_OR_RETURN(Filter inner, Expression());
  RETURN_IF_ERROR(Expect(")"));
  return inner;
}

absl::StatusOr<Filter> FilterParser::Condition() {  // NOLINT(misc-no-recursion): the depth is limited in ElemMatch
  if (++conditions_ > kMaxFilterNodes) {
    return FilterErrorAt(token_.offset, "more than " + std::to_string(kMaxFilterNodes) + " conditions");
  }
  if (token_.IsWord("TRUE") || token_.IsWord("FALSE")) {
    Filter constant = token_.IsWord("TRUE") ? Filter() : Filter::Not({});
    RETURN_IF_ERROR(Advance());
    return constant;
  }
  if (token_.kind == FilterToken::Kind::kName && lexer_.Peek() == '(') {
    if (token_.IsWord("ELEMMATCH")) return ElemMatch();
    if (token_.IsWord("SIZE")) return Size();
    if (!token_.IsWord("EXISTS")) return Unexpected("EXISTS, SIZE or ELEMMATCH before \"(\"");
    RETURN_IF_ERROR(Advance());
    RETURN_IF_ERROR(Expect("("));
    const size_t offset = token_.offset;
    ASSIGN_OR_RETURN(FilterPath path, Path());
    RETURN_IF_ERROR(Expect(")"));
    return Checked(Filter::Exists(std::move(path)), offset);
  }
  return Predicate();
}

absl::StatusOr<Filter> FilterParser::Predicate() {
  const size_t offset = token_.offset;
  ASSIGN_OR_RETURN(FilterPath path, Path());
  if (token_.IsWord("NOT")) {
    RETURN_IF_ERROR(Advance());
    return InOrContains(std::move(path), /*negate=*/true);
  }
  if (token_.IsWord("IN") || token_.IsWord("CONTAINS")) return InOrContains(std::move(path), /*negate=*/false);
  if (token_.IsWord("IS")) return IsNull(path);
  const bool compares = token_.kind == FilterToken::Kind::kSymbol && (token_.text[0] == '<' || token_.text[0] == '>' ||
                                                                      token_.text[0] == '=' || token_.text[0] == '!');
  if (!compares) return Checked(Filter::Compare(std::move(path), Filter::Op::kEq, true), offset);
  ASSIGN_OR_RETURN(const Filter::Op op, Compare());
  const size_t value_offset = token_.offset;
  ASSIGN_OR_RETURN(FilterValue value, Value());
  return Checked(Filter::Compare(std::move(path), op, std::move(value)), value_offset);
}

absl::StatusOr<Filter> FilterParser::InOrContains(FilterPath path, bool negate) {
  const bool contains = token_.IsWord("CONTAINS");
  if (!contains && !token_.IsWord("IN")) return Unexpected("IN or CONTAINS");
  RETURN_IF_ERROR(Advance());
  const size_t offset = token_.offset;
  if (contains) {
    ASSIGN_OR_RETURN(FilterValue value, Value());
    Filter filter = Filter::Contains(std::move(path), std::move(value));
    return Checked(negate ? Filter::Not(std::move(filter)) : std::move(filter), offset);
  }
  ASSIGN_OR_RETURN(std::vector<FilterValue> values, List());
  return Checked(
      negate ? Filter::NotIn(std::move(path), std::move(values)) : Filter::In(std::move(path), std::move(values)),
      offset);
}

// IS NULL: null, or not there.
absl::StatusOr<Filter> FilterParser::IsNull(const FilterPath& path) {
  const size_t offset = token_.offset;
  RETURN_IF_ERROR(Advance());
  const bool negate = token_.IsWord("NOT");
  if (negate) RETURN_IF_ERROR(Advance());
  if (!token_.IsWord("NULL")) return Unexpected("NULL");
  RETURN_IF_ERROR(Advance());
  Filter filter = Filter::Or({Filter::Not(Filter::Exists(path)), Filter::Compare(path, Filter::Op::kEq, nullptr)});
  return Checked(negate ? Filter::Not(std::move(filter)) : std::move(filter), offset);
}

absl::StatusOr<Filter> FilterParser::Size() {
  const size_t offset = token_.offset;
  RETURN_IF_ERROR(Advance());
  RETURN_IF_ERROR(Expect("("));
  ASSIGN_OR_RETURN(FilterPath path, Path());
  RETURN_IF_ERROR(Expect(")"));
  ASSIGN_OR_RETURN(const Filter::Op op, Compare());
  uint64_t elements = 0;
  const char* end = token_.text.data() + token_.text.size();
  const auto [stop, error] = std::from_chars(token_.text.data(), end, elements);
  if (token_.kind != FilterToken::Kind::kNumber || error != std::errc() || stop != end) {
    return Unexpected("a whole number of at least 0");
  }
  RETURN_IF_ERROR(Advance());
  return Checked(Filter::Size(std::move(path), op, elements), offset);
}

absl::StatusOr<Filter> FilterParser::ElemMatch() {  // NOLINT(misc-no-recursion): the depth is limited here
  const size_t offset = token_.offset;
  const Level level(&depth_);
  if (depth_ > kMaxFilterDepth) {
    return FilterErrorAt(offset, "more than " + std::to_string(kMaxFilterDepth) + " expressions within each other");
  }
  RETURN_IF_ERROR(Advance());
  RETURN_IF_ERROR(Expect("("));
  ASSIGN_OR_RETURN(FilterPath path, Path());
  RETURN_IF_ERROR(Expect(","));
  ++elements_;
  ASSIGN_OR_RETURN(Filter child, Expression());
  --elements_;
  RETURN_IF_ERROR(Expect(")"));
  return Checked(Filter::ElemMatch(std::move(path), std::move(child)), offset);
}

absl::StatusOr<FilterPath> FilterParser::Path() {
  FilterPath path;
  const auto take_name = [&]() -> absl::Status {
    if (token_.kind != FilterToken::Kind::kName && token_.kind != FilterToken::Kind::kQuotedName) {
      return Unexpected("a name");
    }
    path.push_back(token_.text);
    return Advance();
  };
  if (token_.IsSymbol("@")) {
    if (elements_ == 0) return FilterErrorAt(token_.offset, "@ stands only inside ELEMMATCH");
    RETURN_IF_ERROR(Advance());
  } else if (token_.kind == FilterToken::Kind::kName && IsFilterWord(token_.text)) {
    return Unexpected("a field (in double quotes, if this is its name)");
  } else if (token_.kind == FilterToken::Kind::kString) {
    return Unexpected("a field (its name in double quotes, or none)");
  } else {
    RETURN_IF_ERROR(take_name());
  }
  while (token_.IsSymbol(".")) {
    RETURN_IF_ERROR(Advance());
    RETURN_IF_ERROR(take_name());
  }
  return path;
}

absl::StatusOr<Filter::Op> FilterParser::Compare() {
  static constexpr std::pair<std::string_view, Filter::Op> kSpellings[] = {
      {"=", Filter::Op::kEq}, {"==", Filter::Op::kEq}, {"!=", Filter::Op::kNe}, {"<>", Filter::Op::kNe},
      {"<", Filter::Op::kLt}, {"<=", Filter::Op::kLe}, {">", Filter::Op::kGt},  {">=", Filter::Op::kGe}};
  for (const auto& [spelling, op] : kSpellings) {
    if (!token_.IsSymbol(spelling)) continue;
    RETURN_IF_ERROR(Advance());
    return op;
  }
  return Unexpected("=, !=, <, <=, > or >=");
}

absl::StatusOr<FilterValue> FilterParser::Value() {
  FilterValue value = nullptr;
  if (token_.kind == FilterToken::Kind::kNumber) {
    ASSIGN_OR_RETURN(value, NumberOf(token_));
  } else if (token_.kind == FilterToken::Kind::kString) {
    value = FilterValue(token_.text);
  } else if (token_.IsWord("TRUE") || token_.IsWord("FALSE")) {
    value = FilterValue(token_.IsWord("TRUE"));
  } else if (!token_.IsWord("NULL")) {
    return Unexpected("a number, a string in single quotes, TRUE, FALSE or NULL");
  }
  RETURN_IF_ERROR(Advance());
  return value;
}

absl::StatusOr<std::vector<FilterValue>> FilterParser::List() {
  RETURN_IF_ERROR(Expect("("));
  std::vector<FilterValue> values;
  while (!token_.IsSymbol(")")) {
    if (!values.empty()) RETURN_IF_ERROR(Expect(","));
    if (values.size() == kMaxFilterListItems) {
      return FilterErrorAt(token_.offset, "a list of more than " + std::to_string(kMaxFilterListItems) + " values");
    }
    ASSIGN_OR_RETURN(FilterValue value, Value());
    values.push_back(std::move(value));
  }
  RETURN_IF_ERROR(Advance());
  return values;
}

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return FilterErrorAt(kMaxFilterBytes, "expected at most " + std::to_string(kMaxFilterBytes) + " bytes");
  }
  return FilterParser(text).Run();
}

}  // namespace varve
