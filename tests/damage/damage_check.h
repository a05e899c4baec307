// What must come of a damaged file: verify finds it, and whoever reads it gets the right answers or a DataLoss that
// names the file; never a crash, a wrong answer, fewer answers, a new collection over the damaged one, or an allocation
// out of proportion. Thread-compatible.
#ifndef VARVE_TESTS_DAMAGE_DAMAGE_CHECK_H_
#define VARVE_TESTS_DAMAGE_DAMAGE_CHECK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/admin/verify.h"
#include "manifest.pb.h"
#include "tests/damage/corpus.h"
#include "tests/damage/mutation.h"

namespace varve::testing {

// What came of the mutants.
struct DamageCounts {
  uint64_t alone = 0;       // files looked at by themselves
  uint64_t whole = 0;       // collections opened
  uint64_t same = 0;        // the mutation changed nothing
  uint64_t refused = 0;     // readings that ended with DataLoss
  uint64_t right = 0;       // readings with the right answers all the same
  uint64_t shorter = 0;     // openings that dropped a tail which nothing vouched for, and said so
  uint64_t peak_bytes = 0;  // the most that was allocated at a time for one mutant
};

class DamageCheck {
 public:
  // Both must outlive it; `twin` is of the same cell and another uuid.
  DamageCheck(const Corpus& corpus, const Corpus& twin, DamageCounts* counts);

  // The file by itself: its reader, verify, dump. Empty if all is well, else what is not. Requires: IsOfBytes.
  std::string CheckFile(const std::string& file, const Mutation& mutation);
  // Verify alone: of the file, or of a log in its collection.
  std::string CheckVerifyAlone(const std::string& file, const Mutation& mutation);
  // The whole collection: verify, a reader, a writer that merges and closes, and what it leaves; a salvage.
  std::string CheckCollection(const std::string& file, const Mutation& mutation);

 private:
  struct Reading {
    absl::StatusOr<std::string> answers;
    uint64_t dropped_bytes = 0;
  };

  std::string CheckSegment(const std::string& path, const std::string& file);
  std::string CheckLog(const std::string& path, const std::string& file);
  // Verify of the file alone, which cannot know how a log should end.
  std::string CheckVerifyFile(const std::string& path);
  std::string CheckVerify(const DamagedFiles& damaged, const Mutation& mutation);
  std::string CheckReading(const Reading& reading, const DamagedFiles& damaged, const Mutation& mutation);
  std::string CheckWriter(const DamagedFiles& damaged, const Mutation& mutation);
  std::string CheckSalvage(const DamagedFiles& damaged, const Mutation& mutation);
  // Whether a tail that is gone may go without a word: the disk holds the state before the last writes.
  bool MayBeShorter(const DamagedFiles& damaged) const;
  // Whether the newest log is as it was up to some place, and zeros behind it.
  bool EndsInZeros(const DamagedFiles& damaged) const;
  bool IsNewestOpenLog(const std::string& file) const;
  std::string Measured(uint64_t file_bytes, const std::function<std::string()>& check);

  const Corpus& corpus_;
  const Corpus& twin_;
  DamageCounts* const counts_;
  pb::Manifest manifest_;  // in force
  Schema schema_;
  ManualClock clock_;
  std::unique_ptr<FileSystem> files_;                        // what CheckFile reads
  std::map<std::string, std::string> segments_;              // what each segment answers, where it can be read alone
  std::map<std::string, std::vector<std::string>> records_;  // of each log, as text
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_DAMAGE_CHECK_H_
