// The members of a JSON object from outside, taken one by one by name; whatever nobody took is unknown and refused.
// Thread-compatible.
#ifndef VARVE_CLI_JSON_MEMBERS_H_
#define VARVE_CLI_JSON_MEMBERS_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/json_value.h"

namespace varve::cli {

class JsonMembers {
 public:
  // `what` names the object in messages. The value must outlive the result.
  // Errors: InvalidArgument if it is not an object.
  static absl::StatusOr<JsonMembers> Of(const JsonValue& value, std::string what);

  // Null if there is no such member.
  const JsonValue* Take(std::string_view name);

  // The string member `name`, or the bytes of its twin `name`_base64; nothing if neither is there.
  // Errors: InvalidArgument if both are there, or the text is not of its kind.
  absl::StatusOr<std::optional<std::string>> TakeBytes(std::string_view name);

  // Unimplemented if one of `names`, which this version knows but does not build, is there.
  absl::Status RefuseUnbuilt(std::initializer_list<std::string_view> names);

  // InvalidArgument, by name, if a member was not taken.
  absl::Status RefuseRest() const;

 private:
  JsonMembers(const JsonValue::Object* object, std::string what)
      : object_(object), taken_(object->size()), what_(std::move(what)) {}

  const JsonValue::Object* object_;
  std::vector<bool> taken_;
  std::string what_;
};

}  // namespace varve::cli

#endif  // VARVE_CLI_JSON_MEMBERS_H_
