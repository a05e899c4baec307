// verify: the logs, each by itself and as the chain that a manifest needs.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_LOGS_H_
#define VARVE_ENGINE_ADMIN_VERIFY_LOGS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/admin/verify_run.h"
#include "engine/version/file_names.h"
#include "manifest.pb.h"

namespace varve {

// Reads every record of the logs among `entries`, then replays them as Open would for `manifest`: a torn tail is a
// warning, anything else that stops the replay is damage. Adds to *named the logs that the manifest, or `checkpoint`
// (may be null) standing in for it, needs, and the files that log entries name; *ingested are the segments that replay
// finds in the logs alone.
absl::Status VerifyLogs(VerifyRun* run, const std::vector<DirectoryEntry>& entries, const pb::Manifest& manifest,
                        const pb::Manifest* checkpoint, std::set<std::string>* named,
                        std::vector<pb::SegmentEntry>* ingested);

// One log without its collection: what cannot be told without a manifest (whether an invalid end is torn or damaged) is
// judged by what the log itself vouches for.
absl::Status VerifyLogAlone(VerifyRun* run, const std::string& name);

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_LOGS_H_
