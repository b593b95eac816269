// SPDX-License-Identifier: Apache-2.0
// EpollLoop: the Loop of the real machine, one epoll instance that waits for timers, posted
// callbacks and file descriptors. Owned by main; used by everything that lives on the loop, and
// through `watch` by the other files of hal/linux (sockets, edge queues, signals).
//
// Promises: no tick, so a loop with nothing to do sleeps for ever; a timer fires never early and at
// most about 1 ms late (the wait is rounded up to whole milliseconds) when no callback holds the
// loop; at most kMaxTimersPerTurn timers fire before the file descriptors are looked at again, so a
// timer that sets itself again at once starves nobody. Setting and cancelling a timer is O(log n).
// `now()` is the instant the present turn began; outside of `run` it reads the clock.
//
// Thread: everything on the thread that calls `run` (before `run`: the one that made it), except
// `post` and `stop`. Lifetime: outlives every FdWatch, Timer and SignalWatch made from it. What was
// posted and not run when it dies is dropped. Fails: only by programmer error (watching a plain
// file, watching one descriptor twice): BERM_ASSERT. A watch ends before its descriptor is closed.
// A callback may end any watch, its own too.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hal/base/unique_fd.hpp"
#include "hal/loop.hpp"

namespace berm::hal {

inline constexpr int kMaxTimersPerTurn = 1024;
inline constexpr int kMaxFdEventsPerTurn = 64;

struct FdInterest {
  bool read = false;
  bool write = false;
};

// `failed`: error or hang-up. It comes together with what was asked for (read, write), so that the
// next read or write shows the reason.
struct FdEvents {
  bool readable = false;
  bool writable = false;
  bool failed = false;
};

class EpollLoop;

// Watches one descriptor until it dies. Level triggered. Without any interest nothing is reported,
// not even a hang-up.
class FdWatch {
 public:
  FdWatch() = default;
  FdWatch(FdWatch&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), id_(std::exchange(other.id_, 0)) {}
  FdWatch& operator=(FdWatch&& other) noexcept;
  ~FdWatch() { reset(); }

  void change(FdInterest interest);
  void reset();
  bool is_active() const { return loop_ != nullptr; }

 private:
  friend class EpollLoop;
  FdWatch(EpollLoop& loop, std::uint64_t id) : loop_(&loop), id_(id) {}
  EpollLoop* loop_ = nullptr;
  std::uint64_t id_ = 0;
};

class EpollLoop final : public Loop {
 public:
  using FdCallback = std::function<void(FdEvents)>;

  EpollLoop();
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;
  ~EpollLoop() override;

  // Returns after `stop`; may be called again.
  void run();
  // Ends `run` after the present turn; before `run`: the next one returns at once. Any thread.
  void stop();

  MonoTime now() const override;
  TimerId at(MonoTime time, Callback callback) override;
  void cancel(TimerId id) override;
  void post(Callback callback) override;

  [[nodiscard]] FdWatch watch(int fd, FdInterest interest, FdCallback callback);

 private:
  friend class FdWatch;
  struct Watched {
    int fd = -1;
    FdInterest interest;
    FdCallback callback;
  };
  using Watches = std::unordered_map<std::uint64_t, Watched>;
  using TimerKey = std::pair<MonoTime, TimerId>;

  void change_watch(std::uint64_t id, FdInterest interest);
  void end_watch(std::uint64_t id);
  void control(int operation, std::uint64_t id, const Watched& watched);
  void forget_closed(int fd);
  bool is_on_loop_thread() const;
  int wait_ms() const;
  void turn();
  void fire_timers();
  void run_posted();
  void dispatch(std::uint64_t id, std::uint32_t events);
  void wake();

  UniqueFd epoll_;
  UniqueFd wake_;
  std::atomic<std::thread::id> thread_{};
  std::atomic<bool> stopping_{false};
  bool in_turn_ = false;
  MonoTime turn_began_{};

  TimerId last_timer_ = 0;
  std::map<TimerKey, Callback> timers_;
  std::unordered_map<TimerId, MonoTime> timer_times_;

  std::uint64_t last_watch_ = 0;  // 0 is the eventfd
  Watches watches_;
  std::vector<Watches::node_type>
      ended_;  // kept until the turn is over: one of them may be running

  std::mutex posted_mutex_;
  std::vector<Callback> posted_;
};

// Takes signals (SIGTERM, SIGINT …) as calls on the loop. Made in main before any other thread, so
// that all threads inherit the block. The signals stay blocked when it dies: a second SIGTERM must
// not cut an orderly end short. A child process must unblock them for itself.
class SignalWatch {
 public:
  SignalWatch(EpollLoop& loop, std::initializer_list<int> signals,
              std::function<void(int signal)> on_signal);

 private:
  void take();
  std::function<void(int)> on_signal_;
  UniqueFd fd_;
  FdWatch watch_;
};

}  // namespace berm::hal
