// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/gps_clock.hpp"

#include <gtest/gtest.h>

#include "hal/sim/clock.hpp"
#include "hal/sim/loop.hpp"

namespace berm::agent {
namespace {

using drivers::TimeVerdict;

constexpr WallTime kBuilt = wall_s(1'795'000'000);
constexpr WallTime kTrue = wall_s(1'800'000'000);  // at the loop's begin

class GpsClockTest : public testing::Test {
 protected:
  // A fix now that shows `wrong` more than the truth and took `way` to us.
  TimeVerdict offer(Microseconds wrong = Microseconds{0}, Microseconds way = Microseconds{200'000},
                    Microseconds error = Microseconds{505'000}) {
    return clock_.offer({truth() + wrong - way, loop_.now(), error});
  }
  TimeVerdict offer_after(Microseconds pause, Microseconds wrong = Microseconds{0},
                          Microseconds way = Microseconds{200'000}) {
    loop_.run_for(pause);
    return offer(wrong, way);
  }
  WallTime truth() const { return kTrue + (loop_.now() - hal::SimLoop::kDefaultStart); }
  void trust() {
    offer();
    while (offer_after(Seconds{1}) == TimeVerdict::waiting) {
    }
    ASSERT_EQ(source(), ClockSource::gps);
  }
  ClockSource source() const { return clock_.wall().source; }
  Microseconds wrong_by() const { return clock_.wall().time - truth(); }
  std::int64_t counted(TimeVerdict verdict) {
    return clock_.status().integer(drivers::name_of(verdict));
  }

  hal::SimLoop loop_;
  // A machine that begins in 1970, as those without a battery do.
  hal::SimClock machine_{loop_, {.start = wall_s(0), .source = ClockSource::none}};
  GpsClock clock_{machine_, kBuilt};
};

TEST_F(GpsClockTest, ShowsTheMachinesClockBeforeAnyOffer) {
  EXPECT_EQ(clock_.wall().time, machine_.wall().time);
  EXPECT_EQ(source(), ClockSource::none);
  EXPECT_EQ(clock_.mono(), loop_.now());
  EXPECT_EQ(clock_.boot_id(), machine_.boot_id());
  EXPECT_FALSE(clock_.has_been_offered());
}

TEST_F(GpsClockTest, BelievesWhatAgrees) {
  EXPECT_EQ(offer(), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::waiting);
  EXPECT_EQ(source(), ClockSource::none);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::used);
  EXPECT_EQ(source(), ClockSource::gps);
  EXPECT_EQ(wrong_by(), Microseconds{-200'000}) << "the way from the receiver";
  loop_.run_for(Seconds{100});
  EXPECT_EQ(wrong_by(), Microseconds{-200'000}) << "monotonic time goes on";
}

TEST_F(GpsClockTest, TheSameTimeTwiceAgreesOnce) {
  EXPECT_EQ(offer(), TimeVerdict::waiting);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(offer(), TimeVerdict::waiting);
}

TEST_F(GpsClockTest, OffersThatDisagreeAreNotBelieved) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(offer_after(Seconds{10}, Seconds{i % 2 == 0 ? 3 : 0}), TimeVerdict::waiting);
  }
  EXPECT_EQ(source(), ClockSource::none);
}

TEST_F(GpsClockTest, TheKernelsSynchronisedClockGoesFirst) {
  trust();
  machine_.set_wall(truth() + Seconds{7});
  machine_.set_source(ClockSource::ntp);
  EXPECT_EQ(source(), ClockSource::ntp);
  EXPECT_EQ(wrong_by(), Seconds{7});
  machine_.set_source(ClockSource::rtc);
  EXPECT_EQ(source(), ClockSource::gps) << "before a declared clock";
}

TEST_F(GpsClockTest, AStepOfTheMachinesClockDoesNotTouchIt) {
  trust();
  machine_.step(Seconds{1'000'000});
  EXPECT_EQ(source(), ClockSource::gps);
  EXPECT_EQ(wrong_by(), Microseconds{-200'000});
}

TEST_F(GpsClockTest, RefusesTimesBeforeTheBuild) {
  const auto offer_at = [&](WallTime time) {
    return clock_.offer({time, loop_.now(), Microseconds{5000}});
  };
  for (int i = 0; i < 10; ++i) {
    loop_.run_for(Seconds{1});
    EXPECT_EQ(offer_at(wall_s(1'118'327'685 + i)), TimeVerdict::before_build);
  }
  EXPECT_EQ(source(), ClockSource::none);
  EXPECT_EQ(offer_at(kBuilt - Microseconds{1}), TimeVerdict::before_build);
  EXPECT_EQ(offer_at(kBuilt), TimeVerdict::waiting);
  EXPECT_EQ(counted(TimeVerdict::before_build), 11);
}

TEST_F(GpsClockTest, RefusesUncertainTimes) {
  EXPECT_EQ(offer({}, {}, kMaxTimeError + Microseconds{1}), TimeVerdict::uncertain);
  EXPECT_EQ(offer({}, {}, kMaxTimeError), TimeVerdict::waiting);
}

TEST_F(GpsClockTest, RefusesTimesThatJumpBack) {
  trust();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(offer_after(Seconds{1}, Seconds{-3600}), TimeVerdict::jumped_back);
  }
  EXPECT_EQ(wrong_by(), Microseconds{-200'000});
  EXPECT_EQ(counted(TimeVerdict::jumped_back), 100);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::used);
}

TEST_F(GpsClockTest, AJumpBackBeforeTrustBeginsAnew) {
  EXPECT_EQ(offer(Seconds{86'400}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}, Seconds{86'400}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::jumped_back);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::used);
  EXPECT_EQ(wrong_by(), Microseconds{-200'000});
}

TEST_F(GpsClockTest, RefusesWhatComesFarTooLate) {
  trust();
  EXPECT_EQ(offer_after(Seconds{5}, {}, Microseconds{1'300'000}), TimeVerdict::late);
  EXPECT_EQ(offer_after(Seconds{5}, {}, Microseconds{1'199'000}), TimeVerdict::used);
}

TEST_F(GpsClockTest, KeepsTheShortestWay) {
  trust();
  EXPECT_EQ(offer_after(Seconds{1}, {}, Microseconds{90'000}), TimeVerdict::used);
  EXPECT_EQ(wrong_by(), Microseconds{-90'000});
  offer_after(Seconds{1}, {}, Microseconds{600'000});
  EXPECT_EQ(wrong_by(), Microseconds{-90'000 - kMaxDriftPpm});
}

// A crystal that gains 80 ppm on true time for a day.
TEST_F(GpsClockTest, FollowsADriftingCrystal) {
  trust();
  Microseconds gained{0};
  for (int minute = 0; minute < 24 * 60; ++minute) {
    gained += Microseconds{60 * 80};
    ASSERT_EQ(offer_after(Seconds{60}, -gained), TimeVerdict::used) << minute;
  }
  const Microseconds wrong = wrong_by() + gained;
  EXPECT_LT(std::chrono::abs(wrong), Milliseconds{250});
}

TEST_F(GpsClockTest, ATimeFarAheadTakesManyThatAgree) {
  trust();
  for (int i = 1; i < kAgreeingAhead; ++i) {
    EXPECT_EQ(offer_after(Seconds{1}, Seconds{500}), TimeVerdict::ahead);
  }
  EXPECT_EQ(wrong_by(), Microseconds{-200'000});
  EXPECT_EQ(offer_after(Seconds{1}, Seconds{500}), TimeVerdict::used);
  EXPECT_EQ(wrong_by(), Seconds{500} - Microseconds{200'000});
}

TEST_F(GpsClockTest, OneThatAgreesEndsACandidateAhead) {
  trust();
  for (int i = 1; i < kAgreeingAhead; ++i) offer_after(Seconds{1}, Seconds{500});
  EXPECT_EQ(offer_after(Seconds{1}), TimeVerdict::used);
  EXPECT_EQ(offer_after(Seconds{1}, Seconds{500}), TimeVerdict::ahead);
}

TEST_F(GpsClockTest, TrustEndsHoursAfterTheLastThatAgreed) {
  trust();
  loop_.run_for(kGpsTrust);
  EXPECT_EQ(source(), ClockSource::gps);
  loop_.run_for(Microseconds{1});
  EXPECT_EQ(source(), ClockSource::none);
  EXPECT_EQ(wrong_by(), Microseconds{-200'000}) << "still better than a clock nobody vouches for";
  machine_.set_source(ClockSource::rtc);
  EXPECT_EQ(clock_.wall().time, machine_.wall().time);
  EXPECT_EQ(source(), ClockSource::rtc);
}

TEST_F(GpsClockTest, AfterTheEndOfTrustItIsAsOnTheFirstDay) {
  trust();
  loop_.run_for(kGpsTrust + Seconds{1});
  EXPECT_EQ(offer(Seconds{-30}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}, Seconds{-30}), TimeVerdict::waiting);
  EXPECT_EQ(offer_after(Seconds{1}, Seconds{-30}), TimeVerdict::used);
  EXPECT_EQ(source(), ClockSource::gps);
}

TEST_F(GpsClockTest, SaysHowFarTheMachineIsOff) {
  trust();
  machine_.set_wall(truth() - Seconds{9});
  const Status status = clock_.status();
  EXPECT_EQ(status.integer("ahead_ms"), 8800);
  EXPECT_EQ(status.integer("age_s"), 0);
  EXPECT_EQ(status.integer("used"), 1);
  EXPECT_EQ(status.integer("waiting"), 2);
}

}  // namespace
}  // namespace berm::agent
