#include "segment/segment_dump.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "segment/mapped_segment.h"
#include "segment/segment_head.h"

namespace varve {
namespace {

constexpr uint32_t kKeysShown = 10;

// Members in the order in which they are added.
class JsonObject {
 public:
  // `json` is the text of a value.
  void Add(std::string_view name, std::string_view json) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_ += name;
    text_ += "\":";
    text_ += json;
  }
  void Add(std::string_view name, uint64_t value) { Add(name, std::string_view(std::to_string(value))); }
  void AddHex(std::string_view name, Crc32c crc) { Add(name, std::string_view("\"" + Crc32cToHex(crc) + "\"")); }
  // As a string if the bytes are printable ASCII, else in base64 as NAME_base64: dumps are read by people, but must not
  // lose anything.
  void AddBytes(std::string_view name, std::string_view bytes);

  std::string Take() { return text_.empty() ? "{}" : std::move(text_) + "}"; }

 private:
  std::string text_;
};

void JsonObject::AddBytes(std::string_view name, std::string_view bytes) {
  const bool printable = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable) {
    Add(std::string(name) + "_base64", std::string_view("\"" + absl::Base64Escape(std::string(bytes)) + "\""));
    return;
  }
  std::string json = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  Add(name, std::string_view(json + "\""));
}

std::string DumpHead(const SegmentHead& head) {
  JsonObject object;
  object.Add("format_version", uint64_t{kFormatVersion});
  object.Add("segment_id", head.segment_id);
  object.AddBytes("collection_uuid", head.collection.ToHex());
  return object.Take();
}

std::string DumpFooter(const SegmentFooter& footer) {
  JsonObject object;
  object.Add("format_version", uint64_t{kFormatVersion});
  object.Add("header_offset", footer.header_offset);
  object.Add("vectors_offset", footer.vectors_offset);
  object.Add("graph_offset", footer.graph_offset);
  object.Add("ids_offset", footer.ids_offset);
  object.Add("term_dict_offset", footer.term_dict_offset);
  object.Add("term_dict_len", footer.term_dict_len);
  object.Add("postings_offset", footer.postings_offset);
  object.Add("postings_len", footer.postings_len);
  object.Add("doc_count", uint64_t{footer.doc_count});
  object.Add("max_doc_id", uint64_t{footer.max_doc_id});
  object.AddHex("checksum", footer.checksum);
  return object.Take();
}

absl::StatusOr<std::string> DumpHeader(const pb::SegmentHeader& header) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(header, &json, options).ok()) {
    return Internal("a segment header cannot be printed as JSON");
  }
  return json;
}

absl::StatusOr<std::string> DumpKeys(const Segment& segment) {
  std::string json = "[";
  for (RowId row = 0; row < std::min(segment.rows(), kKeysShown); ++row) {
    ASSIGN_OR_RETURN(const Segment::Key key, segment.KeyOf(row));
    ASSIGN_OR_RETURN(const Sequence sequence, segment.SequenceOf(row));
    JsonObject object;
    object.Add("row", uint64_t{row});
    object.AddBytes("namespace", key.ns);
    object.AddBytes("key", key.key);
    object.Add("sequence", sequence);
    json += (row == 0 ? "" : ",") + object.Take();
  }
  return json + "]";
}

}  // namespace

absl::StatusOr<std::string> DumpSegment(FileSystem* fs, const std::string& path) {
  ASSIGN_OR_RETURN(const auto segment,
                   MappedSegment::Open(fs, path, std::nullopt, VerifyChecksums::kOnTouch, IoMode::kRead));
  ASSIGN_OR_RETURN(const SegmentHead head, DecodeSegmentHead(AsChars(segment->file_bytes()), path));
  ASSIGN_OR_RETURN(const std::string header, DumpHeader(segment->header()));
  ASSIGN_OR_RETURN(const std::string keys, DumpKeys(*segment));
  JsonObject object;
  object.AddBytes("type", "segment");
  object.Add("bytes", segment->bytes());
  object.Add("rows", uint64_t{segment->rows()});
  object.Add("head", std::string_view(DumpHead(head)));
  object.Add("footer", std::string_view(DumpFooter(segment->footer())));
  object.Add("header", std::string_view(header));
  object.Add("namespaces", segment->keys().namespace_count());
  object.Add("first_keys", std::string_view(keys));
  return object.Take();
}

}  // namespace varve
