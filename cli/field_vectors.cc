#include "cli/field_vectors.h"

#include <optional>

#include "base/bytes.h"
#include "base/status.h"

namespace varve::cli {
namespace {

// The element type whose bytes a component's are; none for i32.
std::optional<ElementType> ElementOf(Component component) {
  switch (component) {
    case Component::kF32:
      return ElementType::kF32;
    case Component::kF16:
      return ElementType::kF16;
    case Component::kU8:
      return ElementType::kU8;
    case Component::kI8:
      return ElementType::kI8;
    case Component::kI32:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<const FieldSpec*> FindDenseField(const Schema& schema, const std::string& name) {
  const FieldSpec* field = name.empty() ? schema.DefaultDenseField() : schema.FindField(name);
  if (field == nullptr) {
    return InvalidArgument(name.empty() ? std::string("the collection has no dense field")
                                        : "the collection has no field " + Quoted(name));
  }
  if (field->kind != FieldKind::kDense) {
    return Unimplemented("field " + Quoted(field->name) + " is not dense: fields of other kinds are not built");
  }
  return field;
}

absl::StatusOr<RowConverter> RowConverter::Make(const MatrixFile& file, const FieldSpec& field) {
  const std::optional<ElementType> element = ElementOf(file.component());
  if (file.rows() == 0 || file.dimension() == field.dimension) {
    return RowConverter(file.component(), field.element, element == field.element);
  }
  if (field.element == ElementType::kBits && file.component() == Component::kU8 &&
      file.row_bytes() == field.vector_bytes()) {
    return RowConverter(file.component(), field.element, /*as_bytes=*/true);
  }
  return InvalidArgument(file.path() + ": its rows have dimension " + std::to_string(file.dimension()) + ": field " +
                         Quoted(field.name) + " has " + std::to_string(field.dimension));
}

VectorValue RowConverter::Convert(absl::Span<const std::byte> row) const {
  if (as_bytes_) return {element_, std::string(AsChars(row))};
  return {RowToFloats(row, component_)};
}

}  // namespace varve::cli
