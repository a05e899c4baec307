#include "wal/log_chain.h"

#include <algorithm>
#include <string>

#include "base/status.h"

namespace varve {
namespace {

absl::Status MissingLog(uint64_t number, std::string_view why, const ReplayRequest& request) {
  return DataLoss("log " + std::to_string(number) + " is missing: " + std::string(why) + ": replay starts behind " +
                  std::to_string(request.wal_sequence));
}

// True if the manifest speaks of a log newer than any that is there. Then all that is there is older than what lies in
// segments, or something is missing (DataLoss).
absl::StatusOr<bool> NewestIsGone(uint64_t newest, const ReplayRequest& request) {
  const bool durable_log_is_gone = newest == 0 || request.durable_log > newest;
  if (durable_log_is_gone && request.durable_sequence > request.wal_sequence) {
    return MissingLog(request.durable_log,
                      "the manifest states that all up to " + std::to_string(request.durable_sequence) + " is durable",
                      request);
  }
  const bool closed_log_is_gone = request.closed.has_value() && request.closed->number > newest;
  if (closed_log_is_gone && request.closed->last_sequence > request.wal_sequence) {
    return MissingLog(request.closed->number,
                      "the manifest states that it was closed at " + std::to_string(request.closed->last_sequence),
                      request);
  }
  return durable_log_is_gone || closed_log_is_gone;
}

// A durable position in a log that is neither in the chain nor older than it.
absl::Status CheckDurableLogIsInChain(const std::vector<ChainedLog>& chain, const ReplayRequest& request) {
  if (request.durable_sequence <= request.wal_sequence || request.durable_log < chain.front().file.number) {
    return absl::OkStatus();
  }
  for (const ChainedLog& log : chain) {
    if (log.file.number == request.durable_log) return absl::OkStatus();
  }
  return MissingLog(request.durable_log, "the manifest states that part of it is durable", request);
}

}  // namespace

std::vector<LogFile> NewestFirst(const ReplayRequest& request) {
  std::vector<LogFile> logs = request.logs;
  std::sort(logs.begin(), logs.end(), [](const LogFile& a, const LogFile& b) { return a.number > b.number; });
  return logs;
}

absl::StatusOr<std::unique_ptr<LogReader>> OpenLog(FileSystem* fs, const LogFile& file, const ReplayRequest& request) {
  ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader, LogReader::Open(fs, file.path));
  const LogHeader& header = reader->header();
  if (header.collection != request.collection || header.secret != request.secret) {
    return DataLossAt(file.path, 0, "log header: the log belongs to another collection");
  }
  if (header.number != file.number) {
    return DataLossAt(file.path, 0,
                      "log header: is that of log " + std::to_string(header.number) + ": expected log " +
                          std::to_string(file.number));
  }
  return reader;
}

absl::StatusOr<std::vector<ChainedLog>> FindNeededLogs(FileSystem* fs, const ReplayRequest& request) {
  const std::vector<LogFile> logs = NewestFirst(request);
  std::vector<ChainedLog> chain;
  ASSIGN_OR_RETURN(const bool newest_is_gone, NewestIsGone(logs.empty() ? 0 : logs.front().number, request));
  if (newest_is_gone) return chain;

  // Numbers fall from log to log (DecodeLogHeader sees to it), so that one pass over the files is enough.
  for (auto file = logs.begin();;) {
    ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader, OpenLog(fs, *file, request));
    const LogHeader& header = reader->header();
    chain.push_back({*file, header});
    const LogEnd& previous = header.previous;
    if (previous.number == 0 && request.wal_sequence < header.first_sequence - 1) {
      return DataLossAt(file->path, 0,
                        "log header: names no predecessor, and begins at sequence " +
                            std::to_string(header.first_sequence) + ": replay starts behind " +
                            std::to_string(request.wal_sequence));
    }
    if (previous.last_sequence <= request.wal_sequence) break;
    file = std::find_if(file, logs.end(), [&](const LogFile& log) { return log.number == previous.number; });
    if (file == logs.end()) {
      return MissingLog(previous.number, chain.back().file.path + " names it as its predecessor", request);
    }
  }
  std::reverse(chain.begin(), chain.end());
  RETURN_IF_ERROR(CheckDurableLogIsInChain(chain, request));
  return chain;
}

}  // namespace varve
