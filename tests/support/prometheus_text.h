// A strict reader of Prometheus' text format 0.0.4, stricter than Prometheus: also our own rules for names, and the
// order of lines.
#ifndef VARVE_TESTS_SUPPORT_PROMETHEUS_TEXT_H_
#define VARVE_TESTS_SUPPORT_PROMETHEUS_TEXT_H_

#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace varve::testing {

class PrometheusText {
 public:
  // Every fault is a failure of the running test.
  explicit PrometheusText(const std::string& text) {
    EXPECT_TRUE(text.ends_with('\n')) << "the last line does not end";
    size_t start = 0;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
      ReadLine(text.substr(start, end - start));
      start = end + 1;
    }
    EndFamily();
  }

  // The value of `varve_writes_total{op="put"}`; labels in the order of the text, without `collection`.
  double operator[](const std::string& sample) const {
    const auto found = values_.find(sample);
    EXPECT_NE(found, values_.end()) << "there is no " << sample;
    return found == values_.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
  }
  const std::map<std::string, double>& values() const { return values_; }
  const std::set<std::string>& families() const { return seen_families_; }
  const std::set<std::string>& collections() const { return collections_; }

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  void ReadLine(const std::string& line) {
    SCOPED_TRACE(line);
    static const std::regex help("# HELP ([a-z_][a-z0-9_]*) (\\S.*\\S)");
    static const std::regex type("# TYPE ([a-z_][a-z0-9_]*) (counter|gauge|histogram)");
    std::smatch match;
    if (std::regex_match(line, match, help)) {
      EndFamily();
      family_ = match[1];
      type_.clear();
      CheckFamilyName();
    } else if (std::regex_match(line, match, type)) {
      EXPECT_EQ(match[1], family_) << "TYPE does not follow its HELP";
      EXPECT_TRUE(type_.empty()) << "a second TYPE";
      type_ = match[2];
      EXPECT_EQ(type_ == "counter", family_.ends_with("_total")) << "_total is for counters, and for all of them";
    } else {
      ReadSample(line);
    }
  }

  void CheckFamilyName() {
    EXPECT_TRUE(seen_families_.insert(family_).second) << "the family begins twice";
    EXPECT_TRUE(family_.starts_with("varve_"));
    for (const char* unit : {"milli", "micro", "nano", "kilo", "mega", "percent"}) {
      EXPECT_EQ(family_.find(unit), std::string::npos) << "base units only";
    }
  }

  void ReadSample(const std::string& line) {
    static const std::regex sample("([a-z_][a-z0-9_]*)\\{(.*)\\} ([0-9]+(\\.[0-9]+)?)");
    std::smatch match;
    if (!std::regex_match(line, match, sample)) {
      ADD_FAILURE() << "no comment and no sample";
      return;
    }
    EXPECT_FALSE(type_.empty()) << "a sample before its TYPE";
    const std::string name = match[1];
    Labels labels = ReadLabels(match[2]);
    if (labels.empty() || labels.front().first != "collection") {
      ADD_FAILURE() << "the first label is not collection";
      return;
    }
    collections_.insert(labels.front().second);
    labels.erase(labels.begin());
    const double value = std::strtod(match[3].str().c_str(), nullptr);
    EXPECT_TRUE(values_.emplace(Spell(name, labels), value).second) << "the sample is there twice";
    if (type_ == "histogram") {
      ReadHistogramLine(name, labels, value);
    } else {
      EXPECT_EQ(name, family_) << "a sample outside its family";
    }
  }

  static Labels ReadLabels(std::string text) {
    static const std::regex label("^([a-z_]+)=\"((\\\\[\\\\\"n]|[^\\\\\"\n])*)\"(,?)");
    Labels labels;
    std::set<std::string> names;
    std::smatch match;
    bool more = true;
    while (more && std::regex_search(text, match, label)) {
      EXPECT_TRUE(names.insert(match[1]).second) << "a label twice";
      labels.emplace_back(match[1], match[2]);
      more = match[4].length() != 0;
      text = match.suffix();
    }
    EXPECT_TRUE(text.empty() && !more) << "what follows is no label: " << text;
    return labels;
  }

  static std::string Spell(const std::string& name, const Labels& labels) {
    std::string spelled = name;
    for (const auto& [label, value] : labels) {
      spelled += (&label == &labels.front().first ? "{" : ",") + label + "=\"" + value + "\"";
    }
    return labels.empty() ? spelled : spelled + "}";
  }

  // Buckets with growing bounds and counts, the last one +Inf; then the sum; then the count.
  void ReadHistogramLine(const std::string& name, Labels labels, double value) {
    if (name == family_ + "_bucket") {
      ASSERT_FALSE(labels.empty());
      ASSERT_EQ(labels.back().first, "le");
      const std::string bound = labels.back().second;
      labels.pop_back();
      BeginSeries(Spell("", labels));
      const double number =
          bound == "+Inf" ? std::numeric_limits<double>::infinity() : std::strtod(bound.c_str(), nullptr);
      EXPECT_GT(number, last_bound_) << "bounds do not grow";
      EXPECT_GE(value, last_count_) << "buckets are not cumulative";
      last_bound_ = number;
      last_count_ = value;
      return;
    }
    BeginSeries(Spell("", labels));
    EXPECT_EQ(last_bound_, std::numeric_limits<double>::infinity()) << "no bucket +Inf";
    if (name == family_ + "_sum") {
      EXPECT_FALSE(has_sum_);
      has_sum_ = true;
    } else {
      EXPECT_EQ(name, family_ + "_count");
      EXPECT_TRUE(has_sum_) << "the sum comes before the count";
      EXPECT_EQ(value, last_count_) << "the count is not that of +Inf";
      has_count_ = true;
    }
  }

  void BeginSeries(const std::string& series) {
    if (series_ == series) return;
    EndSeries();
    EXPECT_TRUE(seen_series_.insert(family_ + series).second) << "the lines of a series are not together";
    series_ = series;
  }
  void EndSeries() {
    EXPECT_TRUE(!series_.has_value() || has_count_) << family_ << " has an unfinished series";
    series_.reset();
    last_bound_ = -1;
    last_count_ = 0;
    has_sum_ = has_count_ = false;
  }
  void EndFamily() {
    EndSeries();
    EXPECT_TRUE(family_.empty() || !type_.empty()) << family_ << " has no TYPE";
  }

  std::map<std::string, double> values_;
  std::set<std::string> seen_families_;
  std::set<std::string> seen_series_;
  std::set<std::string> collections_;
  std::string family_;
  std::string type_;
  std::optional<std::string> series_;  // of a histogram: its labels but for `le`
  double last_bound_ = -1;
  double last_count_ = 0;
  bool has_sum_ = false;
  bool has_count_ = false;
};

}  // namespace varve::testing

#endif  // VARVE_TESTS_SUPPORT_PROMETHEUS_TEXT_H_
