// SPDX-License-Identifier: Apache-2.0
// What SimLoop promises beyond the contract of hal/loop.hpp.
#include "hal/sim/loop.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace berm::hal {
namespace {

TEST(SimLoop, TimeJumpsToTheNextTimerAndStandsStillInACallback) {
  SimLoop loop;
  const MonoTime start = loop.now();
  MonoTime seen{};
  loop.after(Seconds{86400}, [&] { seen = loop.now(); });
  EXPECT_TRUE(loop.step());
  EXPECT_EQ(seen - start, Seconds{86400});
  EXPECT_EQ(loop.now(), seen);
  EXPECT_FALSE(loop.step());
}

TEST(SimLoop, RunUntilIncludesItsBoundAndNothingBeyond) {
  SimLoop loop;
  int fired = 0;
  loop.after(Microseconds{10}, [&] { ++fired; });
  loop.after(Microseconds{11}, [&] { ++fired; });
  const MonoTime bound = loop.now() + Microseconds{10};
  loop.run_until(bound);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(loop.now(), bound);
  loop.run_for(Microseconds{1});
  EXPECT_EQ(fired, 2);
}

TEST(SimLoop, PostedCallbacksGoBeforeTimersOfTheSameInstant) {
  SimLoop loop;
  std::vector<int> order;
  loop.after(Microseconds{0}, [&] { order.push_back(2); });
  loop.post([&] { order.push_back(1); });
  EXPECT_TRUE(loop.run_until_idle());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(SimLoop, RunUntilIdleGivesUpOnAPeriodicTimer) {
  SimLoop loop;
  std::function<void()> again = [&] { loop.after(Seconds{1}, again); };
  again();
  EXPECT_FALSE(loop.run_until_idle(1000));
  EXPECT_EQ(loop.steps(), 1000u);
}

TEST(SimLoop, StopEndsTheRunAfterTheCallbackInHand) {
  SimLoop loop;
  int fired = 0;
  loop.after(Seconds{1}, [&] {
    ++fired;
    loop.stop();
  });
  loop.after(Seconds{2}, [&] { ++fired; });
  const MonoTime start = loop.now();
  loop.run_for(Seconds{10});
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(loop.now() - start, Seconds{1});
  loop.run_for(Seconds{10});
  EXPECT_EQ(fired, 2);
}

TEST(SimLoop, ATimerSetAgainAMillionTimesKeepsItsMemory) {
  SimLoop loop;
  Timer timer(loop);
  int fired = 0;
  for (int n = 0; n < 1'000'000; ++n) timer.after(Seconds{10 + n % 7}, [&] { ++fired; });
  EXPECT_TRUE(loop.run_until_idle());
  EXPECT_EQ(fired, 1);
}

TEST(TimerQueue, AnIdOfAnEarlierTimerInTheSamePlaceCancelsNothing) {
  TimerQueue timers;
  const TimerId first = timers.add(mono_us(1), [] {});
  timers.cancel(first);
  timers.add(mono_us(1), [] {});
  timers.cancel(first);
  EXPECT_EQ(timers.size(), 1u);
}

TEST(TimerQueue, ACancelledTimerMayCancelAnotherWhenItsCapturesDie) {
  SimLoop loop;
  auto inner = std::make_shared<Timer>(loop);
  inner->after(Seconds{1}, [] {});
  const TimerId outer = loop.after(Seconds{2}, [inner] {});
  inner.reset();
  loop.cancel(outer);
  EXPECT_TRUE(loop.is_idle());
}

}  // namespace
}  // namespace berm::hal
