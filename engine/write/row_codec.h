// Rows as log payloads.
#ifndef VARVE_ENGINE_WRITE_ROW_CODEC_H_
#define VARVE_ENGINE_WRITE_ROW_CODEC_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/write/memtable.h"
#include "log.pb.h"
#include "varve/schema.h"

namespace varve {

std::string EncodeLogRow(const Schema& schema, const NewRow& row);
std::string EncodeLogDelete(std::string_view ns, std::string_view key);

// A decoded payload. `row` views into `message`.
struct DecodedLogRow {
  pb::LogRow message;
  NewRow row;
};
// Errors: DataLoss for a payload that no writer produces (its CRC was right, so this is a hostile or foreign log).
absl::StatusOr<std::unique_ptr<DecodedLogRow>> DecodeLogRow(const Schema& schema, std::string_view payload);

}  // namespace varve

#endif  // VARVE_ENGINE_WRITE_ROW_CODEC_H_
