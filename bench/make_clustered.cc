// Makes a synthetic data set: points around random centres, each cluster with a spread of its own, as .fbin files (u32
// rows, u32 dimension, then f32 values row-major; little-endian). The same arguments give the same data.
//
//   make_clustered BASE.fbin QUERIES.fbin ROWS DIMENSION QUERIES SEED
//
// Queries are drawn from the same distribution as the rows, and are not among them.
#include <bit>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "bench/clustered.h"

namespace {

void PutU32(std::ofstream* file, uint32_t value) {
  const char bytes[4] = {static_cast<char>(value & 0xFF), static_cast<char>((value >> 8) & 0xFF),
                         static_cast<char>((value >> 16) & 0xFF), static_cast<char>(value >> 24)};
  file->write(bytes, sizeof(bytes));
}

bool WriteFile(const char* path, uint32_t rows, const varve::bench::Clusters& clusters, varve::Random* random) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  PutU32(&file, rows);
  PutU32(&file, clusters.dimension);
  std::vector<float> point(clusters.dimension);
  for (uint32_t row = 0; row < rows; ++row) {
    clusters.Draw(random, &point);
    for (float value : point) PutU32(&file, std::bit_cast<uint32_t>(value));
  }
  file.close();
  if (!file.good()) std::cerr << "make_clustered: cannot write " << path << "\n";
  return file.good();
}

bool ParseNumber(std::string_view text, uint64_t min, uint64_t max, uint64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && *value >= min && *value <= max;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t rows = 0;
  uint64_t dimension = 0;
  uint64_t queries = 0;
  uint64_t seed = 0;
  if (argc != 7 || !ParseNumber(argv[3], 1, 0xFFFFFFFE, &rows) || !ParseNumber(argv[4], 1, 65'535, &dimension) ||
      !ParseNumber(argv[5], 1, 0xFFFFFFFE, &queries) || !ParseNumber(argv[6], 0, ~uint64_t{0}, &seed)) {
    std::cerr << "usage: make_clustered BASE.fbin QUERIES.fbin ROWS DIMENSION QUERIES SEED\n";
    return 2;
  }
  varve::Random random(seed);
  const auto clusters =
      varve::bench::Clusters::ForRows(static_cast<uint32_t>(rows), static_cast<uint32_t>(dimension), &random);
  const bool written = WriteFile(argv[1], static_cast<uint32_t>(rows), clusters, &random) &&
                       WriteFile(argv[2], static_cast<uint32_t>(queries), clusters, &random);
  return written ? 0 : 1;
}
