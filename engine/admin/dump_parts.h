// dump: one function per kind of file; each writes the members of the document's object (it is open when they are
// called).
#ifndef VARVE_ENGINE_ADMIN_DUMP_PARTS_H_
#define VARVE_ENGINE_ADMIN_DUMP_PARTS_H_

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "base/json_writer.h"
#include "varve/file_system.h"

namespace varve {

absl::Status AddSegment(FileSystem* fs, const std::string& path, JsonWriter* json);
absl::Status AddBitmap(FileSystem* fs, const std::string& path, JsonWriter* json);
absl::Status AddLog(FileSystem* fs, const std::string& path, JsonWriter* json);

// A member that holds a message, with the original field names.
absl::Status AddMessage(std::string_view name, const google::protobuf::Message& message, JsonWriter* json);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_DUMP_PARTS_H_
