#include "bench/workload/workload.h"

#include <charconv>
#include <cmath>

namespace varve::churn {

std::string Workload::NamespaceOf(uint32_t key) const {
  return settings_->namespaces == 1 ? "" : "ns" + std::to_string(key % settings_->namespaces);
}

std::string Workload::NameOf(uint32_t key) { return "k" + std::to_string(key); }

std::optional<uint32_t> Workload::Find(std::string_view ns, std::string_view name) const {
  uint32_t key = 0;
  if (!name.starts_with('k')) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), key);
  if (error != std::errc() || end != name.data() + name.size() || key >= keys()) return std::nullopt;
  if (NamespaceOf(key) != ns) return std::nullopt;
  return key;
}

std::vector<float> Workload::Vector(uint32_t row) const { return {base_->row(row), base_->row(row) + base_->dim}; }

double Workload::Distance(uint32_t query, uint32_t row) const {
  const float* a = queries_->row(query);
  const float* b = base_->row(row);
  double sum = 0;
  for (uint32_t d = 0; d < base_->dim; ++d) {
    const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
    sum += difference * difference;
  }
  return sum;
}

bool Workload::Same(double a, double b) { return std::abs(a - b) <= 1e-4 * (1.0 + std::abs(a)); }

RecordInput Workload::MakeRecord(uint32_t key, uint32_t row, std::optional<int64_t> ttl_seconds) const {
  RecordInput record;
  record.ns = NamespaceOf(key);
  record.key = NameOf(key);
  record.vectors.push_back({"", VectorValue(Vector(row))});
  record.ttl_seconds = ttl_seconds;
  return record;
}

std::optional<std::string> Workload::NamespaceOfQuery(uint32_t query) const {
  if (settings_->namespaces == 1 || query % 2 == 0) return std::nullopt;
  return NamespaceOf(query / 2);
}

SearchRequest Workload::MakeSearch(uint32_t query) const {
  SearchRequest request;
  request.vector = VectorValue(std::vector<float>(queries_->row(query), queries_->row(query) + queries_->dim));
  request.k = settings_->k;
  request.params["ef"] = settings_->ef;
  request.ns = NamespaceOfQuery(query);
  return request;
}

}  // namespace varve::churn
