// SPDX-License-Identifier: Apache-2.0
// One line to stderr with a syslog priority prefix (`<4>outbox: …`), as journald reads it. Each Log
// has the name of its component. An episode is one line at its begin and one at its end: `Log`
// itself lets at most LogBurst::kBurst lines a minute through per component (debug lines aside) and
// says how many it held back. Any thread. The level is process-wide and may be changed while
// running (shell verb `loglevel`).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berm {

enum class LogLevel { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

// The limit of one component: at most kBurst lines in a window of kWindowS. Pure but for its lock.
class LogBurst {
 public:
  static constexpr int kBurst = 60;
  static constexpr std::int64_t kWindowS = 60;
  struct Verdict {
    bool allowed = true;
    std::int64_t held_back = 0;  // in the window that ended; said once
  };
  Verdict ask(std::int64_t now_s);

 private:
  std::mutex mutex_;
  std::optional<std::int64_t> window_begin_s_;
  int lines_ = 0;
  std::int64_t held_back_ = 0;
};

// Copies stay the same component and share its limit.
class Log {
 public:
  explicit Log(std::string_view component)
      : component_(component), burst_(std::make_shared<LogBurst>()) {}
  void error(std::string_view text) const { write(LogLevel::error, text); }
  void warning(std::string_view text) const { write(LogLevel::warning, text); }
  void notice(std::string_view text) const { write(LogLevel::notice, text); }
  void info(std::string_view text) const { write(LogLevel::info, text); }
  void debug(std::string_view text) const { write(LogLevel::debug, text); }

  static void set_level(LogLevel level);
  static LogLevel level();
  // Tests and the simulator take the lines themselves; nullptr: stderr again.
  using Writer = void (*)(LogLevel level, std::string_view component, std::string_view text);
  static void set_writer(Writer writer);
  // The last kRecent lines, oldest first, each cut to kRecentBytes: for a diagnosis from afar.
  static constexpr std::size_t kRecent = 100;
  static constexpr std::size_t kRecentBytes = 300;
  static std::vector<std::string> recent();

 private:
  void write(LogLevel level, std::string_view text) const;
  std::string component_;
  std::shared_ptr<LogBurst> burst_;
};

}  // namespace berm
