#include "index/hnsw/graph_writer.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "index/hnsw/hnsw_format.h"

namespace varve::hnsw {
namespace {

// Collects numbers and hands them to the sink in large pieces.
class NumberWriter {
 public:
  explicit NumberWriter(SectionSink* sink) : sink_(sink) { numbers_.reserve(kNumbers); }

  absl::Status Add(uint32_t number) {
    numbers_.push_back(number);
    return numbers_.size() < kNumbers ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    RETURN_IF_ERROR(
        sink_->Append({reinterpret_cast<const std::byte*>(numbers_.data()), numbers_.size() * sizeof(uint32_t)}));
    written_ += numbers_.size() * sizeof(uint32_t);
    numbers_.clear();
    return absl::OkStatus();
  }
  // Adds zeros up to the offset, a multiple of four.
  absl::Status PadTo(uint64_t offset) {
    while (written_ + numbers_.size() * sizeof(uint32_t) < offset) RETURN_IF_ERROR(Add(0));
    return absl::OkStatus();
  }

 private:
  static constexpr size_t kNumbers = size_t{64} << 10;

  SectionSink* sink_;
  std::vector<uint32_t> numbers_;
  uint64_t written_ = 0;
};

absl::Status WriteLevel0(const BuiltGraph& graph, SectionSink* sink) {
  const LinkTable& table = *graph.levels[0];
  std::vector<uint32_t> node_of_slot(table.nodes());
  for (uint32_t node = 0; node < table.nodes(); ++node) node_of_slot[graph.order.slots[node]] = node;
  NumberWriter writer(sink);
  for (const uint32_t node : node_of_slot) {
    for (uint32_t i = 0; i < table.limit(); ++i) {
      const bool used = i < table.size(node);
      RETURN_IF_ERROR(writer.Add(used ? graph.order.slots[table.link(node, i).node] : kEndOfList));
    }
  }
  return writer.Flush();
}

Header MakeHeader(const BuiltGraph& graph, uint32_t m) {
  Header header;
  header.m = m;
  header.slot_count = graph.levels[0]->nodes();
  if (header.slot_count > 0) header.entry_slot = graph.order.slots[0];
  header.level_count = static_cast<uint32_t>(graph.order.member_counts.size());
  std::copy(graph.order.member_counts.begin(), graph.order.member_counts.end(), header.counts.begin());
  return header;
}

absl::Status WriteUpperLevels(const BuiltGraph& graph, uint32_t m, SectionSink* sink) {
  const Header header = MakeHeader(graph, m);
  const LevelsLayout layout(header);
  RETURN_IF_ERROR(sink->Append({reinterpret_cast<const std::byte*>(&header), sizeof(header)}));
  NumberWriter writer(sink);
  for (uint32_t member = 0; member < header.counts[0]; ++member) RETURN_IF_ERROR(writer.Add(graph.order.slots[member]));
  for (uint32_t level = 0; level < header.level_count; ++level) {
    RETURN_IF_ERROR(writer.PadTo(layout.links[level] - kHeaderBytes));
    const LinkTable& table = *graph.levels[level + 1];
    for (uint32_t member = 0; member < table.nodes(); ++member) {
      for (uint32_t i = 0; i < m; ++i) {
        RETURN_IF_ERROR(writer.Add(i < table.size(member) ? table.link(member, i).node : kEndOfList));
      }
    }
  }
  return writer.Flush();
}

}  // namespace

absl::Status WriteGraph(const BuiltGraph& graph, uint32_t m, SectionSink* sink) {
  const ParamMap params = {{"m", m}};
  RETURN_IF_ERROR(sink->BeginSection(SectionKind::kGraph, params));
  RETURN_IF_ERROR(WriteLevel0(graph, sink));
  RETURN_IF_ERROR(sink->BeginSection(SectionKind::kGraphLevels, params));
  return WriteUpperLevels(graph, m, sink);
}

uint64_t EstimateSectionBytes(uint64_t slot_count, uint32_t m) {
  // Each level has an m-th of the members of the one below.
  const uint64_t upper_rows = slot_count / (m - 1) + 1;
  return slot_count * 2 * m * sizeof(uint32_t) + kHeaderBytes + slot_count / m * sizeof(uint32_t) +
         upper_rows * m * sizeof(uint32_t);
}

}  // namespace varve::hnsw
