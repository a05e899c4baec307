#include "engine/version/segment_handle.h"

#include "base/status.h"
#include "index/index_registry.h"

namespace varve {

absl::StatusOr<std::shared_ptr<const SegmentHandle>> SegmentHandle::Make(std::shared_ptr<const Segment> segment,
                                                                         const Schema& schema) {
  std::shared_ptr<SegmentHandle> handle(new SegmentHandle(std::move(segment)));
  const Segment& file = *handle->segment_;
  handle->fields_.resize(schema.fields.size());
  for (size_t f = 0; f < schema.fields.size(); ++f) {
    const FieldSpec& spec = schema.fields[f];
    Field& field = handle->fields_[f];
    field.spec = &spec;
    const pb::FieldIndex* stored = file.FindField(spec.id);
    if (stored == nullptr) continue;
    if (stored->dimension() != spec.dimension) {
      return DataLoss(file.path() + ": field \"" + spec.name + "\" has dimension " +
                      std::to_string(stored->dimension()) + ", the schema says " + std::to_string(spec.dimension));
    }
    if (stored->slots() > file.rows()) {
      return DataLoss(file.path() + ": field \"" + spec.name + "\" has more vectors than the segment has rows");
    }
    field.slots = static_cast<uint32_t>(stored->slots());
    field.info = {spec.name, static_cast<IndexType>(stored->index_type()),
                  static_cast<CompressionType>(stored->compression()), stored->why()};
    if (field.slots == 0) continue;
    ASSIGN_OR_RETURN(const FieldIndexFactory* factory, FindIndexFactory(field.info.index));
    ParamMap params;
    for (const pb::Parameter& param : stored->params()) params[param.name()] = param.value();
    const VectorShape shape{spec.dimension, spec.metric, spec.element};
    ASSIGN_OR_RETURN(field.searcher, factory->Open(file.FieldSections(spec.id), shape, field.slots, params));
  }
  return std::shared_ptr<const SegmentHandle>(std::move(handle));
}

}  // namespace varve
