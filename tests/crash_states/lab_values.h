// What the records of a lab look like as text.
#ifndef VARVE_TESTS_CRASH_STATES_LAB_VALUES_H_
#define VARVE_TESTS_CRASH_STATES_LAB_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "varve/types.h"

namespace varve::testing {

std::string DescribeNumbers(const std::vector<float>& vector);
std::string MetadataOf(int value);
std::string Describe(const std::string& vector, const std::string& metadata, const std::string& payload,
                     int64_t expiry);
// Of LabRecord(value).
std::string DescribeValue(int value, int64_t expiry = kNeverExpires);
// The number in a record's metadata, -1 if it has none.
int NumberOf(const std::string& described);

}  // namespace varve::testing

#endif  // VARVE_TESTS_CRASH_STATES_LAB_VALUES_H_
