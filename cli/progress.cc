#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/output.h"
#include "varve/clock.h"

namespace varve::cli {
namespace {

constexpr int64_t kFirstDrawUs = 1'000'000;
constexpr int64_t kRedrawUs = 200'000;
constexpr size_t kBarWidth = 24;

std::string TimeLeft(double seconds) {
  const auto whole = static_cast<uint64_t>(std::min(seconds, 1e9));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

void WriteToTerminal(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

Progress::Progress(std::string unit, uint64_t total)
    : unit_(std::move(unit)),
      total_(total),
      shown_(::isatty(STDERR_FILENO) == 1),
      start_us_(Clock::Default()->MonotonicMicros()),
      next_us_(start_us_ + kFirstDrawUs) {}

Progress::~Progress() {
  absl::MutexLock lock(&mutex_);
  if (drawn_width_ != 0) WriteToTerminal("\r" + std::string(drawn_width_, ' ') + "\r");
}

void Progress::Add(uint64_t count) {
  if (!shown_) return;
  const uint64_t done = done_.fetch_add(count, std::memory_order_relaxed) + count;
  const int64_t now_us = Clock::Default()->MonotonicMicros();
  int64_t due_us = next_us_.load(std::memory_order_relaxed);
  if (now_us < due_us || !next_us_.compare_exchange_strong(due_us, now_us + kRedrawUs)) return;
  absl::MutexLock lock(&mutex_);
  Draw(done, now_us);
}

void Progress::Draw(uint64_t done, int64_t now_us) {
  const double rate = static_cast<double>(done) / (static_cast<double>(now_us - start_us_) / 1e6);
  std::string line;
  if (total_ != 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const auto filled = static_cast<size_t>(share * kBarWidth);
    line = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " + Fixed(share * 100, 0) + "%  ";
  }
  line += WithCommas(done) + " " + unit_ + "  " + WithCommas(static_cast<uint64_t>(rate)) + "/s";
  if (total_ > done && rate > 0) line += "  " + TimeLeft(static_cast<double>(total_ - done) / rate) + " left";
  const size_t width = line.size();
  if (width < drawn_width_) line.append(drawn_width_ - width, ' ');
  drawn_width_ = width;
  WriteToTerminal("\r" + line);
}

}  // namespace varve::cli
