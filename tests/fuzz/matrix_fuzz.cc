// Matrix files of every format (the first byte says which): what is accepted has the bytes that it claims, and all of
// its rows can be read.
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/memory_file_system.h"
#include "base/publish.h"
#include "cli/field_vectors.h"
#include "cli/matrix_file.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace varve::fuzz {
namespace {

using cli::Component;
using cli::MatrixFile;
using cli::MatrixFormat;

constexpr MatrixFormat kFormats[] = {MatrixFormat::kFvecs, MatrixFormat::kBvecs, MatrixFormat::kIvecs,
                                     MatrixFormat::kFbin,  MatrixFormat::kU8bin, MatrixFormat::kI8bin,
                                     MatrixFormat::kNpy};

void CheckFieldVectors(const MatrixFile& file, absl::Span<const std::byte> row) {
  for (const ElementType element : {ElementType::kF32, ElementType::kF16, ElementType::kBits}) {
    FieldSpec field;
    field.name = "v";
    field.dimension = element == ElementType::kBits ? 8 * file.dimension() : file.dimension();
    field.element = element;
    field.metric = element == ElementType::kBits ? Metric::kHamming : Metric::kL2;
    const absl::StatusOr<cli::RowConverter> converter = cli::RowConverter::Make(file, field);
    if (converter.ok()) (void)converter->Convert(row);
  }
}

void RunMatrix(std::string_view bytes) {
  FuzzInput input(bytes);
  const MatrixFormat format = kFormats[input.Byte() % std::size(kFormats)];
  const std::string_view contents = input.Rest();
  const std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  FUZZ_CHECK_OK(PublishFile(fs.get(), "/m", contents));
  const absl::StatusOr<std::unique_ptr<MatrixFile>> file = MatrixFile::Open("/m", format, fs.get());
  if (!file.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(file.status()) || absl::IsUnimplemented(file.status()));
    return;
  }
  const uint64_t row_bytes = (*file)->row_bytes();
  if (row_bytes == 0) {
    FUZZ_CHECK((*file)->rows() == 0 || (*file)->dimension() == 0);
    return;
  }
  FUZZ_CHECK((*file)->rows() <= contents.size() / row_bytes);
  std::vector<std::byte> rows;
  for (uint64_t first = 0; first < (*file)->rows(); first += 100) {
    const uint64_t count = std::min<uint64_t>(100, (*file)->rows() - first);
    FUZZ_CHECK_OK((*file)->ReadRows(first, count, &rows));
    FUZZ_CHECK(rows.size() == count * row_bytes);
    const absl::Span<const std::byte> row(rows.data(), row_bytes);
    FUZZ_CHECK(cli::RowToFloats(row, (*file)->component()).size() == (*file)->dimension());
    CheckFieldVectors(**file, row);
  }
}

std::string Npy(std::string_view descr, std::string_view order, std::string_view shape, size_t data_bytes) {
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': " + std::string(order) +
                       ", 'shape': " + std::string(shape) + ", }";
  header.resize(118 - 1, ' ');
  header += '\n';
  ByteWriter writer;
  writer.Fixed(uint8_t{6});
  writer.Bytes(std::string_view("\x93NUMPY\x01\x00", 8));
  writer.Fixed(static_cast<uint16_t>(header.size()));
  writer.Bytes(header);
  writer.Zeros(data_bytes);
  return writer.Take();
}

std::vector<std::string> MatrixSeeds() {
  std::vector<std::string> seeds;
  for (uint8_t format = 0; format < 6; ++format) {
    ByteWriter writer;
    writer.Fixed(format);
    const uint32_t dimension = 3;
    const size_t bytes = format == 0 || format == 2 || format == 3 ? 12 : 3;
    if (format >= 3) {
      writer.Fixed(uint32_t{4});
      writer.Fixed(dimension);
    }
    for (int row = 0; row < 4; ++row) {
      if (format < 3) writer.Fixed(dimension);
      writer.Zeros(bytes);
    }
    seeds.push_back(writer.Take());
  }
  seeds.push_back(Npy("<f4", "False", "(4, 3)", 48));
  seeds.push_back(Npy("|u1", "False", "(2, 8)", 16));
  seeds.push_back(Npy("<f2", "False", "(0, 8)", 0));
  seeds.push_back(Npy("<i4", "True", "(2, 2)", 16));
  return seeds;
}

}  // namespace

FuzzTarget MatrixTarget() {
  FuzzTarget target{.name = "matrix", .run = RunMatrix, .seeds = MatrixSeeds};
  target.words = {
      "'descr': ", "'fortran_order': ",    "'shape': (", "'<f4'",    "'|u1'", "'<f2'", "'|i1'", "'<i4'", "True",
      "False",     "18446744073709551615", "4294967296", "\x93NUMPY"};
  return target;
}

}  // namespace varve::fuzz
