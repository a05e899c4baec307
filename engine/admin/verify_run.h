// What the parts of verify share: the report that they fill, and how a failed read becomes an entry in it.
// Thread-compatible.
#ifndef VARVE_ENGINE_ADMIN_VERIFY_RUN_H_
#define VARVE_ENGINE_ADMIN_VERIFY_RUN_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "engine/admin/verify.h"
#include "varve/file_system.h"

namespace varve {

class VerifyRun {
 public:
  // `directory` is the collection's; empty if a single file is verified (names are then paths). `live`: a writer holds
  // the collection, so that files which no manifest names may vanish, the newest log may grow, and Aborted is to be
  // answered by another run.
  VerifyRun(FileSystem* fs, std::string directory, bool deep, bool live)
      : fs_(fs), directory_(std::move(directory)), deep_(deep), live_(live) {}

  FileSystem* fs() const { return fs_; }
  const std::string& directory() const { return directory_; }
  bool deep() const { return deep_; }
  bool live() const { return live_; }
  std::string PathOf(std::string_view name) const;
  // The generation that is being verified; 0 until it is known.
  void set_generation(uint64_t generation) { generation_ = generation; }
  // Whether a live writer has published another generation meanwhile: files of the old one may then be gone.
  bool HasMovedOn() const;

  // The same damage found twice, by two readers of a file, is one entry.
  void AddDamage(std::string_view file, uint64_t offset, std::string_view section, std::string_view what);
  void AddWarning(std::string_view file, std::string_view what);
  // Turns what is wrong with a file (damaged, missing, or of a version that this build did not write) into an entry,
  // with the offset that the message names. Any other failure comes back: it says nothing of the file. A missing file
  // of a writer that has moved on is Aborted.
  absl::Status AddStatus(std::string_view file, const absl::Status& status);
  // Counts a file that is being verified. A missing or unreadable file counts nothing; the reader that follows says so.
  void CountFile(std::string_view name);

  uint64_t damage_count() const { return report_.damage.size(); }
  VerifyReport Take() { return std::move(report_); }

 private:
  FileSystem* const fs_;
  const std::string directory_;
  const bool deep_;
  const bool live_;
  uint64_t generation_ = 0;
  VerifyReport report_;
  std::set<std::tuple<std::string, uint64_t, std::string>> seen_;  // file, offset, what
};

}  // namespace varve

#endif  // VARVE_ENGINE_ADMIN_VERIFY_RUN_H_
