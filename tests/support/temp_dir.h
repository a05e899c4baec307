// A directory of the real file system that is removed with what it holds. It lies in memory where the system offers
// that
// (/dev/shm with room): tests make very many syncs, and what they ask is whether the right ones are made, not what a
// disk does with them. TMPDIR overrides.
#ifndef VARVE_TESTS_SUPPORT_TEMP_DIR_H_
#define VARVE_TESTS_SUPPORT_TEMP_DIR_H_

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"

namespace varve::testing {

class TempDir {
 public:
  TempDir() {
    std::string pattern = Parent() + "/varve-test-XXXXXX";
    VARVE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  static std::string Parent() {
    constexpr std::uintmax_t kRoomBytes = std::uintmax_t{2} << 30;
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space("/dev/shm", error);
    const bool use_memory = std::getenv("TMPDIR") == nullptr && !error && space.available > kRoomBytes;
    return use_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string();
  }

  std::string path_;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_TEMP_DIR_H_
