// Makes the checksums of files right, whatever else is wrong with them: a checksum is no proof against a hostile file,
// and a fuzzer that never passes the first one tests nothing else. Pure functions; bytes that are too short for a
// checksum stay as they are.
#ifndef VARVE_TESTS_FUZZ_CHECKSUMS_H_
#define VARVE_TESTS_FUZZ_CHECKSUMS_H_

#include <string>

#include "tests/fuzz/file_set.h"

namespace varve::fuzz {

void RepairSegment(std::string* file);
void RepairBitmap(std::string* file);
void RepairCheckpoint(std::string* file);
void RepairManifest(std::string* file);
// The file header, and the records as far as their lengths lead.
void RepairLog(std::string* file);
// Each log, and what a log's header says of the end of the log before it in the order of their names.
void RepairLogs(FileSet* files);
// Every file of a collection, and what the manifest says of lengths and checksums.
void RepairCollection(FileSet* files);

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_CHECKSUMS_H_
