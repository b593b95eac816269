// SPDX-License-Identifier: Apache-2.0
// LineSplitter: pieces of a byte stream become lines of at most `max` bytes, without their newline.
// A longer one is told once, cut to `max`, as not whole; what follows up to its newline is dropped.
// Plain value; no allocation beyond `max`; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace berm {

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t max) : max_(max) { line_.reserve(max); }

  // `on_line(std::string_view line, bool is_whole)`.
  template <class OnLine>
  void feed(std::string_view bytes, OnLine&& on_line) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, end);
      const std::size_t room = max_ - line_.size();
      if (!is_dropping_) line_ += piece.substr(0, room);
      if (!is_dropping_ && piece.size() > room) {
        is_dropping_ = true;
        on_line(std::string_view(line_), false);
      }
      if (end == std::string_view::npos) return;
      if (!is_dropping_) on_line(std::string_view(line_), true);
      is_dropping_ = false;
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
  }
  // Bytes of a line that has not ended.
  std::size_t pending() const { return line_.size(); }

 private:
  std::size_t max_;
  std::string line_;
  bool is_dropping_ = false;
};

}  // namespace berm
