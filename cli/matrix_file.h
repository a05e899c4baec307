// Files that hold a matrix of numbers, one vector per row: .fvecs, .bvecs, .ivecs, .fbin, .u8bin, .i8bin and .npy.
//
// A data file is the user's own input, so whatever is wrong with it is InvalidArgument (never DataLoss, which speaks of
// the store), naming file, row and byte offset. Open checks the structure of the whole file: what the header claims is
// compared with the bytes that are there, and nothing is ever allocated by a claim.
//
// Thread-safe once open.
#ifndef VARVE_CLI_MATRIX_FILE_H_
#define VARVE_CLI_MATRIX_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/file_system.h"

namespace varve::cli {

enum class MatrixFormat : uint8_t { kFvecs, kBvecs, kIvecs, kFbin, kU8bin, kI8bin, kNpy };

// The type of one number of a file.
enum class Component : uint8_t { kF32, kF16, kU8, kI8, kI32 };

size_t ComponentBytes(Component component);
std::string_view ComponentName(Component component);

// "fvecs" and so on. Empty for an unknown name.
std::optional<MatrixFormat> ParseMatrixFormat(std::string_view name);
// By the file name's last extension.
std::optional<MatrixFormat> MatrixFormatOf(std::string_view path);

class MatrixFile {
 public:
  // Null `file_system`: the operating system's. Costs one small read, and for the .vecs formats one per row.
  static absl::StatusOr<std::unique_ptr<MatrixFile>> Open(const std::string& path, MatrixFormat format,
                                                          FileSystem* file_system = nullptr);

  const std::string& path() const { return path_; }
  Component component() const { return component_; }
  uint64_t rows() const { return rows_; }
  uint32_t dimension() const { return dimension_; }  // 0 if and only if the file has no rows and no header that says
  size_t row_bytes() const { return dimension_ * ComponentBytes(component_); }

  // Rows first .. first + count - 1, packed row-major, little-endian, into `rows`, whose old contents are replaced
  // (and are unspecified on failure). Requires: first + count <= rows().
  absl::Status ReadRows(uint64_t first, uint64_t count, std::vector<std::byte>* rows) const;

 private:
  MatrixFile(std::string path, std::unique_ptr<RandomAccessFile> file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  absl::Status OpenVecs(Component component);
  absl::Status OpenBin(Component component);
  absl::Status OpenNpy();
  // Takes the shape that a header claims, if the file has just these bytes from `data_offset` on.
  absl::Status SetShape(uint64_t rows, uint64_t dimension, uint64_t data_offset);
  absl::Status CheckDimension(int64_t dimension, uint64_t row, uint64_t offset) const;
  absl::Status EndsInside(uint64_t row) const;
  // Exactly `length` bytes at `offset`.
  absl::Status ReadExactly(uint64_t offset, size_t length, void* target) const;
  absl::Status Malformed(uint64_t offset, std::string_view what) const;

  std::string path_;
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t size_ = 0;
  Component component_ = Component::kF32;
  uint64_t rows_ = 0;
  uint32_t dimension_ = 0;
  uint64_t data_offset_ = 0;       // of the first row
  uint64_t row_header_bytes_ = 0;  // before each row: 4 for the .vecs formats
};

// The components as floats, exact but for i32 beyond 2^24. Requires: row.size() is a multiple of the component's size.
std::vector<float> RowToFloats(absl::Span<const std::byte> row, Component component);

}  // namespace varve::cli

#endif  // VARVE_CLI_MATRIX_FILE_H_
