#include "compression/rabitq_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bytes.h"

namespace varve {
namespace {

// Bounds hold for so many standard deviations of the estimate.
constexpr float kDeviations = 2.0f;
// What rounding may add to a distance, as a part of the terms that it is made of.
constexpr double kRounding = 4e-6;
// Terms up to this size have a sum that is finite.
constexpr double kLargestTerm = 1e37;

size_t CodeBytes(size_t dimension) { return AlignUp(std::max<size_t>(dimension, 1), 64) / 4 * kSignTableBytes; }

SignBlock ViewOf(const std::byte* block, size_t code_bytes) {
  const auto* factors = reinterpret_cast<const float*>(block + code_bytes);
  return {reinterpret_cast<const uint8_t*>(block), factors, factors + kSignBlockRows, factors + 2 * kSignBlockRows};
}

double Dot(const float* a, const float* b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// vector * factor - center.
std::vector<float> Centered(const float* vector, float factor, const std::vector<float>& center) {
  std::vector<float> centered(center.size());
  for (size_t i = 0; i < centered.size(); ++i) centered[i] = vector[i] * factor - center[i];
  return centered;
}

}  // namespace

RabitqCoder::RabitqCoder(Metric metric, size_t dimension, std::vector<float> center, uint64_t seed)
    : metric_(metric), dimension_(dimension), center_(std::move(center)), rotation_(dimension, seed) {}

bool RabitqCoder::Knows(Metric metric) {
  return metric == Metric::kL2 || metric == Metric::kInnerProduct || metric == Metric::kCosine;
}

size_t RabitqCoder::BlockBytes(size_t dimension) { return CodeBytes(dimension) + 3 * kSignBlockRows * sizeof(float); }

// With y the centered vector, z the centered query, and the distance written as base + query.base - c <y, z> (c is 2
// for kL2, else 1): <y, z> is estimated as |y|^2 / sum |y'_i| * sum +-z'_i over the rotated y' and z', with a standard
// deviation of |y| |z| sqrt((1 / g^2 - 1) / (D - 1)), where g = sum |y'_i| / (sqrt(D) |y|).
RabitqCoder::Factors RabitqCoder::EncodeRow(const Input& row, size_t number, uint8_t* codes) const {
  if (row.vector == nullptr) return {std::numeric_limits<float>::infinity(), 0, 0};
  const bool cosine = metric_ == Metric::kCosine;
  const std::vector<float> centered = Centered(row.vector, cosine ? row.inverse_norm : 1.0f, center_);
  const size_t padded = rotation_.padded();
  std::vector<float> rotated(padded);
  rotation_.Apply(centered.data(), rotated.data());
  uint8_t* const bytes = codes + number % 16;
  const int shift = number < 16 ? 0 : 4;
  float absolute = 0;
  for (size_t i = 0; i < padded; i += 4) {
    int bits = 0;
    for (size_t j = 0; j < 4; ++j) {
      absolute += std::fabs(rotated[i + j]);
      bits |= (rotated[i + j] >= 0 ? 1 : 0) << j;
    }
    bytes[i / 4 * kSignTableBytes] |= static_cast<uint8_t>(bits << shift);
  }
  const double square = Dot(centered.data(), centered.data(), centered.size());
  const double base = metric_ == Metric::kInnerProduct ? -Dot(centered.data(), center_.data(), centered.size())
                      : cosine                         ? square / 2
                                                       : square;
  const double twice = metric_ == Metric::kL2 ? 2 : 1;
  double scale = 0, deviation = 0;
  if (absolute > 0) {
    const double dimensions = static_cast<double>(padded);
    const double sine = std::max(dimensions * square / (double{absolute} * double{absolute}) - 1, 0.0);
    scale = twice * square / double{absolute};
    deviation = twice * double{kDeviations} * std::sqrt(square * sine / (dimensions - 1));
  }
  if (!(square < kLargestTerm && std::fabs(base) < kLargestTerm && std::isfinite(absolute))) {
    return {-std::numeric_limits<float>::infinity(), 0, 0};  // nothing is known
  }
  return {static_cast<float>(base - std::fabs(base) * kRounding), static_cast<float>(scale),
          static_cast<float>(deviation + std::sqrt(square) * kRounding)};
}

void RabitqCoder::Encode(const std::array<Input, kSignBlockRows>& rows, std::byte* block) const {
  const size_t code_bytes = CodeBytes(dimension_);
  std::memset(block, 0, code_bytes);
  auto* factors = reinterpret_cast<float*>(block + code_bytes);
  for (size_t row = 0; row < kSignBlockRows; ++row) {
    const Factors of_row = EncodeRow(rows[row], row, reinterpret_cast<uint8_t*>(block));
    factors[row] = of_row.base;
    factors[kSignBlockRows + row] = of_row.scale;
    factors[2 * kSignBlockRows + row] = of_row.deviation;
  }
}

RabitqQuery::RabitqQuery(const RabitqCoder& coder, const float* query, float inverse_norm) {
  const bool cosine = coder.metric_ == Metric::kCosine;
  const std::vector<float> centered = Centered(query, cosine ? inverse_norm : 1.0f, coder.center_);
  const size_t padded = coder.rotation_.padded();
  std::vector<float> rotated(padded);
  coder.rotation_.Apply(centered.data(), rotated.data());
  query_.groups = padded / 4;

  // Entry n of a group is the sum of its values whose bit is set, twice, so that the sum of all signed values is that
  // of the entries less the sum of all absolute values.
  float largest = 0, absolute = 0;
  for (size_t i = 0; i < padded; i += 4) {
    float of_group = 0;
    for (size_t j = 0; j < 4; ++j) of_group += std::fabs(rotated[i + j]);
    largest = std::max(largest, 2 * of_group);
    absolute += of_group;
  }
  query_.step = largest > 0 && std::isfinite(largest) ? largest / 255 : 1;
  tables_.resize(query_.groups * kSignTableBytes);
  for (size_t g = 0; g < query_.groups; ++g) {
    for (size_t n = 0; n < kSignTableBytes; ++n) {
      float entry = 0;
      for (size_t j = 0; j < 4; ++j) {
        const float value = rotated[4 * g + j];
        if ((((n >> j) & 1) != 0) == (value >= 0)) entry += 2 * std::fabs(value);
      }
      const float units = entry / query_.step + 0.5f;
      tables_[g * kSignTableBytes + n] = static_cast<uint8_t>(units >= 0 && units < 256 ? units : 255);
    }
  }
  query_.tables = tables_.data();
  // Entries are rounded to the nearest unit: their errors have a variance of a twelfth.
  const float rounding = kDeviations * query_.step * std::sqrt(static_cast<float>(query_.groups) / 12);
  query_.offset = rounding - absolute;
  const double square = Dot(centered.data(), centered.data(), centered.size());
  const double base = coder.metric_ == Metric::kInnerProduct ? -Dot(query, coder.center_.data(), centered.size())
                      : cosine                               ? square / 2
                                                             : square;
  // Cosine and inner product are computed of the vectors themselves, which may be much longer than from the center.
  double vectors = 0;
  if (cosine) vectors = 1;
  if (coder.metric_ == Metric::kInnerProduct) {
    const std::vector<float>& center = coder.center_;
    vectors = std::sqrt(Dot(query, query, center.size()) * Dot(center.data(), center.data(), center.size()));
  }
  query_.base = static_cast<float>(base - (std::fabs(base) + vectors) * kRounding);
  query_.deviation = static_cast<float>(std::sqrt(square));
  const bool known = square < kLargestTerm && std::fabs(base) + vectors < kLargestTerm && std::isfinite(absolute);
  if (!known) query_.base = -std::numeric_limits<float>::infinity();
}

uint32_t RabitqQuery::RowsWithin(const std::byte* block, float limit) const {
  return SignRowsWithin(ViewOf(block, tables_.size()), query_, limit);
}

}  // namespace varve
