#include "base/status.h"

#include <cerrno>
#include <string>

#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace varve {
namespace {

using ::varve::testing::StatusIs;

TEST(StatusBuilders, HaveTheirCodeAndMessage) {
  EXPECT_EQ(InvalidArgument("m"), absl::InvalidArgumentError("m"));
  EXPECT_EQ(NotFound("m"), absl::NotFoundError("m"));
  EXPECT_EQ(AlreadyExists("m"), absl::AlreadyExistsError("m"));
  EXPECT_EQ(Aborted("m"), absl::AbortedError("m"));
  EXPECT_EQ(FailedPrecondition("m"), absl::FailedPreconditionError("m"));
  EXPECT_EQ(ResourceExhausted("m"), absl::ResourceExhaustedError("m"));
  EXPECT_EQ(Unimplemented("m"), absl::UnimplementedError("m"));
  EXPECT_EQ(Internal("m"), absl::InternalError("m"));
  EXPECT_EQ(Cancelled("m"), absl::CancelledError("m"));
  EXPECT_EQ(DataLoss("m"), absl::DataLossError("m"));
}

TEST(StatusBuilders, DataLossNamesFileAndOffset) {
  EXPECT_EQ(DataLossAt("segments/1.vcnt", 4096, "bad magic"),
            absl::DataLossError("segments/1.vcnt: at offset 4096: bad magic"));
}

TEST(ErrnoStatusOf, MapsAsTheFileSystemPromises) {
  const auto code = [](int error, bool reading = false) { return ErrnoStatus(error, "call", "path", reading).code(); };
  EXPECT_EQ(code(ENOENT), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(EEXIST), absl::StatusCode::kAlreadyExists);
  for (const int error : {ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EFBIG}) {
    EXPECT_EQ(code(error), absl::StatusCode::kResourceExhausted) << error;
  }
  for (const int error : {EACCES, EPERM, EROFS}) EXPECT_EQ(code(error), absl::StatusCode::kPermissionDenied) << error;
  EXPECT_EQ(code(EIO), absl::StatusCode::kInternal);
  EXPECT_EQ(code(EIO, /*reading=*/true), absl::StatusCode::kDataLoss);
  EXPECT_EQ(code(EINVAL), absl::StatusCode::kInternal);
}

TEST(ErrnoStatusOf, NamesTheCallThePathAndTheReason) {
  EXPECT_THAT(ErrnoStatus(ENOENT, "open", "/a/b"),
              StatusIs(absl::StatusCode::kNotFound, "open /a/b: No such file or directory"));
}

TEST(Annotate, PutsTheContextInFront) {
  EXPECT_OK(Annotate(absl::OkStatus(), "context"));
  absl::Status status = DataLoss("bad");
  status.SetPayload("type", absl::Cord("payload"));
  const absl::Status annotated = Annotate(status, "while opening");
  EXPECT_THAT(annotated, StatusIs(absl::StatusCode::kDataLoss, "while opening: bad"));
  EXPECT_EQ(annotated.GetPayload("type"), absl::Cord("payload"));
}

TEST(Quoted, EscapesWhatCannotBePrinted) {
  EXPECT_EQ(Quoted(""), R"("")");
  EXPECT_EQ(Quoted("a b"), R"("a b")");
  EXPECT_EQ(Quoted(std::string_view("\x00\x1F\x7F\xC3\xBC", 5)), R"("\x00\x1f\x7f\xc3\xbc")");
  EXPECT_EQ(Quoted(R"("\)"), R"("\"\\")");
}

TEST(Quoted, CutsLongKeys) {
  EXPECT_EQ(Quoted(std::string(64, 'k')), '"' + std::string(64, 'k') + '"');
  EXPECT_EQ(Quoted(std::string(1000, 'k')), '"' + std::string(64, 'k') + "\"... (1000 bytes)");
}

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  ASSIGN_OR_RETURN(const int half, Half(value));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  RETURN_IF_ERROR(absl::OkStatus());
  return quarter;
}

absl::Status CheckDivisible(int value) {
  RETURN_IF_ERROR(Quarter(value).status());
  return absl::OkStatus();
}

TEST(StatusMacros, PassErrorsOnAndValuesThrough) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
  EXPECT_OK(CheckDivisible(4));
  EXPECT_THAT(CheckDivisible(5), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
}

}  // namespace
}  // namespace varve
