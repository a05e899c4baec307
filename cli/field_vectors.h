// Rows of a matrix file as vectors of a collection's field. Pure functions.
#ifndef VARVE_CLI_FIELD_VECTORS_H_
#define VARVE_CLI_FIELD_VECTORS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "cli/matrix_file.h"
#include "varve/record.h"
#include "varve/schema.h"

namespace varve::cli {

// The dense field called `name`, or the first one if `name` is empty. The result points into `schema`.
// Errors: InvalidArgument if there is none; Unimplemented for a field of another kind.
absl::StatusOr<const FieldSpec*> FindDenseField(const Schema& schema, const std::string& name);

// Turns rows of one file into values of one field: the bytes as they are where the file has the field's element type
// (for a field of bits: u8 rows of as many bytes as the field's vectors have), else floats. A value type.
class RowConverter {
 public:
  // Errors: InvalidArgument, naming file and field, if their dimensions differ. A file without rows fits any field.
  static absl::StatusOr<RowConverter> Make(const MatrixFile& file, const FieldSpec& field);

  VectorValue Convert(absl::Span<const std::byte> row) const;

 private:
  RowConverter(Component component, ElementType element, bool as_bytes)
      : component_(component), element_(element), as_bytes_(as_bytes) {}

  Component component_;
  ElementType element_;
  bool as_bytes_;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_FIELD_VECTORS_H_
