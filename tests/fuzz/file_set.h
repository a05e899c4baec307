// Several files in one input: for each its name, a line feed, its length (u32) and its bytes. Pure functions.
#ifndef VARVE_TESTS_FUZZ_FILE_SET_H_
#define VARVE_TESTS_FUZZ_FILE_SET_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "varve/file_system.h"

namespace varve::fuzz {

using FileSet = std::map<std::string, std::string>;

std::string EncodeFileSet(const FileSet& files);
// Any bytes will do: a length beyond the input is cut, a name without an end ends it.
FileSet DecodeFileSet(std::string_view input);
// The bytes of one of the files.
std::pair<size_t, size_t> PickFile(std::string_view input, uint64_t random);

// All files under a directory, by their names relative to it.
FileSet ReadDirectory(FileSystem* fs, const std::string& directory);
// Writes them under a directory, which is made; names that lead elsewhere are left out.
void WriteDirectory(FileSystem* fs, const std::string& directory, const FileSet& files);

}  // namespace varve::fuzz

#endif  // VARVE_TESTS_FUZZ_FILE_SET_H_
