#include "cli/json_members.h"

#include <utility>

#include "base/status.h"
#include "cli/base64.h"

namespace varve::cli {

absl::StatusOr<JsonMembers> JsonMembers::Of(const JsonValue& value, std::string what) {
  const JsonValue::Object* object = value.object();
  if (object == nullptr) return InvalidArgument(what + " is not a JSON object");
  return JsonMembers(object, std::move(what));
}

const JsonValue* JsonMembers::Take(std::string_view name) {
  for (size_t i = 0; i < object_->size(); ++i) {
    if ((*object_)[i].first != name) continue;
    taken_[i] = true;
    return &(*object_)[i].second;
  }
  return nullptr;
}

absl::StatusOr<std::optional<std::string>> JsonMembers::TakeBytes(std::string_view name) {
  const std::string base64_name = std::string(name) + "_base64";
  const JsonValue* plain = Take(name);
  const JsonValue* base64 = Take(base64_name);
  if (plain != nullptr && base64 != nullptr) {
    return InvalidArgument(what_ + " has both " + Quoted(name) + " and " + Quoted(base64_name));
  }
  if (plain != nullptr) return ToString(*plain, Quoted(name));
  if (base64 == nullptr) return std::optional<std::string>();
  ASSIGN_OR_RETURN(const std::string text, ToString(*base64, Quoted(base64_name)));
  return DecodeBase64(text, Quoted(base64_name));
}

absl::Status JsonMembers::RefuseUnbuilt(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (Take(name) != nullptr) return Unimplemented(Quoted(name) + " in " + what_ + " is not built in this version");
  }
  return absl::OkStatus();
}

absl::Status JsonMembers::RefuseRest() const {
  for (size_t i = 0; i < object_->size(); ++i) {
    if (!taken_[i]) return InvalidArgument("unknown member " + Quoted((*object_)[i].first) + " in " + what_);
  }
  return absl::OkStatus();
}

}  // namespace varve::cli
