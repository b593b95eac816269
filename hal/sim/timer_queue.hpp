// SPDX-License-Identifier: Apache-2.0
// TimerQueue: the timers of one loop in order of their time, equal ones in order of their making.
// Used by SimLoop and RateLoop. A binary heap over slots that are used again: about 100 ns a timer,
// no allocation beyond the callback's own. A cancelled timer leaves its heap entry behind; when
// those outnumber the live ones the heap is rebuilt, so memory follows the number of live timers.
// At most kMaxTimers at once (one more is a broken invariant). One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "hal/loop.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxTimers = std::size_t{1} << 22;

class TimerQueue {
 public:
  TimerId add(MonoTime time, Loop::Callback callback);
  void cancel(TimerId id);
  bool is_empty() const { return live_ == 0; }
  std::size_t size() const { return live_; }
  // Precondition: not empty.
  MonoTime next_time();
  // The sequence that the next added timer will have: what a turn may run is older than this.
  std::uint64_t next_sequence() const { return next_sequence_; }
  std::uint64_t first_sequence();
  // Removes the first timer and returns its callback. Precondition: not empty.
  Loop::Callback take_first();

 private:
  struct Slot {
    Loop::Callback callback;
    std::uint64_t sequence = 0;  // 0: free
  };
  struct Entry {
    MonoTime time;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  static bool is_later(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }
  bool is_live(const Entry& entry) const { return slots_[entry.slot].sequence == entry.sequence; }
  void free_slot(std::uint32_t slot);
  void drop_stale();
  void compact();

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Entry> heap_;
  std::size_t live_ = 0;
  std::uint64_t next_sequence_ = 1;
};

}  // namespace berm::hal
