// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/clock.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "hal/sim/loop.hpp"
#include "hal/sim/random.hpp"

namespace berm::hal {
namespace {

TEST(SimClock, WallTimeFollowsTheLoop) {
  SimLoop loop;
  const SimClock clock(loop, {.start = wall_s(1000), .source = ClockSource::rtc});
  loop.run_for(Seconds{5});
  EXPECT_EQ(clock.wall().time, wall_s(1005));
  EXPECT_EQ(clock.wall().source, ClockSource::rtc);
  EXPECT_EQ(clock.mono(), loop.now());
}

TEST(SimClock, StepsBothWaysMoveWallTimeOnly) {
  SimLoop loop;
  SimClock clock(loop, {.start = wall_s(1000)});
  const MonoTime before = clock.mono();
  clock.step(Seconds{3600});
  EXPECT_EQ(clock.wall().time, wall_s(4600));
  clock.step(Seconds{-7200});
  EXPECT_EQ(clock.wall().time, wall_s(-2600));
  clock.set_wall(wall_s(42));
  EXPECT_EQ(clock.wall().time, wall_s(42));
  EXPECT_EQ(clock.exact(), wall_s(1000));
  EXPECT_EQ(clock.mono(), before);
}

TEST(SimClock, DriftGainsPartsPerMillionFromWhenItIsSet) {
  SimLoop loop;
  SimClock clock(loop, {.start = wall_s(0)});
  loop.run_for(Seconds{100});
  clock.set_drift_ppm(50);
  loop.run_for(Seconds{1000});
  EXPECT_EQ(clock.wall().time, wall_us(1'100'050'000));
  clock.set_drift_ppm(-50);
  loop.run_for(Seconds{2000});
  EXPECT_EQ(clock.wall().time, wall_us(3'099'950'000));
  EXPECT_EQ(clock.exact(), wall_s(3100));
}

TEST(SimClock, ARebootHasAnotherIdAndItsOwnMonotonicTimeWhileWallTimeGoesOn) {
  SimLoop loop;
  SimRandom random(9);
  SimClock clock(loop, {.start = wall_s(1000)});
  loop.run_for(Seconds{50});
  const std::string first = clock.boot_id();
  SimLoop next(mono_us(5));
  clock.reboot(next, random, Seconds{60});
  EXPECT_EQ(clock.mono(), mono_us(5));
  EXPECT_EQ(clock.wall().time, wall_s(1110));
  EXPECT_EQ(clock.exact(), wall_s(1110));
  EXPECT_NE(clock.boot_id(), first);
  EXPECT_EQ(clock.boot_id().size(), 36u);
}

TEST(RateScale, RealIsTheFirstMicrosecondAtWhichTheFastTimeIsReached) {
  for (const double rate : {0.001, 0.3, 1.0, 1.5, 60.0, 3600.0, 100000.0}) {
    const RateScale scale(mono_us(1000), rate);
    for (std::int64_t us = 1000; us < 400'000; us += 3331) {
      const MonoTime real = scale.real(mono_us(us));
      EXPECT_GE(scale.fast(real), mono_us(us)) << rate;
      if (us > 1000) {
        EXPECT_LT(scale.fast(real - Microseconds{1}), mono_us(us)) << rate;
      }
    }
  }
}

TEST(RateLoop, ADayPassesInSecondsAndClockAndLoopAgree) {
  SimLoop real;
  const SimClock real_clock(real, {.start = wall_s(5000)});
  const RateScale scale(real.now(), 3600);
  RateLoop loop(real, scale);
  const RateClock clock(real_clock, scale);
  int ticks = 0;
  std::function<void()> tick = [&] {
    ++ticks;
    EXPECT_EQ(loop.now(), clock.mono());
    loop.after(Seconds{60}, tick);
  };
  loop.after(Seconds{60}, tick);
  real.run_for(Seconds{24});
  EXPECT_NEAR(ticks, 1440, 1);
  EXPECT_EQ(clock.wall().time, wall_s(5000 + 86400));
}

TEST(RateLoop, TimersWithinOneRealMicrosecondKeepTheirOrder) {
  SimLoop real;
  RateLoop loop(real, RateScale(real.now(), 100000));
  std::vector<int> fired;
  const MonoTime start = loop.now();
  loop.at(start + Microseconds{900}, [&] { fired.push_back(3); });
  loop.at(start + Microseconds{100}, [&] { fired.push_back(1); });
  loop.at(start + Microseconds{500}, [&] { fired.push_back(2); });
  EXPECT_TRUE(real.run_until_idle());
  EXPECT_EQ(fired, (std::vector<int>{1, 2, 3}));
}

TEST(RateClock, AStepOfTheMachinesClockIsNotFollowed) {
  SimLoop real;
  SimClock real_clock(real, {.start = wall_s(0)});
  const RateClock clock(real_clock, RateScale(real.now(), 10));
  real.run_for(Seconds{1});
  real_clock.step(Seconds{1000});
  EXPECT_EQ(clock.wall().time, wall_s(10));
}

}  // namespace
}  // namespace berm::hal
