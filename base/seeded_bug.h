// Mistakes that a build with the option `seeded_bugs` can make on purpose, one at a time, so that tests can show that
// they find them. In every other build VARVE_SEEDED_BUG is the constant false.
#ifndef VARVE_BASE_SEEDED_BUG_H_
#define VARVE_BASE_SEEDED_BUG_H_

#include <atomic>

namespace varve {

enum class SeededBug {
  kNone,
  kAckBeforeSync,
  kNoBatchMarks,
  kNoPayloadChecksum,
  kReusedFileId,
  kResurrectedDelete,
  kManifestBeforeLog,
  kLogRemovedEarly,
  kSegmentsRemovedEarly,
  kReusedSequences,
  kUnsealedLog,
  kTornIsDamage,
  kFoundNames,
  kPlaceOfCopy,
  kFoundDirectories,
  kLeftovers,
  kRotatedUnsynced,
  kEveryNPlusOne,
  kNoInterval,
  kRetriedSync,
  kIgnoredWriteError,
  kRefusedPoisons,
  kCloseUnchecked,
  kNoRewrite,
  kSealErrorIgnored,
  kHalfBatch,
  kAppliedBeforeLog,
  kFollowersAcked,
  kEarlyBulkAck,
  kNeverSettled,
  kBitmapErrorIgnored,
  kDeathsNotFolded,
  kLateDeathLost,
  kTwoWriters,
  kLeakedLock,
  kReaderRemoves,
  kNamespaceDeleteLost,
  kExpiryLost,
  kIncompleteList,
};

#ifdef VARVE_SEEDED_BUGS
inline std::atomic<SeededBug> seeded_bug{SeededBug::kNone};
inline void SetSeededBug(SeededBug bug) { seeded_bug = bug; }
#define VARVE_SEEDED_BUG(name) (::varve::seeded_bug.load() == ::varve::SeededBug::name)
#else
inline void SetSeededBug(SeededBug /*bug*/) {}
#define VARVE_SEEDED_BUG(name) false
#endif

}  // namespace varve

#endif  // VARVE_BASE_SEEDED_BUG_H_
