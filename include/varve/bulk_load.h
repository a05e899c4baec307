// Loading many records at once: they go around the log and the memtable, straight into indexed segments. Made by
// Collection::NewBulkLoad.
#ifndef VARVE_BULK_LOAD_H_
#define VARVE_BULK_LOAD_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "varve/record.h"

namespace varve {

struct BulkLoadOptions {
  // AlreadyExists for a record whose key is there; else the new record takes the place of the old one.
  bool insert = false;
  // A segment is built from at most so many records. 0: as many as the memory budget allows, at most 262,144.
  uint32_t segment_rows = 0;
  // Told how many of the records so far are indexed; from one thread at a time.
  std::function<void(uint64_t rows)> progress;
};

// Records enter the collection segment by segment, each atomically and durably whatever the sync mode: after a crash
// the first durable_rows() of some moment are there, and no others. Until its segment enters, a record is not seen. Of
// records with one key the last wins; a record written to the collection meanwhile loses against the segment that
// enters after it.
//
// From the first Add to Finish a load holds memory of the budget's half for builds, at most three quarters of it: loads
// that are left open make the segments of others, and merges, smaller.
//
// Thread-compatible; must not outlive its collection, which others may read and write meanwhile.
class BulkLoad {
 public:
  // Drops the records that are not durable yet.
  virtual ~BulkLoad() = default;

  // Errors: InvalidArgument; AlreadyExists; and those of Finish, when it completes a segment. The record was not taken
  // then; the load may go on after the first two.
  virtual absl::Status Add(RecordInput record) = 0;
  // Makes durable and visible all that was added. More may be added afterwards, in a segment of its own.
  // Errors: ResourceExhausted, DataLoss; FailedPrecondition once the collection is closed or its log has failed.
  virtual absl::Status Finish() = 0;
  // Of the records added, in the order of Add.
  virtual uint64_t durable_rows() const = 0;
};

}  // namespace varve

#endif  // VARVE_BULK_LOAD_H_
