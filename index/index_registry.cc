#include "index/index_registry.h"

#include <string>

#include "base/status.h"
#include "index/flat/flat_index.h"
#include "index/hnsw/hnsw_index.h"

namespace varve {

absl::Span<const FieldIndexFactory* const> AllIndexFactories() {
  static const FlatIndexFactory flat;
  static const HnswIndexFactory hnsw;
  static const FieldIndexFactory* const factories[] = {&flat, &hnsw};
  return factories;
}

absl::StatusOr<const FieldIndexFactory*> FindIndexFactory(IndexType type) {
  if (type == IndexType::kAuto) return InvalidArgument("index type AUTO names no index: a policy chooses one");
  for (const FieldIndexFactory* factory : AllIndexFactories()) {
    if (factory->traits().type == type) return factory;
  }
  return Unimplemented("index type " + std::string(IndexTypeName(type)) + " is not built");
}

}  // namespace varve
