#include "tests/crash_states/lab_values.h"

#include <cstdlib>
#include <utility>

#include "base/status.h"
#include "tests/crash_states/lab.h"

namespace varve::testing {

std::string DescribeNumbers(const std::vector<float>& vector) {
  std::string text;
  for (const float component : vector) text += (text.empty() ? "" : " ") + std::to_string(static_cast<int>(component));
  return text;
}

std::string MetadataOf(int value) { return R"({"n":)" + std::to_string(value) + "}"; }

std::string Describe(const std::string& vector, const std::string& metadata, const std::string& payload,
                     int64_t expiry) {
  return "[" + vector + "] " + metadata + " " + payload +
         (expiry == kNeverExpires ? "" : std::string(kUntil) + std::to_string(expiry));
}

std::string DescribeValue(int value, int64_t expiry) {
  const RecordInput record = LabRecord("", "k", value);
  return Describe(DescribeNumbers(record.vectors[0].value.floats()), record.metadata, record.payload, expiry);
}

int NumberOf(const std::string& described) {
  const size_t at = described.find(R"({"n":)");
  return at == std::string::npos ? -1 : std::atoi(described.c_str() + at + 5);
}

RecordInput LabRecord(const std::string& ns, const std::string& key, int value) {
  RecordInput record;
  record.ns = ns;
  record.key = key;
  const auto number = static_cast<float>(value);
  record.vectors.push_back({"", VectorValue({number, number + 1, 2, 3})});
  record.metadata = MetadataOf(value);
  record.payload = "payload " + std::to_string(value);
  return record;
}

std::string DescribeRecord(const Record& record) {
  return Describe(record.vectors.empty() ? "none" : DescribeNumbers(record.vectors[0].second), record.metadata,
                  record.payload, record.expires_at_ms);
}

absl::StatusOr<Content> ReadContent(Collection* collection) {
  Content content;
  absl::Status twice;
  RETURN_IF_ERROR(collection->Scan({}, [&](const varve::Record& record) {
    if (!content.emplace(std::pair(record.ns, record.key), DescribeRecord(record)).second) {
      twice = Internal("a scan gives " + record.ns + "/" + record.key + " twice");
    }
    return true;
  }));
  RETURN_IF_ERROR(twice);
  return content;
}

}  // namespace varve::testing
