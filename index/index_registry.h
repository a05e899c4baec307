// The index types of this build. Thread-safe.
#ifndef VARVE_INDEX_INDEX_REGISTRY_H_
#define VARVE_INDEX_INDEX_REGISTRY_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "index/field_index.h"

namespace varve {

// Unimplemented, by name, for a type that is not built; InvalidArgument for kAuto.
absl::StatusOr<const FieldIndexFactory*> FindIndexFactory(IndexType type);

absl::Span<const FieldIndexFactory* const> AllIndexFactories();

}  // namespace varve

#endif  // VARVE_INDEX_INDEX_REGISTRY_H_
