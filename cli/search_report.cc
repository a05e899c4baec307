#include "cli/search_report.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "base/json_writer.h"
#include "base/status.h"
#include "cli/output.h"
#include "cli/record_json.h"

namespace varve::cli {
namespace {

double QueriesPerSecond(const QueryRun& run) {
  return run.seconds > 0 ? static_cast<double>(run.results.size()) / run.seconds : 0;
}

void WriteHits(const SearchResult& result, JsonWriter* writer) {
  writer->BeginArray();
  for (const Hit& hit : result.hits) {
    writer->BeginObject();
    WriteBytes("key", hit.key, writer);
    if (!hit.ns.empty()) WriteBytes("namespace", hit.ns, writer);
    writer->Key("score").Float(hit.score).Key("distance").Float(hit.distance);
    writer->EndObject();
  }
  writer->EndArray();
}

void WriteParts(const SearchResult& result, JsonWriter* writer) {
  writer->BeginArray();
  for (const PartProfile& part : result.parts) {
    writer->BeginObject();
    writer->Key("segment").Uint(part.segment);
    writer->Key("index").String(part.index);
    writer->Key("plan").String(part.plan);
    writer->Key("rows").Uint(part.rows);
    writer->Key("matching_rows").Uint(part.matching_rows);
    writer->Key("distances").Uint(part.distances);
    writer->Key("nodes_visited").Uint(part.nodes_visited);
    writer->Key("microseconds").Double(part.microseconds);
    writer->EndObject();
  }
  writer->EndArray();
}

std::string Printable(const std::string& bytes) { return IsUtf8(bytes) ? bytes : Quoted(bytes); }

void PrintHits(const SearchReport& report) {
  for (size_t i = 0; i < report.run->results.size(); ++i) {
    PrintLine("");
    const std::string& id = (*report.queries)[i].id;
    PrintLine("query " + std::to_string(i) + (id.empty() ? "" : ", id " + id));
    Table table({"place", "key", "namespace", "score", "distance"});
    size_t place = 0;
    for (const Hit& hit : report.run->results[i].hits) {
      table.AddRow({std::to_string(++place), Printable(hit.key), Printable(hit.ns),
                    JsonWriter().Float(hit.score).Take(), JsonWriter().Float(hit.distance).Take()});
    }
    table.Print();
  }
}

// Means over the queries, per part and plan.
void PrintProfile(const QueryRun& run) {
  struct Sums {
    uint64_t searches = 0;
    PartProfile total;
  };
  std::map<std::tuple<FileId, std::string, std::string>, Sums> parts;
  for (const SearchResult& result : run.results) {
    for (const PartProfile& part : result.parts) {
      Sums& sums = parts[{part.segment, part.index, part.plan}];
      ++sums.searches;
      sums.total.rows = part.rows;
      sums.total.distances += part.distances;
      sums.total.nodes_visited += part.nodes_visited;
      sums.total.microseconds += part.microseconds;
    }
  }
  PrintLine("");
  Table table({"segment", "index", "plan", "rows", "searches", "distances", "nodes", "us"});
  for (const auto& [name, sums] : parts) {
    const auto mean = [&sums = sums](double total) { return Fixed(total / static_cast<double>(sums.searches), 1); };
    table.AddRow({std::to_string(std::get<0>(name)), std::get<1>(name), std::get<2>(name), WithCommas(sums.total.rows),
                  WithCommas(sums.searches), mean(static_cast<double>(sums.total.distances)),
                  mean(static_cast<double>(sums.total.nodes_visited)), mean(sums.total.microseconds)});
  }
  table.Print();
}

}  // namespace

std::string ToJson(const SearchReport& report) {
  const QueryRun& run = *report.run;
  JsonWriter writer;
  writer.BeginObject();
  writer.Key("queries").Uint(run.results.size());
  writer.Key("k").Uint(report.k);
  writer.Key("recall");
  report.recall ? writer.Double(*report.recall) : writer.Null();
  writer.Key("qps").Double(QueriesPerSecond(run));
  writer.Key("latency_us").BeginObject();
  writer.Key("p50").Double(Percentile(run.latencies_us, 0.5)).Key("p99").Double(Percentile(run.latencies_us, 0.99));
  writer.EndObject();
  if (report.with_results) {
    writer.Key("results").BeginArray();
    for (const SearchResult& result : run.results) WriteHits(result, &writer);
    writer.EndArray();
  }
  const std::vector<Query>& queries = *report.queries;
  if (std::any_of(queries.begin(), queries.end(), [](const Query& query) { return !query.id.empty(); })) {
    writer.Key("ids").BeginArray();
    for (const Query& query : queries) query.id.empty() ? writer.Null() : writer.Raw(query.id);
    writer.EndArray();
  }
  if (report.with_profile) {
    writer.Key("profile").BeginArray();
    for (const SearchResult& result : run.results) WriteParts(result, &writer);
    writer.EndArray();
  }
  writer.EndObject();
  return writer.Take();
}

void PrintTables(const SearchReport& report) {
  const QueryRun& run = *report.run;
  Table table;
  table.AddRow({"queries", WithCommas(run.results.size())});
  table.AddRow({"k", WithCommas(report.k)});
  table.AddRow({"recall", report.recall ? Fixed(*report.recall, 4) : "not measured"});
  table.AddRow({"qps", WithCommas(static_cast<uint64_t>(QueriesPerSecond(run)))});
  table.AddRow({"p50 us", Fixed(Percentile(run.latencies_us, 0.5), 0)});
  table.AddRow({"p99 us", Fixed(Percentile(run.latencies_us, 0.99), 0)});
  table.Print();
  if (report.with_profile) PrintProfile(run);
  if (report.with_results) PrintHits(report);
}

}  // namespace varve::cli
