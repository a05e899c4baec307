// Conditions on the metadata of records: built, parsed, printed. docs/filters.md describes the language.
//
//   year >= 2020 AND lang IN ('en', 'de') AND NOT archived
//   {"year": {"$gte": 2020}, "lang": {"$in": ["en", "de"]}, "archived": {"$not": {"$eq": true}}}
//
// A condition on a record is true, false or unknown, and is combined by Kleene's logic; a record matches only if the
// whole is true. A path that leads nowhere in the record's metadata makes every condition on it unknown, but for
// Exists. Values of different types are not equal; every other question that makes no sense for a value's type (order
// between a number and a string, the size of a number) is unknown. Numbers are compared by their exact value.
#ifndef VARVE_FILTER_H_
#define VARVE_FILTER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/types.h"

namespace varve {

// Limits of a filter. What goes beyond them is InvalidArgument.
inline constexpr size_t kMaxFilterDepth = 64;          // expressions within each other
inline constexpr size_t kMaxFilterNodes = 4'096;       // conditions, and what combines them
inline constexpr size_t kMaxFilterListItems = 10'000;  // of one In
inline constexpr size_t kMaxFilterBytes = 1u << 20;    // of a filter's text

// Member names from the outside in: {"author", "name"} is author.name. Inside ElemMatch a path begins at the element,
// and the empty path is the element itself.
using FilterPath = std::vector<std::string>;

// What metadata is compared with. A value type.
class FilterValue {
 public:
  // Numbers in one form each, so that equal values are equal forms: integers as int64_t, above its range as uint64_t;
  // a double only where the value is no 64-bit integer.
  using Content = std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string>;

  // NOLINTBEGIN(google-explicit-constructor): values are written as they are.
  FilterValue(std::nullptr_t) {}
  FilterValue(bool value) : content_(value) {}
  template <std::signed_integral T>
  FilterValue(T value) : content_(int64_t{value}) {}
  template <std::unsigned_integral T>
  FilterValue(T value) : content_(FromUnsigned(value)) {}
  FilterValue(double value) : content_(FromDouble(value)) {}
  FilterValue(std::string value) : content_(std::move(value)) {}
  FilterValue(std::string_view value) : content_(std::string(value)) {}
  FilterValue(const char* value) : content_(std::string(value)) {}
  // NOLINTEND(google-explicit-constructor)

  const Content& content() const { return content_; }
  bool is_number() const { return content_.index() >= 2 && content_.index() <= 4; }
  friend bool operator==(const FilterValue&, const FilterValue&) = default;

 private:
  static Content FromUnsigned(uint64_t value);
  static Content FromDouble(double value);

  Content content_ = nullptr;
};

// An expression: immutable, cheap to copy. A value type, safe to share between threads.
//
// What is built against the limits, or with a literal that makes no sense where it stands, carries the error
// (status()), and so does whatever is built from it; whoever takes a filter refuses it with that error.
class Filter {
 public:
  enum class Kind : uint8_t {
    kTrue,       // matches every record
    kAnd,        // of at least two children
    kOr,         // likewise
    kNot,        // of one child
    kCompare,    // path op value
    kIn,         // path equals one of the values
    kNotIn,      // the negation of kIn
    kContains,   // the array at the path has an element that equals the value
    kExists,     // there is something at the path, be it null; never unknown
    kElemMatch,  // an element of the array at the path satisfies the child, whose paths begin at the element
    kSize,       // the number of elements of the array at the path, op value
  };
  enum class Op : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };

  // Matches every record.
  Filter() = default;

  // From the SQL-like spelling; from JSON with operators ({"year":{"$gte":2020}}).
  // Errors: InvalidArgument naming the offset in bytes.
  static absl::StatusOr<Filter> Parse(std::string_view text);
  static absl::StatusOr<Filter> ParseJson(std::string_view text);

  // Of no children: And matches every record, Or none. Of one: that one.
  static Filter And(std::vector<Filter> children);
  static Filter Or(std::vector<Filter> children);
  static Filter Not(Filter child);
  // kLt, kLe, kGt and kGe take numbers (compared by value) and strings (by bytes).
  static Filter Compare(FilterPath path, Op op, FilterValue value);
  static Filter In(FilterPath path, std::vector<FilterValue> values);
  static Filter NotIn(FilterPath path, std::vector<FilterValue> values);
  static Filter Contains(FilterPath path, FilterValue value);
  static Filter Exists(FilterPath path);
  static Filter ElemMatch(FilterPath path, Filter child);
  static Filter Size(FilterPath path, Op op, uint64_t elements);

  // Whether it can be used: the error that it carries, if any; InvalidArgument where the element (the empty path) is
  // spoken of outside ElemMatch.
  absl::Status Check() const;
  // The error that it carries alone.
  const absl::Status& status() const { return node().status; }

  Kind kind() const { return node().kind; }
  Op op() const { return node().op; }                                       // kCompare, kSize
  const FilterPath& path() const { return node().path; }                    // the leaves
  const std::vector<FilterValue>& values() const { return node().values; }  // one, but for kIn and kNotIn
  const std::vector<Filter>& children() const { return node().children; }   // kAnd, kOr, kNot, kElemMatch
  size_t depth() const { return node().depth; }                             // 1: a leaf

  // The SQL-like spelling, and the JSON one, of this very expression: each parses back to an equal filter.
  std::string ToString() const;
  std::string ToJson() const;

  // Of the same form: `a AND b` is not `b AND a`.
  friend bool operator==(const Filter& a, const Filter& b);

 private:
  struct Node {
    Kind kind = Kind::kTrue;
    Op op = Op::kEq;
    FilterPath path;
    std::vector<FilterValue> values;
    std::vector<Filter> children;
    size_t depth = 1;
    size_t nodes = 1;
    bool speaks_of_element = false;  // of one that an ElemMatch around it must give
    absl::Status status;
  };

  explicit Filter(Node node);
  static Filter Leaf(Kind kind, FilterPath path, Op op, std::vector<FilterValue> values);
  static Filter Combine(Kind kind, FilterPath path, std::vector<Filter> children);
  const Node& node() const;

  std::shared_ptr<const Node> node_;  // null: kTrue
};

// "=", "!=", "<", "<=", ">", ">=".
std::string_view FilterOpName(Filter::Op op);

}  // namespace varve

#endif  // VARVE_FILTER_H_
