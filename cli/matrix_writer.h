// Writes vectors of f32 as a matrix file that matrix_file.h, and others, read. Thread-compatible.
#ifndef VARVE_CLI_MATRIX_WRITER_H_
#define VARVE_CLI_MATRIX_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/matrix_file.h"
#include "cli/output_file.h"

namespace varve::cli {

class MatrixWriter {
 public:
  // Of the formats only kFvecs and kNpy. `file` is empty, and outlives the writer.
  MatrixWriter(MatrixFormat format, uint32_t dimension, OutputFile* file)
      : format_(format), dimension_(dimension), file_(file) {}

  // Requires: row.size() == dimension.
  absl::Status Add(const std::vector<float>& row);
  // To be called behind the last row; the file can then be published.
  absl::Status Finish();
  uint64_t rows() const { return rows_; }

 private:
  // The whole .npy header; its length does not depend on the number of rows.
  std::string NpyHeader() const;

  const MatrixFormat format_;
  const uint32_t dimension_;
  OutputFile* const file_;
  uint64_t rows_ = 0;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_MATRIX_WRITER_H_
