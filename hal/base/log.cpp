// SPDX-License-Identifier: Apache-2.0
#include "hal/base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <utility>

namespace berm {
namespace {

std::atomic<LogLevel> current_level{LogLevel::info};
std::atomic<Log::Writer> current_writer{nullptr};

// One write() call per line, so that lines of several threads never mix.
void write_to_stderr(LogLevel level, std::string_view component, std::string_view text) {
  std::string line;
  line.reserve(component.size() + text.size() + 8);
  line.push_back('<');
  line.push_back(static_cast<char>('0' + static_cast<int>(level)));
  line.push_back('>');
  line.append(component);
  line.append(": ");
  for (const char c : text) line.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  line.push_back('\n');
  // Where stderr is gone there is nowhere left to say so.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

// The lines told last, in a ring.
class RecentLines {
 public:
  void add(std::string_view component, std::string_view text) {
    std::string line(component);
    line.append(": ").append(text.substr(0, Log::kRecentBytes));
    const std::lock_guard lock(mutex_);
    if (lines_.size() == Log::kRecent) lines_.pop_front();
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end()};
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> lines_;
};

// Never destroyed: a thread may log until the process is gone.
RecentLines& recent_lines() {
  static auto* const lines = new RecentLines;
  return *lines;
}

void hand_over(LogLevel level, std::string_view component, std::string_view text) {
  recent_lines().add(component, text);
  const Log::Writer writer = current_writer.load(std::memory_order_acquire);
  (writer != nullptr ? writer : &write_to_stderr)(level, component, text);
}

// Logging has no Clock: it must work before one exists and must not go astray in virtual time.
std::int64_t steady_s() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

LogBurst::Verdict LogBurst::ask(std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  Verdict verdict;
  if (!window_begin_s_ || now_s - *window_begin_s_ >= kWindowS) {
    window_begin_s_ = now_s;
    lines_ = 0;
    verdict.held_back = std::exchange(held_back_, 0);
  }
  verdict.allowed = lines_ < kBurst;
  if (verdict.allowed) {
    ++lines_;
  } else {
    ++held_back_;
  }
  return verdict;
}

void Log::write(LogLevel level, std::string_view text) const {
  if (level > current_level.load(std::memory_order_relaxed)) return;
  // Debug lines were asked for by a person who is watching: all of them go out.
  if (level == LogLevel::debug) return hand_over(level, component_, text);
  const LogBurst::Verdict verdict = burst_->ask(steady_s());
  if (verdict.held_back > 0) {
    hand_over(LogLevel::warning, component_,
              std::to_string(verdict.held_back) + " lines were held back");
  }
  if (verdict.allowed) hand_over(level, component_, text);
}

std::vector<std::string> Log::recent() {
  return recent_lines().all();
}

void Log::set_level(LogLevel level) {
  current_level.store(level, std::memory_order_relaxed);
}

LogLevel Log::level() {
  return current_level.load(std::memory_order_relaxed);
}

void Log::set_writer(Writer writer) {
  current_writer.store(writer, std::memory_order_release);
}

}  // namespace berm
