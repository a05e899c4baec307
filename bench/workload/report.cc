#include <iomanip>
#include <sstream>

#include "bench/workload/churn.h"

namespace varve::churn {
namespace {

double Ratio(uint64_t a, uint64_t b) { return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b); }

std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return quoted + "\"";
}

}  // namespace

double ChurnReport::space_amplification() const { return Ratio(directory.bytes, rebuilt.bytes); }
double ChurnReport::space_over_raw() const { return Ratio(directory.bytes, raw_bytes); }
double ChurnReport::write_amplification() const { return Ratio(bytes_written, put_bytes); }

std::string ChurnReport::ToJson() const {
  std::ostringstream json;
  json << std::setprecision(6) << "{\"rows\":" << rows << ",\"live_rows\":" << live_rows
       << ",\"operations\":" << operations << ",\"rows_put\":" << rows_put << ",\"load_seconds\":" << load_seconds
       << ",\"churn_seconds\":" << churn_seconds << ",\"settle_seconds\":" << settle_seconds
       << ",\"settled\":" << (settled ? "true" : "false")
       << ",\"writes_per_second\":" << (churn_seconds > 0 ? static_cast<double>(operations) / churn_seconds : 0)
       << ",\"stall_seconds\":" << stall_seconds << ",\"recall\":{\"fresh\":" << fresh_recall
       << ",\"minimal\":" << minimal_recall << ",\"final\":" << final_recall << ",\"rebuilt\":" << rebuilt_recall
       << ",\"samples\":" << recall_samples << "},\"searches\":" << during.searches << ",\"p50_us\":" << during.p50_us
       << ",\"p99_us\":" << during.p99_us << ",\"hits\":" << hits << ",\"judged_hits\":" << judged_hits
       << ",\"short_answers\":" << short_answers << ",\"directory_bytes\":" << directory.bytes
       << ",\"rebuilt_bytes\":" << rebuilt.bytes << ",\"raw_bytes\":" << raw_bytes
       << ",\"space_amplification\":" << space_amplification() << ",\"space_over_raw\":" << space_over_raw()
       << ",\"files\":" << directory.files << ",\"most_files\":" << most_files << ",\"segments\":" << segments
       << ",\"segment_rows\":" << segment_rows << ",\"dead_rows\":" << dead_rows
       << ",\"memtable_rows\":" << memtable_rows << ",\"held_segments\":" << held_segments << ",\"merges\":" << merges
       << ",\"flushes\":" << flushes << ",\"bytes_written\":" << bytes_written
       << ",\"write_amplification\":" << write_amplification() << ",\"findings\":" << findings << ",\"broken\":[";
  for (size_t i = 0; i < broken.size(); ++i) json << (i == 0 ? "" : ",") << Quote(broken[i]);
  json << "]}";
  return json.str();
}

}  // namespace varve::churn
