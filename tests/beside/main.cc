// A reading process beside a writing one: whatever it reads, refreshing, opening anew, through old snapshots or from
// backups, is of one published state, and has what was acknowledged before.
//
//   reader_beside_writer [SECONDS]        VARVE_TEST_BESIDE_SECONDS, or 10
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "tests/beside/readers.h"
#include "tests/beside/shared_progress.h"
#include "tests/beside/writer.h"
#include "tests/support/temp_dir.h"

namespace varve::testing {
namespace {

bool Run(double seconds) {
  const TempDir temp;
  const std::string directory = temp / "collection";
  const std::string backups = temp / "backups";
  // Whose threads are gone before the fork.
  if (const absl::Status created = CreateNumberedCollection(directory); !created.ok()) {
    std::fprintf(stderr, "create: %s\n", created.ToString().c_str());
    return false;
  }
  SharedProgress* const progress = SharedProgress::Make();
  std::fflush(nullptr);
  const pid_t reader = ::fork();
  if (reader < 0) {
    std::perror("fork");
    return false;
  }
  if (reader == 0) {
    const bool good = RunReaders(directory, backups, progress);
    std::fflush(nullptr);
    ::_exit(good ? 0 : 1);
  }
  const absl::Status written = RunWriter(directory, backups, seconds, progress);
  progress->stop = true;
  if (!written.ok()) std::fprintf(stderr, "writer: %s\n", written.ToString().c_str());
  int status = 0;
  const bool ended = ::waitpid(reader, &status, 0) == reader && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ended) std::fprintf(stderr, "the reading process ended with status %d\n", status);
  return written.ok() && ended;
}

}  // namespace
}  // namespace varve::testing

int main(int argc, char** argv) {
  const char* from_environment = std::getenv("VARVE_TEST_BESIDE_SECONDS");
  const char* text = argc > 1 ? argv[1] : from_environment != nullptr ? from_environment : "10";
  char* end = nullptr;
  const double seconds = std::strtod(text, &end);
  if (*text == '\0' || *end != '\0' || !(seconds > 0)) {
    std::fprintf(stderr, "usage: reader_beside_writer [SECONDS]\n");
    return 2;
  }
  const bool good = varve::testing::Run(seconds);
  std::printf("%s\n", good ? "1 passed, 0 failed" : "0 passed, 1 failed");
  return good ? 0 : 1;
}
