#include "engine/observe/metric_family.h"

#include "base/json_writer.h"

namespace varve {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// Exact, without an exponent: 1,500 microseconds are 0.0015.
std::string Seconds(uint64_t micros) {
  std::string text = std::to_string(micros / 1'000'000);
  const uint64_t rest = micros % 1'000'000;
  if (rest == 0) return text;
  std::string digits = std::to_string(1'000'000 + rest);
  digits[0] = '.';
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + digits;
}

std::string Number(uint64_t value, MetricUnit unit) {
  return unit == MetricUnit::kMicros ? Seconds(value) : std::to_string(value);
}

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

// Label values may hold anything; these three characters are escaped. What is not UTF-8 is replaced.
void AppendLabelValue(std::string_view value, std::string* text) {
  const std::string printable = IsUtf8(value) ? std::string(value) : std::string("not UTF-8");
  for (const char c : printable) {
    if (c == '\\' || c == '"') {
      *text += '\\';
      *text += c;
    } else if (c == '\n') {
      *text += "\\n";
    } else {
      *text += c;
    }
  }
}

class TextWriter {
 public:
  explicit TextWriter(std::string_view collection) : collection_(collection) {}

  void Add(const MetricFamily& family) {
    text_.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n");
    text_.append("# TYPE ").append(family.name).append(" ").append(TypeName(family.type)).append("\n");
    for (const MetricSample& sample : family.samples) {
      if (family.type == MetricType::kHistogram) {
        AddHistogram(family, sample);
      } else {
        AddLine(family.name, "", sample.labels, "", Number(sample.value, family.unit));
      }
    }
  }
  std::string Take() { return std::move(text_); }

 private:
  void AddHistogram(const MetricFamily& family, const MetricSample& sample) {
    const HistogramReading& reading = sample.histogram;
    uint64_t count = 0;
    for (size_t i = 0; i < reading.counts.size(); ++i) {
      count += reading.counts[i];
      const std::string bound =
          i < reading.bounds.size() ? Seconds(static_cast<uint64_t>(reading.bounds[i])) : std::string("+Inf");
      AddLine(family.name, "_bucket", sample.labels, bound, std::to_string(count));
    }
    AddLine(family.name, "_sum", sample.labels, "", Seconds(reading.sum_micros));
    AddLine(family.name, "_count", sample.labels, "", std::to_string(count));
  }

  void AddLine(std::string_view name, std::string_view suffix, const Labels& labels, const std::string& bound,
               const std::string& value) {
    text_.append(name).append(suffix).append("{collection=\"");
    AppendLabelValue(collection_, &text_);
    for (const auto& [label, its_value] : labels) {
      text_.append("\",").append(label).append("=\"");
      AppendLabelValue(its_value, &text_);
    }
    if (!bound.empty()) text_.append("\",le=\"").append(bound);
    text_.append("\"} ").append(value).append("\n");
  }

  const std::string_view collection_;
  std::string text_;
};

void WriteSample(const MetricFamily& family, const MetricSample& sample, JsonWriter* json) {
  json->BeginObject().Key("labels").BeginObject();
  for (const auto& [label, value] : sample.labels) json->Member(label, value);
  json->EndObject();
  if (family.type != MetricType::kHistogram) {
    json->Key("value").Raw(Number(sample.value, family.unit)).EndObject();
    return;
  }
  const HistogramReading& reading = sample.histogram;
  uint64_t count = 0;
  for (const uint64_t in_bucket : reading.counts) count += in_bucket;
  json->Member("count", count).Key("sum").Raw(Seconds(reading.sum_micros)).Key("buckets").BeginArray();
  count = 0;
  for (size_t i = 0; i < reading.counts.size(); ++i) {
    count += reading.counts[i];
    const bool bounded = i < reading.bounds.size();
    json->BeginObject().Key("le");
    json->Raw(bounded ? Seconds(static_cast<uint64_t>(reading.bounds[i])) : std::string("null"));
    json->Member("count", count).EndObject();
  }
  json->EndArray().EndObject();
}

}  // namespace

std::string ToPrometheusText(const std::vector<MetricFamily>& families, std::string_view collection) {
  TextWriter writer(collection);
  for (const MetricFamily& family : families) writer.Add(family);
  return writer.Take();
}

std::string ToMetricsJson(const std::vector<MetricFamily>& families, std::string_view collection) {
  JsonWriter json;
  json.BeginObject().Member("collection", collection).Key("metrics").BeginObject();
  for (const MetricFamily& family : families) {
    json.Key(family.name).BeginArray();
    for (const MetricSample& sample : family.samples) WriteSample(family, sample, &json);
    json.EndArray();
  }
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace varve
