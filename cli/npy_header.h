// The header of NumPy's .npy files. A pure function.
//
// Format: numpy.lib.format, versions 1.0 to 3.0: magic, version, header length, then a Python dictionary as text.
#ifndef VARVE_CLI_NPY_HEADER_H_
#define VARVE_CLI_NPY_HEADER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve::cli {

struct NpyHeader {
  std::string descr;  // "<f4", "|u1" ...
  bool fortran_order = false;
  uint64_t rows = 0;
  uint64_t columns = 0;
  uint64_t data_offset = 0;
};

// A header is at most this long; longer ones are refused (NumPy writes 128 bytes).
inline constexpr size_t kMaxNpyHeaderBytes = 4096;

// `file_start`: the file's first bytes, kMaxNpyHeaderBytes of them or all there are.
// Errors: InvalidArgument if it is no .npy header or not of a matrix (two dimensions).
absl::StatusOr<NpyHeader> ParseNpyHeader(std::string_view file_start);

}  // namespace varve::cli

#endif  // VARVE_CLI_NPY_HEADER_H_
