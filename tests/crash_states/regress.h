// Cases that once failed, each under a mistake of the engine, of a disk, or of an earlier version: the everyday suite
// replays them all. A line is as a failure prints it. Where the engine has come to touch the disk in another order a
// line may name another case, or none ("no state of a disk ..."): then take a new one from what flaws_test prints.
#ifndef VARVE_TESTS_CRASH_STATES_REGRESS_H_
#define VARVE_TESTS_CRASH_STATES_REGRESS_H_

namespace varve::testing {

struct RegressCase {
  const char* line;
  const char* what;
};

inline constexpr RegressCase kRegressCases[] = {
    {"kill 1 per_op 27 all", "records of the log are not synced"},
    {"power 1 per_op 32 bits:4", "a new log is not synced before its rename"},
    {"kill 1 flush 61 all", "the name of a segment is not synced"},
    {"power 1 flush 49 bits:4", "a deletion bitmap is not synced"},
    {"kill 1 flush 39 all>71>none", "a checkpoint is not synced"},
    {"power 1 flush 59 bits:2>87>none", "the manifest's name is not synced"},
    {"kill 1 create 1 all", "the name of a new directory is not synced"},
    {"kill 1 backup 27 all", "the name of a backup is not synced"},
    {"power 1 drop 72 bits:8", "a drop is not synced"},
    {"kill 1 flush 30 all", "files are not removed"},
    {"power 1 large_batch 35 first:3/512", "each record is a batch of its own"},
    {"power 1 flush 52 all>75>none", "numbers of files go on behind the manifest's"},
    {"kill 1 flush 38 all", "replay leaves rows of segments alive"},
    {"power 1 frozen 70 bits:8", "a generation does not wait for the log"},
    {"kill 1 flush 52 all", "logs go before the manifest is there"},
    {"kill 1 merge 144 all", "merged segments go before the manifest is there"},
    {"power 1 on_flush 35 none", "sequences of lost writes are given again"},
    {"kill 1 deaths 35 all", "recovery does not sync the log that it builds on"},
    {"power 1 on_flush 36 bits:2", "a torn tail is taken for damage"},
    {"kill 1 create 19 all", "recovery builds on names that are not synced"},
    {"kill 1 restore 86 all", "a copy's own name is not synced when it is opened"},
    {"kill 1 create 2 all", "directories that were there are not synced"},
    {"power 1 rotation 40 all>106>none", "a log is left unsynced when the next one begins"},
    {"power 1 every 37 none", "every:N loses N operations"},
    {"power 1 interval 42 none", "interval:MS does not sync"},
    {"power 1 bulk_load 42 none", "a bulk load is durable before its log record"},
    {"kill 1 flush 58 all", "a flush writes no deletion bitmaps"},
    {"kill 1 namespaces 68 all", "replay forgets deletes of namespaces"},
    {"kill 1 ttl 35 all", "replay forgets times to live"},
    {"error 1 per_op 57 EIO/once", "a failed sync is tried again"},
    {"error 1 per_op 47 EIO/once", "a write to the log that fails is taken for done"},
    {"error 1 per_op 47 ENOSPC/once", "want of space stops the writer"},
    {"error 1 rotation 346 EIO/once", "nobody looks whether a log could be closed"},
    {"error 1 per_op 48 EIO/once", "recovery trusts clean pages after a failed sync"},
    {"error 1 deaths 369 EIO/once", "recovery goes on when it could not seal the log"},
    {"error 1 per_op 36 EIO/once", "rows are visible before the log has them"},
    {"error 1 flush 107 EIO/once", "the number of a file that failed is never given back"},
    {"error 1 flush 111 EIO/once", "a flush goes on when it could not write a bitmap"},
    {"error 1 deaths 138 EIO/once", "a failed opening keeps the lock"},
    {"error 1 removal 114 EIO/once", "a list leaves out what it could not look at"},
    {"error 1 first_opening 3 EIO/once", "the log of its source beside a copy with a name of its own"},
    {"error 1 flush 194 EMFILE/once", "a log that could not be opened was left"},
    {"error 1 namespaces 44 EROFS/once", "a flush repeated the disk's error after a final failure"},
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_REGRESS_H_
