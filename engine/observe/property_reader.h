// Answers GetProperty (varve/properties.h).
#ifndef VARVE_ENGINE_OBSERVE_PROPERTY_READER_H_
#define VARVE_ENGINE_OBSERVE_PROPERTY_READER_H_

#include <optional>
#include <string>
#include <string_view>

#include "engine/observe/collection_metrics.h"
#include "varve/stats.h"

namespace varve {

// Whether it is the name of a property.
bool IsProperty(std::string_view name);

// `collection` is the label of the metrics. Empty for a name that is no property.
std::optional<std::string> ReadProperty(std::string_view name, const CollectionStats& stats,
                                        const CollectionMetrics& metrics, std::string_view collection);

}  // namespace varve

#endif  // VARVE_ENGINE_OBSERVE_PROPERTY_READER_H_
