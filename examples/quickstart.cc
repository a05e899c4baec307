// The program of the README: puts two records and finds the nearer one. Runs as a test; README.md quotes it whole.

#include <iostream>
#include <vector>

#include "varve/collection.h"

int main(int, char** argv) {
  using Vector = std::vector<float>;
  const auto schema = varve::Schema::SingleVector(/*dimension=*/3, varve::Metric::kCosine);
  auto collection = varve::Collection::Create(argv[1], schema);  // Open() finds it again
  if (!collection.ok()) return 1;

  varve::WriteBatch batch;  // all or nothing, and durable when Write returns
  batch.Put({.key = "pear", .vectors = {{"vector", Vector{0.9f, 0.1f, 0.2f}}}, .metadata = R"({"colour":"green"})"});
  batch.Put({.key = "plum", .vectors = {{"vector", Vector{0.1f, 0.8f, 0.3f}}}, .metadata = R"({"colour":"blue"})"});
  if (!(*collection)->Write(batch).ok()) return 1;

  const auto result = (*collection)->Search({.vector = Vector{1.0f, 0.0f, 0.0f}, .k = 1, .with_records = true});
  if (!result.ok()) return 1;
  for (const varve::Hit& hit : result->hits) std::cout << hit.key << " " << hit.record->metadata << "\n";
  return (*collection)->Close().ok() ? 0 : 1;
}
