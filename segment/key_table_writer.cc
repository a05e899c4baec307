#include "segment/key_table_writer.h"

#include "absl/types/span.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status.h"
#include "segment/key_filter.h"

namespace varve {
namespace {

// Appends areas one after the other, each on its alignment.
class AreaAppender {
 public:
  explicit AreaAppender(SectionSink* sink) : sink_(sink) {}

  absl::Status Append(std::string_view bytes) {
    static constexpr char kZeros[kKeyTableAlignment] = {};
    const uint64_t padding = AlignUp(position_, kKeyTableAlignment) - position_;
    RETURN_IF_ERROR(sink_->Append(AsBytes(std::string_view(kZeros, padding))));
    RETURN_IF_ERROR(sink_->Append(AsBytes(bytes)));
    position_ += padding + bytes.size();
    return absl::OkStatus();
  }
  template <typename T>
  absl::Status AppendArray(const std::vector<T>& values) {
    return Append({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  uint64_t position() const { return position_; }

 private:
  SectionSink* sink_;
  uint64_t position_ = 0;
};

std::string EncodeHeader(const KeyTableHeader& header) {
  ByteWriter writer;
  writer.Fixed(header.rows);
  writer.Fixed(header.namespaces);
  writer.Fixed(header.namespace_bytes);
  writer.Fixed(header.key_bytes);
  writer.Fixed(header.seed);
  writer.Fixed(header.buckets);
  writer.Fixed(header.filter_blocks);
  writer.Zeros(kKeyTableHeaderBytes - writer.size());
  return writer.Take();
}

}  // namespace

std::string_view KeyTableWriter::NamespaceName(size_t i) const {
  const uint64_t start = i == 0 ? 0 : namespaces_[i - 1].name_end;
  return std::string_view(names_).substr(start, namespaces_[i].name_end - start);
}

std::string_view KeyTableWriter::Key(RowId row) const {
  const uint64_t start = row % kKeysPerGroup == 0 ? 0 : key_ends_[row - 1];
  return std::string_view(keys_).substr(key_bases_[row / kKeysPerGroup] + start, key_ends_[row] - start);
}

absl::Status KeyTableWriter::CheckOrder(std::string_view ns, std::string_view key) const {
  if (key_ends_.empty()) return absl::OkStatus();
  // std::string_view compares bytes as unsigned, which is the order of keys.
  const int order = ns.compare(NamespaceName(namespaces_.size() - 1));
  if (order > 0 || (order == 0 && key > Key(rows() - 1))) return absl::OkStatus();
  return InvalidArgument("rows of a segment must ascend by namespace and key: " + Quoted(ns) + " " + Quoted(key) +
                         " is not above the row before it");
}

absl::Status KeyTableWriter::Add(std::string_view ns, std::string_view key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return InvalidArgument("a key must have 1 to 65,536 bytes, not " + std::to_string(key.size()));
  }
  if (ns.size() > kMaxNamespaceBytes) {
    return InvalidArgument("a namespace must have at most 1,024 bytes, not " + std::to_string(ns.size()));
  }
  if (key_ends_.size() >= kMaxRowsPerSegment) return ResourceExhausted("a segment cannot hold more rows");
  RETURN_IF_ERROR(CheckOrder(ns, key));
  const RowId row = rows();
  if (namespaces_.empty() || ns != NamespaceName(namespaces_.size() - 1)) {
    names_ += ns;
    namespaces_.push_back({row, names_.size()});
  }
  if (row % kKeysPerGroup == 0) key_bases_.push_back(keys_.size());
  keys_ += key;
  key_ends_.push_back(static_cast<uint32_t>(keys_.size() - key_bases_.back()));
  return absl::OkStatus();
}

uint64_t KeyTableWriter::buffered_bytes() const {
  return names_.capacity() + keys_.capacity() + namespaces_.capacity() * sizeof(Namespace) +
         key_bases_.capacity() * sizeof(uint64_t) + key_ends_.capacity() * sizeof(uint32_t);
}

void KeyTableWriter::BuildLookup(const KeyTableHeader& header, std::string* filter,
                                 std::vector<uint32_t>* buckets) const {
  filter->assign(header.filter_blocks * kKeyFilterBlockBytes, '\0');
  buckets->assign(header.buckets, kEmptyBucket);
  auto* filter_bytes = reinterpret_cast<std::byte*>(filter->data());
  const int row_bits = LookupRowBits(header.rows);
  size_t ns = 0;
  for (RowId row = 0; row < header.rows; ++row) {
    if (ns + 1 < namespaces_.size() && namespaces_[ns + 1].first_row == row) ++ns;
    const uint64_t hash = HashKey(seed_, NamespaceName(ns), Key(row));
    KeyFilterAdd(filter_bytes + SpreadHash(hash, header.filter_blocks) * kKeyFilterBlockBytes, hash);
    uint64_t bucket = SpreadHash(hash, header.buckets);
    while ((*buckets)[bucket] != kEmptyBucket) {
      if (++bucket == header.buckets) bucket = 0;
    }
    (*buckets)[bucket] = LookupEntry(hash, row, row_bits);
  }
}

absl::Status KeyTableWriter::AppendTo(SectionSink* sink) const {
  KeyTableHeader header;
  header.rows = key_ends_.size();
  header.namespaces = namespaces_.size();
  header.namespace_bytes = names_.size();
  header.key_bytes = keys_.size();
  header.seed = seed_;
  header.buckets = LookupBucketCount(header.rows);
  header.filter_blocks = KeyFilterBlockCount(header.rows);
  const std::optional<KeyTableLayout> layout = ComputeKeyTableLayout(header);
  VARVE_CHECK(layout.has_value());

  std::vector<uint32_t> namespace_rows;
  std::vector<uint64_t> namespace_ends;
  for (const Namespace& ns : namespaces_) {
    namespace_rows.push_back(ns.first_row);
    namespace_ends.push_back(ns.name_end);
  }
  AreaAppender appender(sink);
  RETURN_IF_ERROR(appender.Append(EncodeHeader(header)));
  {
    std::string filter;
    std::vector<uint32_t> buckets;
    BuildLookup(header, &filter, &buckets);
    RETURN_IF_ERROR(appender.Append(filter));
    RETURN_IF_ERROR(appender.AppendArray(buckets));
  }
  RETURN_IF_ERROR(appender.AppendArray(namespace_rows));
  RETURN_IF_ERROR(appender.AppendArray(namespace_ends));
  RETURN_IF_ERROR(appender.Append(names_));
  RETURN_IF_ERROR(appender.AppendArray(key_bases_));
  RETURN_IF_ERROR(appender.AppendArray(key_ends_));
  RETURN_IF_ERROR(appender.Append(keys_));
  VARVE_CHECK(appender.position() == layout->end);
  return absl::OkStatus();
}

}  // namespace varve
