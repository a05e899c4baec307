#include "cli/json_lines.h"

#include <string>
#include <vector>

#include "cli/base64.h"
#include "tests/support/status_matchers.h"

namespace varve::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::varve::testing::StatusIs;
using Kind = WriteBatch::Kind;

// A stream that gives `text`, which must outlive it.
FilePointer StreamOf(std::string& text) { return FilePointer(::fmemopen(text.data(), text.size(), "r")); }

void ExpectRefused(const std::string& line, const std::string& reason) {
  EXPECT_THAT(ParseOperation(line), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason))) << line;
}

void ExpectUnbuilt(const std::string& line, const std::string& name) {
  EXPECT_THAT(ParseOperation(line), StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(name))) << line;
}

TEST(LineReader, CountsAllLinesAndSkipsBlankOnes) {
  std::string text = "one\n\n  \t\ntwo\r\nthree";
  const FilePointer stream = StreamOf(text);
  LineReader reader(stream.get(), "input");
  std::vector<std::string> lines;
  std::vector<uint64_t> numbers;
  std::string line;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const bool more, reader.Next(&line));
    if (!more) break;
    lines.push_back(line);
    numbers.push_back(reader.line_number());
  }

  EXPECT_THAT(lines, ElementsAre("one", "two\r", "three"));
  EXPECT_THAT(numbers, ElementsAre(1, 4, 5));
  EXPECT_EQ(reader.place(), "input: line 5");
}

TEST(LineReader, SaysWhichFileCannotBeRead) {
  EXPECT_THAT(OpenLines("/nonexistent/file"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/file")));
}

TEST(ParseOperation, ReadsAPut) {
  ASSERT_OK_AND_ASSIGN(
      const LineOperation operation,
      ParseOperation(R"({"op":"put","key":"k","namespace":"n","vector":[1,2.5],"vectors":{"b":[3]},)"
                     R"("metadata":{"x": 1.10},"payload_base64":"AAE=","ttl_seconds":60,"if_sequence":7})"));

  ASSERT_EQ(operation.kind, LineOperation::Kind::kWrite);
  EXPECT_EQ(operation.write.kind, Kind::kPut);
  EXPECT_EQ(operation.write.if_sequence, 7);
  const RecordInput& record = operation.write.record;
  EXPECT_EQ(record.key, "k");
  EXPECT_EQ(record.ns, "n");
  ASSERT_EQ(record.vectors.size(), 2);
  EXPECT_EQ(record.vectors[0].field, "");
  EXPECT_THAT(record.vectors[0].value.floats(), ElementsAre(1, 2.5));
  EXPECT_EQ(record.vectors[1].field, "b");
  EXPECT_EQ(record.metadata, R"({"x":1.10})");
  EXPECT_EQ(record.payload, std::string("\0\1", 2));
  EXPECT_EQ(record.ttl_seconds, 60);
}

TEST(ParseOperation, ReadsAPrintedRecordAsAPut) {
  ASSERT_OK_AND_ASSIGN(const LineOperation put,
                       ParseOperation(R"({"key":"k","namespace":"n","vector":[1],"metadata":{"a":1},"expires_at":1000,)"
                                      R"("created_at":5,"updated_at":6,"sequence":7})"));
  EXPECT_EQ(put.write.kind, WriteBatch::Kind::kPut);
  EXPECT_EQ(put.write.record.key, "k");
  EXPECT_EQ(put.write.record.metadata, R"({"a":1})");
  EXPECT_EQ(put.write.record.ttl_seconds, 0) << "1970 is over";
  EXPECT_EQ(put.write.if_sequence, std::nullopt);
  ASSERT_OK_AND_ASSIGN(const LineOperation lasting,
                       ParseOperation(R"({"key":"k","sequence":7,"expires_at":4000000000000})"));
  EXPECT_GT(*lasting.write.record.ttl_seconds, 1'000'000);
}

TEST(ParseOperation, ReadsAnUpdate) {
  ASSERT_OK_AND_ASSIGN(const LineOperation patch,
                       ParseOperation(R"({"op":"update","key":"k","patch":{"x":null},"ttl_seconds":null})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation replace, ParseOperation(R"({"op":"update","key":"k","metadata":{}})"));

  EXPECT_EQ(patch.write.kind, Kind::kUpdate);
  EXPECT_EQ(patch.write.update.key, "k");
  EXPECT_EQ(patch.write.update.patch, R"({"x":null})");
  EXPECT_EQ(patch.write.update.metadata, std::nullopt);
  EXPECT_TRUE(patch.write.update.clear_ttl);
  EXPECT_TRUE(patch.write.update.vectors.empty());
  EXPECT_EQ(replace.write.update.metadata, "{}");
  EXPECT_FALSE(replace.write.update.clear_ttl);
}

TEST(ParseOperation, ReadsWhatHasNoRecord) {
  ASSERT_OK_AND_ASSIGN(const LineOperation remove, ParseOperation(R"({"op":"delete","key":"k","if_sequence":3})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation empty, ParseOperation(R"({"op":"delete_namespace","namespace":"n"})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation flush, ParseOperation(R"({"op":"flush"})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation checkpoint, ParseOperation(R"({"op":"checkpoint"})"));

  EXPECT_EQ(remove.write.kind, Kind::kDelete);
  EXPECT_EQ(remove.write.key(), "k");
  EXPECT_EQ(empty.kind, LineOperation::Kind::kDeleteNamespace);
  EXPECT_EQ(empty.ns, "n");
  EXPECT_EQ(flush.kind, LineOperation::Kind::kFlush);
  EXPECT_EQ(checkpoint.kind, LineOperation::Kind::kCheckpoint);
}

TEST(ParseOperation, TakesKeysThatAreNotText) {
  const std::string bytes("\xFF\0\n", 3);
  const std::string base64 = EncodeBase64(bytes);

  ASSERT_OK_AND_ASSIGN(const LineOperation operation, ParseOperation(R"({"op":"insert","key_base64":")" + base64 +
                                                                     R"(","namespace_base64":")" + base64 + "\"}"));

  EXPECT_EQ(operation.write.kind, Kind::kInsert);
  EXPECT_EQ(operation.write.key(), bytes);
  EXPECT_EQ(operation.write.ns(), bytes);
  EXPECT_EQ(AckLine(operation), "ack " + base64);
  ExpectRefused(R"({"op":"delete","key_base64":"?"})", "\"key_base64\" is not base64");
  ExpectRefused(R"({"op":"delete","key":"a","key_base64":"YQ=="})", "both");
}

TEST(ParseOperation, RefusesWhatItDoesNotKnow) {
  ExpectRefused("[]", "not a JSON object");
  ExpectRefused("{}", "\"op\" is missing");
  ExpectRefused(R"({"op":"upsert","key":"k"})", "unknown operation \"upsert\"");
  ExpectRefused(R"({"op":"put"})", "\"key\" is missing");
  ExpectRefused(R"({"op":"put","key":7})", "\"key\" is not a string");
  ExpectRefused(R"({"op":"put","key":"k","vektor":[1]})", "unknown member \"vektor\"");
  ExpectRefused(R"({"op":"put","key":"k","patch":{}})", "unknown member \"patch\"");
  ExpectRefused(R"({"op":"delete","key":"k","vector":[1]})", "unknown member \"vector\"");
  ExpectRefused(R"({"op":"flush","key":"k"})", "unknown member \"key\"");
  ExpectRefused(R"({"op":"put","key":"k","vector":{"x":1}})", "\"vector\" is not an array");
  ExpectRefused(R"({"op":"put","key":"k","vector":[1,null]})", "\"vector\"[1] is not a number");
  ExpectRefused(R"({"op":"put","key":"k","vectors":[1]})", "\"vectors\" is not a JSON object");
  ExpectRefused(R"({"op":"put","key":"k","vectors":{"":[1]}})", "without a name");
  ExpectRefused(R"({"op":"put","key":"k","metadata":"{}"})", "\"metadata\" is not a JSON object");
  ExpectRefused(R"({"op":"put","key":"k","ttl_seconds":1.5})", "\"ttl_seconds\" is not a whole number");
  ExpectRefused(R"({"op":"put","key":"k","if_sequence":-1})", "\"if_sequence\" is not a whole number");
  ExpectRefused(R"({"op":"put","key":"k","vector":[NaN]})", "JSON");
}

TEST(ParseOperation, ReadsFiltersInBothSpellings) {
  const Filter expected = Filter::Compare({"x"}, Filter::Op::kGe, 1);
  for (const char* filter : {R"("x >= 1")", R"({"x":{"$gte":1}})"}) {
    ASSERT_OK_AND_ASSIGN(const LineOperation operation,
                         ParseOperation(R"({"op":"delete_where","filter":)" + std::string(filter) + "}"));
    EXPECT_EQ(operation.kind, LineOperation::Kind::kDeleteWhere);
    EXPECT_EQ(operation.filter, expected);
    EXPECT_EQ(operation.ns, std::nullopt);
    EXPECT_EQ(AckLine(operation), "ack");
  }
  ASSERT_OK_AND_ASSIGN(const LineOperation of_one,
                       ParseOperation(R"({"op":"delete_where","filter":"x >= 1","namespace":"n"})"));
  EXPECT_EQ(of_one.ns, "n");
  ExpectRefused(R"({"op":"delete_where"})", "\"filter\" is missing");
  ExpectRefused(R"({"op":"delete_where","filter":["x"]})", "\"filter\" is neither a string nor");
  ExpectRefused(R"({"op":"delete_where","filter":"x >"})", "at offset 3");
  ExpectRefused(R"({"op":"delete_where","filter":{"x":{"$like":1}}})", "$like");
  ExpectRefused(R"({"op":"delete_where","filter":"x","key":"k"})", "\"key\"");
}

TEST(ParseOperation, NamesWhatIsNotBuilt) {
  ExpectUnbuilt(R"({"op":"put","key":"k","sparse":{"s":{"indices":[1],"values":[1]}}})", "sparse");
  ExpectUnbuilt(R"({"op":"update","key":"k","text":{"body":"words"}})", "text");
  ExpectUnbuilt(R"({"op":"put","key":"k","vector":[[1,2],[3,4]]})", "multi-vector");
}

TEST(AckLine, RepeatsTheKeyOnOneLine) {
  ASSERT_OK_AND_ASSIGN(const LineOperation plain, ParseOperation(R"({"op":"delete","key":"a b\"c"})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation control, ParseOperation(R"({"op":"delete","key":"a\nb\"c"})"));
  ASSERT_OK_AND_ASSIGN(const LineOperation none, ParseOperation(R"({"op":"flush"})"));

  EXPECT_EQ(AckLine(plain), "ack a b\"c");
  EXPECT_EQ(AckLine(control), R"(ack "a\nb\"c")");
  EXPECT_EQ(AckLine(none), "ack");
}

}  // namespace
}  // namespace varve::cli
