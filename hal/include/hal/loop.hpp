// SPDX-License-Identifier: Apache-2.0
// Loop: the one thread on which firmware/ and drivers/ live, and its timers. linux/: epoll; sim/:
// virtual time, where `now` jumps from timer to timer. Everything is called on the loop's thread
// except `post`. A callback must return within milliseconds: no sleep, no disk, no DNS. Timers fire
// in order of their time, equal ones in order of their making; never early. A cancelled timer never
// fires. Limit: kMaxPosted callbacks may wait in `post`; one more is a broken invariant.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "hal/base/time.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxPosted = 65536;

using TimerId = std::uint64_t;  // 0 is never a timer

class Loop {
 public:
  using Callback = std::function<void()>;
  virtual ~Loop() = default;
  // The instant this turn of the loop began (µs of CLOCK_MONOTONIC).
  virtual MonoTime now() const = 0;
  virtual TimerId at(MonoTime time, Callback callback) = 0;
  virtual void cancel(TimerId id) = 0;  // 0 and a fired one are fine
  // Runs `callback` on the loop's thread soon. Any thread.
  virtual void post(Callback callback) = 0;

  TimerId after(Microseconds delay, Callback callback) {
    return at(now() + delay, std::move(callback));
  }
};

// A timer that dies with its owner: setting it again cancels the one before.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }
  void at(MonoTime time, Loop::Callback callback) {
    cancel();
    id_ = loop_.at(time, [this, callback = std::move(callback)] {
      id_ = 0;
      callback();
    });
  }
  void after(Microseconds delay, Loop::Callback callback) {
    at(loop_.now() + delay, std::move(callback));
  }
  void cancel() {
    if (id_ != 0) loop_.cancel(std::exchange(id_, 0));
  }
  bool is_set() const { return id_ != 0; }

 private:
  Loop& loop_;
  TimerId id_ = 0;
};

}  // namespace berm::hal
