#include "cli/exact_distance.h"

#include <cmath>

#include "base/check.h"

namespace varve::cli {
namespace {

double Dot(absl::Span<const float> a, absl::Span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

double CosineDistance(absl::Span<const float> a, absl::Span<const float> b) {
  const double norms = std::sqrt(Dot(a, a)) * std::sqrt(Dot(b, b));
  return norms > 0 ? 1 - Dot(a, b) / norms : 1;
}

// Sums term(a[i] - b[i]).
template <typename Term>
double SumOfDifferences(absl::Span<const float> a, absl::Span<const float> b, Term term) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += term(double{a[i]} - double{b[i]});
  return sum;
}

}  // namespace

double ExactDistance(Metric metric, absl::Span<const float> a, absl::Span<const float> b) {
  VARVE_CHECK(a.size() == b.size());
  switch (metric) {
    case Metric::kL2:
      return SumOfDifferences(a, b, [](double d) { return d * d; });
    case Metric::kInnerProduct:
      return -Dot(a, b);
    case Metric::kCosine:
      return CosineDistance(a, b);
    case Metric::kL1:
      return SumOfDifferences(a, b, [](double d) { return std::abs(d); });
    case Metric::kHamming:
      return SumOfDifferences(a, b, [](double d) { return d != 0 ? 1 : 0; });
  }
  return 0;
}

}  // namespace varve::cli
