#include "cli/matrix_writer.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"

namespace varve::cli {
namespace {

// Of the .npy header, as NumPy writes it: magic, version 1.0 and length before the text, padded to a multiple of 64.
constexpr size_t kNpyHeaderBytes = 128;
constexpr std::string_view kNpyStart = std::string_view("\x93NUMPY\x01\x00", 8);

}  // namespace

std::string MatrixWriter::NpyHeader() const {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows_) + ", " +
                     std::to_string(dimension_) + "), }";
  const size_t text_bytes = kNpyHeaderBytes - kNpyStart.size() - sizeof(uint16_t);
  VARVE_CHECK(text.size() < text_bytes);
  text.resize(text_bytes - 1, ' ');
  text += '\n';
  ByteWriter writer;
  writer.Bytes(kNpyStart);
  writer.Fixed(static_cast<uint16_t>(text.size()));
  writer.Bytes(text);
  return writer.Take();
}

absl::Status MatrixWriter::Add(const std::vector<float>& row) {
  VARVE_CHECK(row.size() == dimension_);
  if (format_ == MatrixFormat::kNpy && rows_ == 0) RETURN_IF_ERROR(file_->Append(NpyHeader()));
  ++rows_;
  ByteWriter writer;
  if (format_ == MatrixFormat::kFvecs) writer.Fixed(static_cast<int32_t>(dimension_));
  for (const float component : row) writer.Fixed(component);
  return file_->Append(writer.str());
}

absl::Status MatrixWriter::Finish() {
  if (format_ != MatrixFormat::kNpy) return absl::OkStatus();
  return rows_ == 0 ? file_->Append(NpyHeader()) : file_->WriteAt(0, NpyHeader());
}

}  // namespace varve::cli
