#include "engine/search/filter_program.h"

#include <simdjson.h>

#include <algorithm>
#include <compare>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/exact_number.h"
#include "base/status.h"

namespace varve {
namespace {

// Kleene's three values, in the order in which AND takes the least and OR the greatest.
enum class Truth : uint8_t { kFalse, kUnknown, kTrue };

Truth TruthOf(bool value) { return value ? Truth::kTrue : Truth::kFalse; }
Truth Negate(Truth truth) { return static_cast<Truth>(2 - static_cast<int>(truth)); }

std::optional<ExactNumber> ExactNumberOf(const simdjson::dom::element& element) {
  switch (element.type()) {
    case simdjson::dom::element_type::INT64:
      return ExactNumber(element.get_int64().value_unsafe());
    case simdjson::dom::element_type::UINT64:
      return ExactNumber(element.get_uint64().value_unsafe());
    case simdjson::dom::element_type::DOUBLE:
      return ExactNumber(element.get_double().value_unsafe());
    default:
      return std::nullopt;
  }
}

std::optional<ExactNumber> ExactNumberOf(const FilterValue& value) {
  const FilterValue::Content& content = value.content();
  if (const int64_t* number = std::get_if<int64_t>(&content)) return ExactNumber(*number);
  if (const uint64_t* number = std::get_if<uint64_t>(&content)) return ExactNumber(*number);
  if (const double* number = std::get_if<double>(&content)) return ExactNumber(*number);
  return std::nullopt;
}

std::optional<std::string_view> StringOf(const simdjson::dom::element& element) {
  if (!element.is_string()) return std::nullopt;
  return element.get_string().value_unsafe();
}

// Literals to be found again by value.
class ValueSet {
 public:
  explicit ValueSet(const std::vector<FilterValue>& values) {
    for (const FilterValue& value : values) {
      if (const std::string* text = std::get_if<std::string>(&value.content())) {
        texts_.insert(*text);
      } else if (const bool* boolean = std::get_if<bool>(&value.content())) {
        (*boolean ? has_true_ : has_false_) = true;
      } else if (const std::optional<ExactNumber> number = ExactNumberOf(value)) {
        numbers_.insert(*number);
      } else {
        has_null_ = true;
      }
    }
  }

  // Arrays and objects equal no literal.
  bool Contains(const simdjson::dom::element& element) const {
    if (const std::optional<std::string_view> text = StringOf(element)) return texts_.contains(*text);
    if (const std::optional<ExactNumber> number = ExactNumberOf(element)) return numbers_.contains(*number);
    if (element.is_bool()) return element.get_bool().value_unsafe() ? has_true_ : has_false_;
    return element.is_null() && has_null_;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  absl::flat_hash_set<std::string, TextHash, std::equal_to<>> texts_;
  absl::flat_hash_set<ExactNumber> numbers_;
  bool has_null_ = false;
  bool has_true_ = false;
  bool has_false_ = false;
};

// An expression with its literals prepared.
struct Step {
  Filter::Kind kind = Filter::Kind::kTrue;
  Filter::Op op = Filter::Op::kEq;
  FilterPath path;
  std::optional<ExactNumber> number;  // what order is compared with
  std::string text;                   // likewise, if there is no number
  std::optional<ValueSet> values;     // what equality is asked of
  std::vector<Step> children;
};

bool IsEquality(Filter::Op op) { return op == Filter::Op::kEq || op == Filter::Op::kNe; }

// Depths are limited by Filter::Check.
Step MakeStep(const Filter& filter) {  // NOLINT(misc-no-recursion)
  Step step;
  step.kind = filter.kind();
  step.op = filter.op();
  step.path = filter.path();
  const bool by_order =
      filter.kind() == Filter::Kind::kSize || (filter.kind() == Filter::Kind::kCompare && !IsEquality(filter.op()));
  if (!by_order) {
    step.values.emplace(filter.values());
  } else {
    step.number = ExactNumberOf(filter.values()[0]);
    if (!step.number) step.text = std::get<std::string>(filter.values()[0].content());
  }
  for (const Filter& child : filter.children()) step.children.push_back(MakeStep(child));
  return step;
}

Truth IsOrdered(Filter::Op op, std::strong_ordering order) {
  switch (op) {
    case Filter::Op::kEq:
      return TruthOf(std::is_eq(order));
    case Filter::Op::kNe:
      return TruthOf(std::is_neq(order));
    case Filter::Op::kLt:
      return TruthOf(std::is_lt(order));
    case Filter::Op::kLe:
      return TruthOf(std::is_lteq(order));
    case Filter::Op::kGt:
      return TruthOf(std::is_gt(order));
    case Filter::Op::kGe:
      return TruthOf(std::is_gteq(order));
  }
  return Truth::kUnknown;
}

// What the path leads to from `from`, if there is anything.
std::optional<simdjson::dom::element> Follow(const FilterPath& path, simdjson::dom::element from) {
  for (const std::string& name : path) {
    simdjson::dom::object object;
    if (from.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    if (object.at_key(name).get(from) != simdjson::SUCCESS) return std::nullopt;
  }
  return from;
}

Truth Evaluate(const Step& step, const simdjson::dom::element& root);

Truth EvaluateElements(const Step& step, const simdjson::dom::element& found) {  // NOLINT(misc-no-recursion)
  simdjson::dom::array array;
  if (found.get_array().get(array) != simdjson::SUCCESS) return Truth::kUnknown;
  if (step.kind == Filter::Kind::kSize) {
    // simdjson's own count ends at 2^24.
    uint64_t elements = 0;
    for (auto element = array.begin(); element != array.end(); ++element) ++elements;
    return IsOrdered(step.op, ExactNumber(elements) <=> *step.number);
  }
  Truth any = Truth::kFalse;
  for (const simdjson::dom::element element : array) {
    const Truth one = step.kind == Filter::Kind::kContains ? TruthOf(step.values->Contains(element))
                                                           : Evaluate(step.children[0], element);
    any = std::max(any, one);
    if (any == Truth::kTrue) break;
  }
  return any;
}

Truth EvaluateLeaf(const Step& step, const simdjson::dom::element& found) {  // NOLINT(misc-no-recursion)
  switch (step.kind) {
    case Filter::Kind::kIn:
      return TruthOf(step.values->Contains(found));
    case Filter::Kind::kNotIn:
      return TruthOf(!step.values->Contains(found));
    case Filter::Kind::kCompare:
      break;
    default:
      return EvaluateElements(step, found);
  }
  if (IsEquality(step.op)) return TruthOf(step.values->Contains(found) == (step.op == Filter::Op::kEq));
  if (step.number.has_value()) {
    const std::optional<ExactNumber> number = ExactNumberOf(found);
    return number ? IsOrdered(step.op, *number <=> *step.number) : Truth::kUnknown;
  }
  const std::optional<std::string_view> text = StringOf(found);
  return text ? IsOrdered(step.op, *text <=> std::string_view(step.text)) : Truth::kUnknown;
}

// `root` is the metadata, or the element that an ElemMatch asks. Depths are limited by Filter::Check.
Truth Evaluate(const Step& step, const simdjson::dom::element& root) {  // NOLINT(misc-no-recursion)
  switch (step.kind) {
    case Filter::Kind::kTrue:
      return Truth::kTrue;
    case Filter::Kind::kAnd: {
      Truth all = Truth::kTrue;
      for (size_t i = 0; i < step.children.size() && all != Truth::kFalse; ++i) {
        all = std::min(all, Evaluate(step.children[i], root));
      }
      return all;
    }
    case Filter::Kind::kOr: {
      Truth any = Truth::kFalse;
      for (size_t i = 0; i < step.children.size() && any != Truth::kTrue; ++i) {
        any = std::max(any, Evaluate(step.children[i], root));
      }
      return any;
    }
    case Filter::Kind::kNot:
      return Negate(Evaluate(step.children[0], root));
    default:
      break;
  }
  const std::optional<simdjson::dom::element> found = Follow(step.path, root);
  if (step.kind == Filter::Kind::kExists) return TruthOf(found.has_value());
  return found ? EvaluateLeaf(step, *found) : Truth::kUnknown;
}

class DocumentProgram final : public FilterProgram {
 public:
  explicit DocumentProgram(const Filter& filter) : step_(MakeStep(filter)) {}

  absl::StatusOr<bool> Matches(std::string_view metadata) override {
    simdjson::dom::element root;
    const std::string_view text = metadata.empty() ? std::string_view("{}") : metadata;
    if (const auto error = parser_.parse(text.data(), text.size()).get(root)) {
      const std::string what = std::string("metadata: ") + simdjson::error_message(error);
      return error == simdjson::MEMALLOC ? ResourceExhausted(what) : DataLoss(what);
    }
    if (!root.is_object()) return DataLoss("metadata: not a JSON object");
    return Evaluate(step_, root) == Truth::kTrue;
  }

 private:
  const Step step_;
  simdjson::dom::parser parser_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FilterProgram>> FilterProgram::Make(const Filter& filter) {
  RETURN_IF_ERROR(filter.Check());
  return std::make_unique<DocumentProgram>(filter);
}

}  // namespace varve
