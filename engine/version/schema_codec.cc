#include "engine/version/schema_codec.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "base/status.h"
#include "index/index_registry.h"
#include "simd/distance.h"

namespace varve {
namespace {

// The stored messages number everything as types.h does.
static_assert(pb::FLAT == static_cast<int>(IndexType::kFlat));
static_assert(pb::TURBOQUANT == static_cast<int>(CompressionType::kTurboquant));
static_assert(pb::HAMMING == static_cast<int>(Metric::kHamming));
static_assert(pb::BITS == static_cast<int>(ElementType::kBits));
static_assert(pb::TEXT == static_cast<int>(FieldKind::kText));
static_assert(pb::SyncMode::ON_FLUSH == static_cast<int>(SyncMode::Kind::kOnFlush));

template <typename Message>
Message ToMessage(auto value) {
  return static_cast<Message>(static_cast<int>(value));
}

// Field names stand in JSON, in tables for people and on command lines: UTF-8 without control characters.
bool IsNameText(std::string_view name) {
  const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  return !has_control && simdjson::validate_utf8(name.data(), name.size());
}

absl::Status CheckName(const std::string& name) {
  if (name.empty()) return InvalidArgument("a field has no name");
  if (name.size() > kMaxFieldNameBytes) {
    return InvalidArgument("field name " + Quoted(name) + ": longer than " + std::to_string(kMaxFieldNameBytes) +
                           " bytes");
  }
  if (!IsNameText(name)) {
    return InvalidArgument("field name " + Quoted(name) + ": not UTF-8 text without control characters");
  }
  return absl::OkStatus();
}

// Enumerators outside their range can come only from a cast; they must not reach a switch.
absl::Status CheckEnumerators(const FieldSpec& field, const std::string& where) {
  if (!pb::FieldKind_IsValid(static_cast<int>(field.kind)) || static_cast<int>(field.kind) == 0) {
    return InvalidArgument(where + "unknown kind " + std::to_string(static_cast<int>(field.kind)));
  }
  if (!pb::Metric_IsValid(static_cast<int>(field.metric)) || static_cast<int>(field.metric) == 0) {
    return InvalidArgument(where + "unknown metric " + std::to_string(static_cast<int>(field.metric)));
  }
  if (!pb::ElementType_IsValid(static_cast<int>(field.element)) || static_cast<int>(field.element) == 0) {
    return InvalidArgument(where + "unknown element type " + std::to_string(static_cast<int>(field.element)));
  }
  if (!pb::IndexType_IsValid(static_cast<int>(field.index.type))) {
    return InvalidArgument(where + "unknown index type " + std::to_string(static_cast<int>(field.index.type)));
  }
  if (!pb::CompressionType_IsValid(static_cast<int>(field.index.compression)) ||
      field.index.compression == CompressionType::kUnspecified) {
    return InvalidArgument(where + "unknown compression " + std::to_string(static_cast<int>(field.index.compression)));
  }
  return absl::OkStatus();
}

// Params of a field whose index IndexPolicy chooses: each must be one that some type of this build takes, so that a
// misspelt name is refused now and not ignored for ever.
absl::Status CheckAutoParams(const ParamMap& params) {
  for (const auto& [name, value] : params) {
    absl::Status first_error;
    bool accepted = false;
    for (const FieldIndexFactory* factory : AllIndexFactories()) {
      const auto& specs = factory->traits().params;
      const bool known =
          std::any_of(specs.begin(), specs.end(), [&name = name](const ParamSpec& spec) { return spec.name == name; });
      if (!known) continue;
      const absl::Status status = ResolveParams(factory->traits(), {{name, value}}).status();
      if (status.ok()) {
        accepted = true;
        break;
      }
      if (first_error.ok()) first_error = status;
    }
    if (accepted) continue;
    if (!first_error.ok()) return first_error;
    return InvalidArgument("no index type has a parameter " + Quoted(name));
  }
  return absl::OkStatus();
}

absl::Status CheckIndex(const FieldSpec& field, const std::string& where) {
  const std::string compression = pb::CompressionType_Name(ToMessage<pb::CompressionType>(field.index.compression));
  if (field.index.type == IndexType::kAuto) {
    if (field.index.compression != CompressionType::kNone) {
      return Unimplemented(where + "compression " + compression + " is not built");
    }
    return Annotate(CheckAutoParams(field.index.params), where + "index");
  }
  absl::StatusOr<const FieldIndexFactory*> factory = FindIndexFactory(field.index.type);
  if (!factory.ok()) return Annotate(factory.status(), where + "index");
  const IndexTraits& traits = (*factory)->traits();
  const std::string index = pb::IndexType_Name(ToMessage<pb::IndexType>(field.index.type));
  const auto has = [](const auto& values, auto value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  if (!has(traits.compressions, field.index.compression)) {
    return Unimplemented(where + "compression " + compression + " is not built for index " + index);
  }
  if (!has(traits.metrics, field.metric) || !has(traits.elements, field.element)) {
    return InvalidArgument(where + "index " + index + " does not take metric " +
                           pb::Metric_Name(ToMessage<pb::Metric>(field.metric)) + " with element type " +
                           pb::ElementType_Name(ToMessage<pb::ElementType>(field.element)));
  }
  return Annotate(ResolveParams(traits, field.index.params).status(), where + "index " + index);
}

absl::Status CheckField(const FieldSpec& field) {
  RETURN_IF_ERROR(CheckName(field.name));
  const std::string where = "field " + Quoted(field.name) + ": ";
  RETURN_IF_ERROR(CheckEnumerators(field, where));
  if (field.kind != FieldKind::kDense) {
    return Unimplemented(where + "kind " + pb::FieldKind_Name(ToMessage<pb::FieldKind>(field.kind)) + " is not built");
  }
  if (field.dimension == 0 || field.dimension > kMaxDimension) {
    return InvalidArgument(where + "dimension " + std::to_string(field.dimension) + " is not between 1 and " +
                           std::to_string(kMaxDimension));
  }
  if (GetDistanceFunction(field.metric, field.element) == nullptr) {
    return InvalidArgument(where + "metric " + pb::Metric_Name(ToMessage<pb::Metric>(field.metric)) +
                           " does not go with element type " +
                           pb::ElementType_Name(ToMessage<pb::ElementType>(field.element)));
  }
  return CheckIndex(field, where);
}

absl::Status CheckSyncMode(const SyncMode& sync) {
  if (!pb::SyncMode::Kind_IsValid(static_cast<int>(sync.kind))) {
    return InvalidArgument("unknown sync mode " + std::to_string(static_cast<int>(sync.kind)));
  }
  if (sync.kind == SyncMode::Kind::kEveryN && sync.n == 0) return InvalidArgument("sync mode every:N: N is 0");
  if (sync.kind == SyncMode::Kind::kInterval && sync.interval_ms == 0) {
    return InvalidArgument("sync mode interval:MS: MS is 0");
  }
  return absl::OkStatus();
}

// All but the field ids.
absl::Status CheckSchema(const Schema& schema) {
  if (schema.fields.empty()) return InvalidArgument("a schema needs at least one field");
  if (schema.fields.size() > kMaxFields) {
    return InvalidArgument("a schema has at most " + std::to_string(kMaxFields) + " fields");
  }
  std::set<std::string_view> names;
  for (const FieldSpec& field : schema.fields) {
    RETURN_IF_ERROR(CheckField(field));
    if (!names.insert(field.name).second) return InvalidArgument("field " + Quoted(field.name) + ": given twice");
  }
  return CheckSyncMode(schema.sync);
}

// One stored field. Numbers of a later build are Unimplemented by number; the rest is CheckSchema's.
absl::StatusOr<FieldSpec> DecodeField(const pb::Field& message, const std::string& where) {
  const auto unknown = [&](const char* what, int value) {
    return Unimplemented(where + "unknown " + what + " " + std::to_string(value));
  };
  if (!pb::FieldKind_IsValid(message.kind())) return unknown("kind", message.kind());
  if (!pb::Metric_IsValid(message.metric())) return unknown("metric", message.metric());
  if (!pb::ElementType_IsValid(message.element())) return unknown("element type", message.element());
  if (!pb::IndexType_IsValid(message.index())) return unknown("index type", message.index());
  if (!pb::CompressionType_IsValid(message.compression())) return unknown("compression", message.compression());

  FieldSpec field;
  field.id = message.id();
  field.name = message.name();
  field.kind = static_cast<FieldKind>(message.kind());
  field.dimension = message.dimension();
  field.metric = static_cast<Metric>(message.metric());
  field.element = static_cast<ElementType>(message.element());
  field.index.type = static_cast<IndexType>(message.index());
  field.index.compression = static_cast<CompressionType>(message.compression());
  const std::string* last = nullptr;
  for (const pb::Parameter& param : message.params()) {
    if (last != nullptr && param.name() <= *last) return DataLoss(where + "params are not sorted by name");
    last = &param.name();
    field.index.params.emplace(param.name(), param.value());
  }
  return field;
}

}  // namespace

absl::StatusOr<Schema> ValidateSchema(Schema schema) {
  RETURN_IF_ERROR(CheckSchema(schema));
  FieldId next = 1;
  for (FieldSpec& field : schema.fields) field.id = next++;
  return schema;
}

pb::Schema EncodeSchema(const Schema& schema) {
  pb::Schema message;
  FieldId largest = 0;
  for (const FieldSpec& field : schema.fields) {
    pb::Field* out = message.add_fields();
    out->set_id(field.id);
    out->set_name(field.name);
    out->set_kind(ToMessage<pb::FieldKind>(field.kind));
    out->set_dimension(field.dimension);
    out->set_metric(ToMessage<pb::Metric>(field.metric));
    out->set_element(ToMessage<pb::ElementType>(field.element));
    out->set_index(ToMessage<pb::IndexType>(field.index.type));
    out->set_compression(ToMessage<pb::CompressionType>(field.index.compression));
    for (const auto& [name, value] : field.index.params) {
      pb::Parameter* param = out->add_params();
      param->set_name(name);
      param->set_value(value);
    }
    largest = std::max(largest, field.id);
  }
  message.set_next_field_id(largest + 1);
  message.mutable_sync()->set_kind(ToMessage<pb::SyncMode::Kind>(schema.sync.kind));
  message.mutable_sync()->set_n(schema.sync.n);
  message.mutable_sync()->set_interval_ms(schema.sync.interval_ms);
  return message;
}

absl::StatusOr<Schema> DecodeSchema(const pb::Schema& message, std::string_view file) {
  const std::string where = std::string(file) + ": schema: ";
  if (static_cast<size_t>(message.fields_size()) > kMaxFields) {
    return DataLoss(where + std::to_string(message.fields_size()) + " fields, at most " + std::to_string(kMaxFields));
  }
  Schema schema;
  std::set<FieldId> ids;
  for (const pb::Field& field : message.fields()) {
    if (field.id() == 0 || field.id() >= message.next_field_id() || !ids.insert(field.id()).second) {
      return DataLoss(where + "field id " + std::to_string(field.id()) + " is 0, given twice, or not below " +
                      std::to_string(message.next_field_id()));
    }
    ASSIGN_OR_RETURN(FieldSpec decoded, DecodeField(field, where + "field " + Quoted(field.name()) + ": "));
    schema.fields.push_back(std::move(decoded));
  }
  if (!pb::SyncMode::Kind_IsValid(message.sync().kind())) {
    return Unimplemented(where + "unknown sync mode " + std::to_string(static_cast<int>(message.sync().kind())));
  }
  if (message.has_sync()) {
    schema.sync.kind = static_cast<SyncMode::Kind>(message.sync().kind());
    schema.sync.n = message.sync().n();
    schema.sync.interval_ms = message.sync().interval_ms();
  }

  // What Create would have refused, no writer has stored.
  const absl::Status checked = CheckSchema(schema);
  if (absl::IsInvalidArgument(checked)) return DataLoss(where + std::string(checked.message()));
  if (!checked.ok()) return Annotate(checked, std::string(file) + ": schema");
  return schema;
}

}  // namespace varve
