// What a collection answers to a fixed set of questions, as text: the ground of the damage tests and of the golden
// directories. Thread-safe: a free function.
#ifndef VARVE_TESTS_DAMAGE_ANSWERS_H_
#define VARVE_TESTS_DAMAGE_ANSWERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/collection.h"

namespace varve::testing {

// How the rows of a cell are called: namespace and key of row n.
std::string NamespaceOfRow(int n);
std::string KeyOfRow(int n);

// Components of small integers, which every element type holds exactly, so that distances are the same on every
// machine.
std::vector<float> VectorOfRow(const FieldSpec& field, uint64_t seed, int n);

// A JSON document with one answer a line: all records (a scan), gets of present and absent keys, counts, searches of
// each field, exact and through the index, with and without filter and namespace. The first failure ends it.
absl::StatusOr<std::string> Ask(Collection* collection);

// Of such a document, the lines of the records.
std::vector<std::string> RecordLines(const std::string& answers);

}  // namespace varve::testing

#endif  // VARVE_TESTS_DAMAGE_ANSWERS_H_
