// SPDX-License-Identifier: Apache-2.0
// WriteBudget: what was written in the last 24 hours, and how far groups are stretched so that a
// day's writes stay within a budget. Flash wears by bytes written, and many small commits are many
// bytes. Within their durability: only a stream whose policy gives a range ("group 1000-60000") is
// stretched, up to its end; `sync` never is. Looked at with every commit and every minute: above
// the part of the budget that the time so far stands for (and an hour's worth at the begin) the
// stretch doubles, at most kMaxStretch times; below four fifths of it, it is halved. Counts since
// the start of the process until that is 24 hours ago. Pure; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hal/base/time.hpp"

namespace berm::outbox {

class WriteBudget {
 public:
  static constexpr int kMaxStretch = 64;
  // 0: no budget.
  explicit WriteBudget(std::int64_t day_bytes) : day_bytes_(day_bytes) {}
  // `total`: bytes written ever, by whoever counts. Returns whether the stretch has changed.
  bool see(std::uint64_t total, MonoTime now);
  // Another budget from now on; what was counted stays.
  void limit(std::int64_t day_bytes) {
    day_bytes_ = day_bytes;
    if (day_bytes == 0) stretch_ = 1;
  }
  std::int64_t written_day() const;
  int stretch() const { return stretch_; }
  // Whether there is room for what could also wait.
  bool has_room() const { return day_bytes_ == 0 || stretch_ == 1; }

 private:
  static constexpr std::int64_t kHours = 24;
  std::int64_t allowed() const;
  std::int64_t day_bytes_;
  std::array<std::int64_t, kHours> hours_{};  // ring, by hours since the first look
  std::optional<MonoTime> first_;
  std::int64_t hour_ = 0;
  std::int64_t elapsed_s_ = 0;
  std::uint64_t total_ = 0;
  std::optional<MonoTime> adapted_;
  int stretch_ = 1;
};

}  // namespace berm::outbox
