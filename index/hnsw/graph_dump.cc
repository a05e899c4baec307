#include "index/hnsw/graph_dump.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "absl/strings/str_format.h"

namespace varve::hnsw {
namespace {

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += absl::StrFormat("\\u%04x", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

struct Degrees {
  uint64_t nodes = 0;
  uint64_t links = 0;
  uint32_t smallest = 0xFFFFFFFF;
  uint32_t largest = 0;

  void AddRow(const uint32_t* row, uint32_t width) {
    const uint32_t size = static_cast<uint32_t>(std::find(row, row + width, kEndOfList) - row);
    ++nodes;
    links += size;
    smallest = std::min(smallest, size);
    largest = std::max(largest, size);
  }

  std::string ToJson(uint32_t level) const {
    const double mean = nodes == 0 ? 0.0 : static_cast<double>(links) / static_cast<double>(nodes);
    return absl::StrFormat(R"({"level":%u,"nodes":%u,"min_degree":%u,"mean_degree":%.2f,"max_degree":%u})", level,
                           nodes, nodes == 0 ? 0 : smallest, mean, largest);
  }
};

}  // namespace

std::string DumpGraph(const absl::StatusOr<GraphView>& opened) {
  if (!opened.ok()) {
    return absl::StrFormat(R"({"type":"hnsw","error":%s})", JsonString(std::string(opened.status().message())));
  }
  const GraphView& graph = *opened;
  Degrees degrees;
  for (SlotId slot = 0; slot < graph.slot_count(); ++slot) degrees.AddRow(graph.Row(slot), graph.row_width());
  std::string levels = degrees.ToJson(0);
  for (uint32_t level = 1; level <= graph.level_count(); ++level) {
    degrees = {};
    for (uint32_t member = 0; member < graph.member_count(level); ++member) {
      degrees.AddRow(graph.UpperRow(level, member), graph.m());
    }
    levels += ',';
    levels += degrees.ToJson(level);
  }
  const std::string entry = graph.slot_count() == 0 ? "null" : std::to_string(graph.entry_slot());
  return absl::StrFormat(R"({"type":"hnsw","m":%u,"slots":%u,"entry_slot":%s,"levels":[%s]})", graph.m(),
                         graph.slot_count(), entry, levels);
}

}  // namespace varve::hnsw
