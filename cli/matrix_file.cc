#include "cli/matrix_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"
#include "cli/npy_header.h"
#include "simd/distance.h"
#include "varve/types.h"

namespace varve::cli {
namespace {

struct FormatName {
  std::string_view name;
  MatrixFormat format;
};
constexpr std::array<FormatName, 7> kFormats = {{{"fvecs", MatrixFormat::kFvecs},
                                                 {"bvecs", MatrixFormat::kBvecs},
                                                 {"ivecs", MatrixFormat::kIvecs},
                                                 {"fbin", MatrixFormat::kFbin},
                                                 {"u8bin", MatrixFormat::kU8bin},
                                                 {"i8bin", MatrixFormat::kI8bin},
                                                 {"npy", MatrixFormat::kNpy}}};

constexpr uint64_t kVecsHeaderBytes = 4;
constexpr uint64_t kBinHeaderBytes = 8;

template <typename T>
void AppendFloats(absl::Span<const std::byte> row, std::vector<float>* floats) {
  for (size_t offset = 0; offset < row.size(); offset += sizeof(T)) {
    floats->push_back(static_cast<float>(LoadUnaligned<T>(row.data() + offset)));
  }
}

}  // namespace

size_t ComponentBytes(Component component) {
  switch (component) {
    case Component::kF32:
    case Component::kI32:
      return 4;
    case Component::kF16:
      return 2;
    case Component::kU8:
    case Component::kI8:
      return 1;
  }
  return 0;
}

std::string_view ComponentName(Component component) {
  static constexpr std::array<std::string_view, 5> kNames = {"f32", "f16", "u8", "i8", "i32"};
  return kNames[static_cast<size_t>(component)];
}

std::optional<MatrixFormat> ParseMatrixFormat(std::string_view name) {
  for (const FormatName& format : kFormats) {
    if (format.name == name) return format.format;
  }
  return std::nullopt;
}

std::optional<MatrixFormat> MatrixFormatOf(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return ParseMatrixFormat(path.substr(dot + 1));
}

absl::StatusOr<std::unique_ptr<MatrixFile>> MatrixFile::Open(const std::string& path, MatrixFormat format,
                                                             FileSystem* file_system) {
  FileSystem* fs = file_system != nullptr ? file_system : FileSystem::Default();
  ASSIGN_OR_RETURN(const FileInfo info, fs->Stat(path));
  if (info.is_directory) return InvalidArgument(path + ": is a directory: expected a data file");
  ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, fs->OpenForRead(path));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  auto matrix = std::unique_ptr<MatrixFile>(new MatrixFile(path, std::move(file), size));
  absl::Status status;
  switch (format) {
    case MatrixFormat::kFvecs:
      status = matrix->OpenVecs(Component::kF32);
      break;
    case MatrixFormat::kBvecs:
      status = matrix->OpenVecs(Component::kU8);
      break;
    case MatrixFormat::kIvecs:
      status = matrix->OpenVecs(Component::kI32);
      break;
    case MatrixFormat::kFbin:
      status = matrix->OpenBin(Component::kF32);
      break;
    case MatrixFormat::kU8bin:
      status = matrix->OpenBin(Component::kU8);
      break;
    case MatrixFormat::kI8bin:
      status = matrix->OpenBin(Component::kI8);
      break;
    case MatrixFormat::kNpy:
      status = matrix->OpenNpy();
      break;
  }
  RETURN_IF_ERROR(status);
  return matrix;
}

// Walks over all rows, each of which says its own dimension: the first that disagrees is a clearer finding than a size
// that is no multiple of the first row's.
absl::Status MatrixFile::OpenVecs(Component component) {
  component_ = component;
  row_header_bytes_ = kVecsHeaderBytes;
  uint64_t offset = 0;
  for (; offset < size_; ++rows_) {
    if (size_ - offset < kVecsHeaderBytes) return EndsInside(rows_);
    int32_t dimension = 0;
    RETURN_IF_ERROR(ReadExactly(offset, sizeof(dimension), &dimension));
    RETURN_IF_ERROR(CheckDimension(dimension, rows_, offset));
    if (rows_ == 0) dimension_ = static_cast<uint32_t>(dimension);
    if (static_cast<uint32_t>(dimension) != dimension_) {
      return Malformed(offset, "row " + std::to_string(rows_) + " has dimension " + std::to_string(dimension) +
                                   ", the rows before it " + std::to_string(dimension_));
    }
    if (size_ - offset - kVecsHeaderBytes < row_bytes()) return EndsInside(rows_);
    offset += kVecsHeaderBytes + row_bytes();
  }
  return absl::OkStatus();
}

absl::Status MatrixFile::OpenBin(Component component) {
  component_ = component;
  if (size_ < kBinHeaderBytes) {
    return Malformed(size_, "the file ends inside its header of 8 bytes (rows, dimension)");
  }
  std::array<uint32_t, 2> header{};
  RETURN_IF_ERROR(ReadExactly(0, sizeof(header), header.data()));
  return SetShape(header[0], header[1], kBinHeaderBytes);
}

absl::Status MatrixFile::OpenNpy() {
  std::string start(std::min<uint64_t>(size_, kMaxNpyHeaderBytes), '\0');
  RETURN_IF_ERROR(ReadExactly(0, start.size(), start.data()));
  const absl::StatusOr<NpyHeader> header = ParseNpyHeader(start);
  if (!header.ok()) return Annotate(header.status(), path_);
  if (header->fortran_order) return InvalidArgument(path_ + ": the array is in Fortran order: expected C order");
  if (header->descr == "<f4") {
    component_ = Component::kF32;
  } else if (header->descr == "<f2") {
    component_ = Component::kF16;
  } else if (header->descr == "|u1") {
    component_ = Component::kU8;
  } else if (header->descr == "|i1") {
    component_ = Component::kI8;
  } else {
    return InvalidArgument(path_ + ": the array's type is " + Quoted(header->descr) +
                           ": expected '<f4', '<f2', '|u1' or '|i1'");
  }
  return SetShape(header->rows, header->columns, header->data_offset);
}

absl::Status MatrixFile::SetShape(uint64_t rows, uint64_t dimension, uint64_t data_offset) {
  RETURN_IF_ERROR(CheckDimension(static_cast<int64_t>(std::min<uint64_t>(dimension, INT64_MAX)), 0, 0));
  dimension_ = static_cast<uint32_t>(dimension);
  data_offset_ = data_offset;
  const uint64_t rows_there = (size_ - data_offset) / row_bytes();
  if (rows_there < rows) {
    return Malformed(size_, "the file ends inside row " + std::to_string(rows_there) + ": its header says " +
                                std::to_string(rows) + " rows of dimension " + std::to_string(dimension));
  }
  const uint64_t end = data_offset + rows * row_bytes();
  if (end != size_) {
    return Malformed(end, std::to_string(size_ - end) + " bytes follow the last of the " + std::to_string(rows) +
                              " rows of dimension " + std::to_string(dimension) + " that its header says");
  }
  rows_ = rows;
  return absl::OkStatus();
}

absl::Status MatrixFile::CheckDimension(int64_t dimension, uint64_t row, uint64_t offset) const {
  if (dimension >= 1 && dimension <= int64_t{kMaxDimension}) return absl::OkStatus();
  return Malformed(offset, "row " + std::to_string(row) + " has dimension " + std::to_string(dimension) +
                               ": expected 1 to " + std::to_string(kMaxDimension));
}

absl::Status MatrixFile::EndsInside(uint64_t row) const {
  return Malformed(size_, "the file ends inside row " + std::to_string(row) +
                              (dimension_ != 0 ? " of dimension " + std::to_string(dimension_) : std::string()));
}

absl::Status MatrixFile::ReadRows(uint64_t first, uint64_t count, std::vector<std::byte>* rows) const {
  VARVE_CHECK(first <= rows_ && count <= rows_ - first);
  if (count == 0) {
    rows->clear();
    return absl::OkStatus();
  }
  const uint64_t stride = row_header_bytes_ + row_bytes();
  const uint64_t offset = data_offset_ + first * stride;
  rows->resize(count * stride);
  RETURN_IF_ERROR(ReadExactly(offset, rows->size(), rows->data()));
  if (row_header_bytes_ == 0) return absl::OkStatus();
  // Open has seen every row's dimension; the file may have been written since.
  for (uint64_t row = 0; row < count; ++row) {
    const std::byte* source = rows->data() + row * stride;
    if (LoadUnaligned<uint32_t>(source) != dimension_) {
      return Malformed(offset + row * stride,
                       "the dimension of row " + std::to_string(first + row) + " changed while the file was read");
    }
    std::memmove(rows->data() + row * row_bytes(), source + row_header_bytes_, row_bytes());
  }
  rows->resize(count * row_bytes());
  return absl::OkStatus();
}

absl::Status MatrixFile::ReadExactly(uint64_t offset, size_t length, void* target) const {
  ASSIGN_OR_RETURN(const size_t read, file_->Read(offset, length, static_cast<char*>(target)));
  if (read != length) return Malformed(offset + read, "the file became shorter while it was read");
  return absl::OkStatus();
}

absl::Status MatrixFile::Malformed(uint64_t offset, std::string_view what) const {
  return InvalidArgument(path_ + ": at offset " + std::to_string(offset) + ": " + std::string(what));
}

std::vector<float> RowToFloats(absl::Span<const std::byte> row, Component component) {
  std::vector<float> floats;
  floats.reserve(row.size() / ComponentBytes(component));
  switch (component) {
    case Component::kF32:
      AppendFloats<float>(row, &floats);
      break;
    case Component::kF16:
      for (size_t offset = 0; offset < row.size(); offset += 2) {
        floats.push_back(F32FromF16(LoadUnaligned<uint16_t>(row.data() + offset)));
      }
      break;
    case Component::kU8:
      AppendFloats<uint8_t>(row, &floats);
      break;
    case Component::kI8:
      AppendFloats<int8_t>(row, &floats);
      break;
    case Component::kI32:
      AppendFloats<int32_t>(row, &floats);
      break;
  }
  return floats;
}

}  // namespace varve::cli
