#include "varve/filter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/exact_number.h"
#include "base/json_writer.h"
#include "base/status.h"

namespace varve {
namespace {

FilterValue::Content ContentOf(const ExactNumber& number) {
  return std::visit([](auto value) { return FilterValue::Content(value); }, number.form());
}

absl::Status CheckPath(const FilterPath& path) {
  if (path.size() > kMaxJsonDepth) {
    return InvalidArgument("a path of " + std::to_string(path.size()) + " names: expected at most " +
                           std::to_string(kMaxJsonDepth));
  }
  for (const std::string& name : path) {
    if (!IsUtf8(name)) return InvalidArgument("the name " + Quoted(name) + " is not UTF-8");
  }
  return absl::OkStatus();
}

absl::Status CheckValue(const FilterValue& value) {
  if (const double* number = std::get_if<double>(&value.content()); number != nullptr && !std::isfinite(*number)) {
    return InvalidArgument("a number that is not finite");
  }
  if (const std::string* text = std::get_if<std::string>(&value.content()); text != nullptr && !IsUtf8(*text)) {
    return InvalidArgument("the string " + Quoted(*text) + " is not UTF-8");
  }
  return absl::OkStatus();
}

bool IsOrder(Filter::Op op) { return op != Filter::Op::kEq && op != Filter::Op::kNe; }

absl::Status CheckLeaf(const FilterPath& path, Filter::Kind kind, Filter::Op op,
                       const std::vector<FilterValue>& values) {
  RETURN_IF_ERROR(CheckPath(path));
  for (const FilterValue& value : values) RETURN_IF_ERROR(CheckValue(value));
  if (kind == Filter::Kind::kCompare && IsOrder(op) && !values[0].is_number() &&
      !std::holds_alternative<std::string>(values[0].content())) {
    return InvalidArgument(std::string(FilterOpName(op)) + " takes a number or a string");
  }
  if (values.size() > kMaxFilterListItems) {
    return InvalidArgument("a list of " + std::to_string(values.size()) + " values: expected at most " +
                           std::to_string(kMaxFilterListItems));
  }
  return absl::OkStatus();
}

}  // namespace

FilterValue::Content FilterValue::FromUnsigned(uint64_t value) { return ContentOf(ExactNumber(value)); }

FilterValue::Content FilterValue::FromDouble(double value) {
  return std::isnan(value) ? Content(value) : ContentOf(ExactNumber(value));
}

Filter::Filter(Node node) : node_(std::make_shared<const Node>(std::move(node))) {}

const Filter::Node& Filter::node() const {
  static const Node* const true_node = new Node();  // never destroyed: filters of static storage may use it
  return node_ != nullptr ? *node_ : *true_node;
}

Filter Filter::Leaf(Kind kind, FilterPath path, Op op, std::vector<FilterValue> values) {
  Node node;
  node.kind = kind;
  node.op = op;
  node.status = CheckLeaf(path, kind, op, values);
  if (node.status.ok()) {
    node.speaks_of_element = path.empty();
    node.path = std::move(path);
    node.values = std::move(values);
  }
  return Filter(std::move(node));
}

// A node beyond the limits drops its children: no filter is deep enough for recursion over it to be a danger.
Filter Filter::Combine(Kind kind, FilterPath path, std::vector<Filter> children) {
  Node node;
  node.kind = kind;
  node.status = CheckPath(path);
  for (const Filter& child : children) {
    if (node.status.ok()) node.status = child.status();
    node.depth = std::max(node.depth, child.node().depth + 1);
    node.nodes = std::min(node.nodes + child.node().nodes, kMaxFilterNodes + 1);
    node.speaks_of_element |= child.node().speaks_of_element;
  }
  if (kind == Kind::kElemMatch) node.speaks_of_element = path.empty();
  if (node.status.ok() && node.depth > kMaxFilterDepth) {
    node.status = InvalidArgument("more than " + std::to_string(kMaxFilterDepth) + " expressions within each other");
  } else if (node.status.ok() && node.nodes > kMaxFilterNodes) {
    node.status = InvalidArgument("more than " + std::to_string(kMaxFilterNodes) + " conditions");
  }
  if (node.status.ok()) {
    node.path = std::move(path);
    node.children = std::move(children);
  } else {
    node.depth = 1;
    node.nodes = 1;
  }
  return Filter(std::move(node));
}

Filter Filter::And(std::vector<Filter> children) {
  if (children.empty()) return {};
  if (children.size() == 1) return std::move(children.front());
  return Combine(Kind::kAnd, {}, std::move(children));
}

Filter Filter::Or(std::vector<Filter> children) {
  if (children.empty()) return Not({});
  if (children.size() == 1) return std::move(children.front());
  return Combine(Kind::kOr, {}, std::move(children));
}

Filter Filter::Not(Filter child) {
  std::vector<Filter> children;
  children.push_back(std::move(child));
  return Combine(Kind::kNot, {}, std::move(children));
}

Filter Filter::Compare(FilterPath path, Op op, FilterValue value) {
  return Leaf(Kind::kCompare, std::move(path), op, {std::move(value)});
}

Filter Filter::In(FilterPath path, std::vector<FilterValue> values) {
  return Leaf(Kind::kIn, std::move(path), Op::kEq, std::move(values));
}

Filter Filter::NotIn(FilterPath path, std::vector<FilterValue> values) {
  return Leaf(Kind::kNotIn, std::move(path), Op::kEq, std::move(values));
}

Filter Filter::Contains(FilterPath path, FilterValue value) {
  return Leaf(Kind::kContains, std::move(path), Op::kEq, {std::move(value)});
}

Filter Filter::Exists(FilterPath path) { return Leaf(Kind::kExists, std::move(path), Op::kEq, {}); }

Filter Filter::ElemMatch(FilterPath path, Filter child) {
  std::vector<Filter> children;
  children.push_back(std::move(child));
  return Combine(Kind::kElemMatch, std::move(path), std::move(children));
}

Filter Filter::Size(FilterPath path, Op op, uint64_t elements) {
  return Leaf(Kind::kSize, std::move(path), op, {FilterValue(elements)});
}

absl::Status Filter::Check() const {
  RETURN_IF_ERROR(Annotate(status(), "filter"));
  if (node().speaks_of_element) return InvalidArgument("filter: the empty path stands only inside ElemMatch");
  return absl::OkStatus();
}

// Recursion ends: depths are limited.
bool operator==(const Filter& a, const Filter& b) {  // NOLINT(misc-no-recursion)
  const Filter::Node& x = a.node();
  const Filter::Node& y = b.node();
  return &x == &y || (x.kind == y.kind && x.op == y.op && x.path == y.path && x.values == y.values &&
                      x.status == y.status && x.children == y.children);
}

std::string_view FilterOpName(Filter::Op op) {
  switch (op) {
    case Filter::Op::kEq:
      return "=";
    case Filter::Op::kNe:
      return "!=";
    case Filter::Op::kLt:
      return "<";
    case Filter::Op::kLe:
      return "<=";
    case Filter::Op::kGt:
      return ">";
    case Filter::Op::kGe:
      return ">=";
  }
  return "?";
}

}  // namespace varve
