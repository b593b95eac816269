// SPDX-License-Identifier: Apache-2.0
// What EpollLoop has beyond the contract: descriptors, signals, stop. No test waits for real time
// longer than a timer of some milliseconds; what should not happen is looked for in the turn where
// it would.
#include "hal/linux/loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace berm::hal {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  void put(char c) const { EXPECT_EQ(::write(write_end.get(), &c, 1), 1); }
  char take() const {
    char c = 0;
    return ::read(read_end.get(), &c, 1) == 1 ? c : '\0';
  }
};

// Ends the loop two turns from now: what is ready has been seen by then.
void stop_soon(EpollLoop& loop) {
  loop.post([&loop] { loop.post([&loop] { loop.stop(); }); });
}

TEST(EpollLoop, AReadableDescriptorIsReportedUntilItIsRead) {
  EpollLoop loop;
  const Pipe pipe;
  int calls = 0;
  const FdWatch watch = loop.watch(pipe.read_end.get(), {.read = true}, [&](FdEvents events) {
    EXPECT_TRUE(events.readable);
    EXPECT_FALSE(events.writable);
    EXPECT_FALSE(events.failed);
    if (++calls == 2) {
      EXPECT_EQ(pipe.take(), 'x');
      stop_soon(loop);
    }
  });
  pipe.put('x');
  loop.run();
  EXPECT_EQ(calls, 2);
}

TEST(EpollLoop, AHangUpComesAsReadableAndFailed) {
  EpollLoop loop;
  Pipe pipe;
  FdEvents seen;
  const FdWatch watch = loop.watch(pipe.read_end.get(), {.read = true}, [&](FdEvents events) {
    seen = events;
    loop.stop();
  });
  pipe.write_end.reset();
  loop.run();
  EXPECT_TRUE(seen.readable);
  EXPECT_TRUE(seen.failed);
  EXPECT_FALSE(seen.writable);
}

TEST(EpollLoop, WithoutInterestNotEvenAHangUpIsReported) {
  EpollLoop loop;
  Pipe pipe;
  int calls = 0;
  FdWatch watch = loop.watch(pipe.read_end.get(), {.read = true}, [&](FdEvents) {
    ++calls;
    loop.stop();
  });
  watch.change({});
  pipe.write_end.reset();
  stop_soon(loop);
  loop.run();
  EXPECT_EQ(calls, 0);
  watch.change({.read = true});
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, InterestChangesFromReadingToWriting) {
  EpollLoop loop;
  const Pipe pipe;
  int calls = 0;
  FdWatch watch = loop.watch(pipe.write_end.get(), {}, [&](FdEvents events) {
    EXPECT_TRUE(events.writable);
    ++calls;
    loop.stop();
  });
  stop_soon(loop);
  loop.run();
  EXPECT_EQ(calls, 0);
  watch.change({.write = true});
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, AWatchMayEndItselfInItsCallback) {
  EpollLoop loop;
  const Pipe pipe;
  int calls = 0;
  auto alive = std::make_shared<int>(7);
  FdWatch watch;
  watch = loop.watch(pipe.read_end.get(), {.read = true}, [&loop, &calls, &watch, alive](FdEvents) {
    watch.reset();
    calls += *alive;  // what the callback holds lives on until it returns
    stop_soon(loop);
  });
  pipe.put('x');
  loop.run();
  EXPECT_EQ(calls, 7);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_FALSE(watch.is_active());
}

TEST(EpollLoop, AWatchEndedByAnotherOfTheSameTurnIsNotCalled) {
  EpollLoop loop;
  const Pipe one;
  const Pipe two;
  int calls = 0;
  FdWatch first;
  FdWatch second;
  const auto take = [&](FdEvents) {
    ++calls;
    first.reset();
    second.reset();
    stop_soon(loop);
  };
  first = loop.watch(one.read_end.get(), {.read = true}, take);
  second = loop.watch(two.read_end.get(), {.read = true}, take);
  one.put('x');
  two.put('x');
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, ADescriptorNumberUsedAgainInOneTurnIsAnotherWatch) {
  EpollLoop loop;
  auto old = std::make_unique<Pipe>();
  old->put('x');
  int calls = 0;
  std::unique_ptr<Pipe> fresh;
  FdWatch watch;
  // The timer comes before the descriptors of its turn, which were collected before.
  loop.at(MonoTime{}, [&] {
    watch.reset();
    old.reset();
    fresh = std::make_unique<Pipe>();
    watch = loop.watch(fresh->read_end.get(), {.read = true}, [&](FdEvents) { ++calls; });
    stop_soon(loop);
  });
  watch = loop.watch(old->read_end.get(), {.read = true}, [&](FdEvents) { ++calls; });
  loop.run();
  EXPECT_EQ(calls, 0);
}

TEST(EpollLoop, AWatchMayEndAfterItsDescriptorWasClosedAndTheNumberUsedAgain) {
  EpollLoop loop;
  auto old = std::make_unique<Pipe>();
  const int number = old->read_end.get();
  FdWatch stale = loop.watch(number, {.read = true}, [](FdEvents) { FAIL(); });
  old.reset();
  const Pipe fresh;
  ASSERT_EQ(fresh.read_end.get(), number);
  int calls = 0;
  const FdWatch watch = loop.watch(number, {.read = true}, [&](FdEvents) {
    ++calls;
    loop.stop();
  });
  stale.reset();
  fresh.put('x');
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, AMovedWatchGoesOn) {
  EpollLoop loop;
  const Pipe pipe;
  int calls = 0;
  FdWatch first = loop.watch(pipe.read_end.get(), {.read = true}, [&](FdEvents) {
    ++calls;
    loop.stop();
  });
  FdWatch second = std::move(first);
  EXPECT_TRUE(second.is_active());
  FdWatch third;
  third = std::move(second);
  pipe.put('x');
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, StopBeforeRunEndsTheNextRunAtOnceAndOnlyThat) {
  EpollLoop loop;
  int calls = 0;
  loop.stop();
  loop.run();
  loop.post([&] {
    ++calls;
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EpollLoop, AnotherThreadMayStopItWhileItSleeps) {
  EpollLoop loop;
  std::thread other;
  loop.post([&] { other = std::thread([&loop] { loop.stop(); }); });
  loop.run();
  other.join();
}

// Threads that post numbers at once, and what of them has come on the loop.
struct Posters {
  static constexpr std::size_t kThreads = 4;
  static constexpr int kEach = 5000;
  EpollLoop loop;
  std::array<int, kThreads> next{};
  std::size_t ended = 0;

  void post_all(std::size_t thread) {
    for (int i = 0; i < kEach; ++i) {
      loop.post([this, thread, i] { take(thread, i); });
    }
  }
  void take(std::size_t thread, int number) {
    EXPECT_EQ(next[thread]++, number);
    if (number + 1 == kEach && ++ended == kThreads) loop.stop();
  }
};

TEST(EpollLoop, ThreadsThatPostAtOnceKeepEachTheirOwnOrder) {
  Posters posters;
  std::array<std::thread, Posters::kThreads> threads;
  for (std::size_t t = 0; t < threads.size(); ++t) {
    threads[t] = std::thread([&posters, t] { posters.post_all(t); });
  }
  posters.loop.run();
  for (std::thread& thread : threads) thread.join();
  for (const int count : posters.next) EXPECT_EQ(count, Posters::kEach);
}

TEST(EpollLoop, AnIdleLoopSleeps) {
  EpollLoop loop;
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &before);
  loop.after(Milliseconds{100}, [&] { loop.stop(); });
  loop.run();
  ::getrusage(RUSAGE_THREAD, &after);
  EXPECT_LE(after.ru_nvcsw - before.ru_nvcsw, 3);
}

TEST(EpollLoop, RandomTimersFireOnceEachInOrderUnlessCancelled) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  EpollLoop loop;
  std::set<std::pair<MonoTime, int>> expected;
  std::vector<std::pair<MonoTime, int>> fired;
  std::vector<std::pair<TimerId, std::pair<MonoTime, int>>> made;
  const MonoTime begin = loop.now();
  for (int i = 0; i < 3000; ++i) {
    const MonoTime time = begin + Microseconds{static_cast<std::int64_t>(random() % 5000)};
    made.push_back({loop.at(time, [&fired, time, i] { fired.push_back({time, i}); }), {time, i}});
    expected.insert({time, i});
    if (random() % 3 != 0) continue;
    const auto& victim = made[random() % made.size()];
    loop.cancel(victim.first);
    expected.erase(victim.second);
  }
  loop.at(begin + Milliseconds{6}, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(fired, std::vector(expected.begin(), expected.end()));
}

TEST(EpollLoop, WhatWaitsWhenItDiesIsLetGoAndMayOwnTimers) {
  auto held = std::make_shared<int>(0);
  {
    EpollLoop loop;
    auto timer = std::make_shared<Timer>(loop);
    timer->after(Seconds{100}, [held] { ++*held; });
    loop.after(Seconds{200}, [timer, held] { ++*held; });
    loop.post([timer, held] { ++*held; });
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(*held, 0);
}

TEST(SignalWatch, ASignalBecomesACallOnTheLoop) {
  sigset_t before;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  {
    EpollLoop loop;
    std::vector<int> taken;
    const SignalWatch watch(loop, {SIGUSR1, SIGUSR2}, [&](int signal) {
      taken.push_back(signal);
      if (taken.size() == 2) loop.stop();
    });
    loop.post([] { ::raise(SIGUSR1); });
    loop.after(Milliseconds{1}, [] { ::raise(SIGUSR2); });
    loop.run();
    EXPECT_EQ(taken, (std::vector<int>{SIGUSR1, SIGUSR2}));
  }
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

using EpollLoopDeathTest = testing::Test;

TEST(EpollLoopDeathTest, OneCallbackMoreThanMayWaitIsABrokenInvariant) {
  EpollLoop loop;
  for (std::size_t i = 0; i < kMaxPosted; ++i) loop.post([] {});
  EXPECT_DEATH(loop.post([] {}), "broken invariant");
}

TEST(EpollLoopDeathTest, AWatchThatOutlivesItsLoopIsABrokenInvariant) {
  const Pipe pipe;
  EXPECT_DEATH(
      {
        FdWatch watch;
        EpollLoop loop;
        watch = loop.watch(pipe.read_end.get(), {.read = true}, [](FdEvents) {});
      },
      "broken invariant");
}

}  // namespace
}  // namespace berm::hal
