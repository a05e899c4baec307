// Reads the matrices that benchmarks take: .u8bin and .fbin files (u32 rows, u32 dimension, then the values row-major;
// little-endian).
#ifndef VARVE_BENCH_MATRIX_FILE_H_
#define VARVE_BENCH_MATRIX_FILE_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace varve::bench {

struct Matrix {
  uint32_t rows = 0;
  uint32_t dim = 0;
  std::vector<float> values;

  const float* row(size_t r) const { return values.data() + r * dim; }
};

[[noreturn]] inline void FailToRead(const std::string& path) {
  std::fprintf(stderr, "cannot read %s, or it is too short\n", path.c_str());
  std::exit(1);
}

// At most `limit` rows, as floats. Ends the program with a message if the file cannot be read.
inline Matrix ReadMatrix(const std::string& path, uint32_t limit) {
  std::ifstream file(path, std::ios::binary);
  Matrix matrix;
  uint32_t shape[2];
  if (!file.read(reinterpret_cast<char*>(shape), sizeof(shape))) FailToRead(path);
  matrix.rows = std::min(shape[0], limit);
  matrix.dim = shape[1];
  matrix.values.resize(size_t{matrix.rows} * matrix.dim);
  if (path.ends_with(".u8bin")) {
    std::vector<uint8_t> bytes(matrix.values.size());
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    std::copy(bytes.begin(), bytes.end(), matrix.values.begin());
  } else {
    file.read(reinterpret_cast<char*>(matrix.values.data()),
              static_cast<std::streamsize>(matrix.values.size() * sizeof(float)));
  }
  if (!file) FailToRead(path);
  return matrix;
}

}  // namespace varve::bench

#endif  // VARVE_BENCH_MATRIX_FILE_H_
