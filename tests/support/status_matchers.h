// Matchers for absl::Status and absl::StatusOr: ASSERT_OK, EXPECT_OK, ASSERT_OK_AND_ASSIGN, StatusIs.
#ifndef VARVE_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define VARVE_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve::testing {

inline const absl::Status& GetStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& GetStatus(const absl::StatusOr<T>& value) {
  return value.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  const absl::Status& status = GetStatus(arg);
  if (!status.ok()) *result_listener << status.ToString();
  return status.ok();
}

// EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("000001.vcnt")));
MATCHER_P2(StatusIs, code, message_matcher, "") {
  const absl::Status& status = GetStatus(arg);
  *result_listener << status.ToString();
  return status.code() == code && ::testing::ExplainMatchResult(::testing::Matcher<std::string>(message_matcher),
                                                                std::string(status.message()), result_listener);
}

}  // namespace varve::testing

#define EXPECT_OK(expression) EXPECT_THAT(expression, ::varve::testing::IsOk())
#define ASSERT_OK(expression) ASSERT_THAT(expression, ::varve::testing::IsOk())

#define VARVE_TEST_CONCAT_INNER(a, b) a##b
#define VARVE_TEST_CONCAT(a, b) VARVE_TEST_CONCAT_INNER(a, b)
#define ASSERT_OK_AND_ASSIGN_INNER(value, left, expression) \
  auto value = (expression);                                \
  ASSERT_OK(value);                                         \
  left = *std::move(value)
#define ASSERT_OK_AND_ASSIGN(left, expression) \
  ASSERT_OK_AND_ASSIGN_INNER(VARVE_TEST_CONCAT(varve_test_value_, __LINE__), left, expression)

#endif  // VARVE_TESTS_SUPPORT_STATUS_MATCHERS_H_
