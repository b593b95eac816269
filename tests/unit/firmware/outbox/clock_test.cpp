// SPDX-License-Identifier: Apache-2.0
// Promise outbox-7: time is honest.
#include <gtest/gtest.h>

#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class OutboxClock : public ::testing::Test {
 protected:
  void SetUp() override {
    bed_.clock().set_source(ClockSource::none);
    bed_.options.hold_for_clock_s = 600;
  }
  OutboxBed bed_;
};

TEST_F(OutboxClock, EventsWaitWhileTheTimeIsUnknownAndLeaveWithTheBootsClock) {
  bed_.clock().set_wall(wall_s(100));  // 1970
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{10});
  EXPECT_EQ(bed_.outbox().waiting(0), 2);
  const auto held = bed_.take(0);
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->events.empty());
  EXPECT_FALSE(held->more) << "there is nothing to ask for in a loop";
  int told = 0;
  bed_.outbox().on_available(0, [&] { ++told; });
  bed_.clock().set_wall(wall_s(1'800'000'010));
  bed_.clock().set_source(ClockSource::gps);
  bed_.run_for(Seconds{6});
  EXPECT_GE(told, 1);
  const auto events = bed_.drain(0);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(field_of(events[1], "time"), "1800000000");
  EXPECT_EQ(field_of(events[1], "clock"), "gps");
  EXPECT_EQ(events[1].made_ms, 1'800'000'000'000);
}

TEST_F(OutboxClock, AfterTheHoldTheyLeaveAsAnEstimateAndLaterOnesWaitNoMore) {
  bed_.clock().set_wall(wall_s(1'700'000'000));
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{594});
  EXPECT_TRUE(bed_.take(0)->events.empty());
  bed_.run_for(Seconds{16});
  auto events = bed_.drain(0);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(field_of(events[1], "clock"), "none");
  EXPECT_EQ(field_of(events[1], "time"), "1700000000");
  EXPECT_FALSE(events[1].made_ms) << "when it was made is not known";
  bed_.append_lane(2);
  bed_.run_for(Seconds{2});
  events = bed_.drain(0);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(field_of(events[0], "time"), "1700000610");
}

TEST_F(OutboxClock, CorrectionIsAnEventAndNoByteChanges) {
  bed_.clock().set_wall(wall_s(1'700'000'000));
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.append_lane(2);
  bed_.run_for(Seconds{610});
  const auto before = bed_.take(0);
  ASSERT_TRUE(before);
  ASSERT_EQ(before->events.size(), 3u);
  bed_.outbox().return_all(0);
  bed_.clock().step(Seconds{3600});
  bed_.clock().set_source(ClockSource::ntp);
  bed_.run_for(Seconds{61});
  const auto after = bed_.drain(0);
  ASSERT_EQ(after.size(), 5u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(after[i].line, before->events[i].line);
  std::vector<std::string> corrections;
  for (const event::Event& event : only(after, "node.clock")) {
    corrections.push_back(field_of(event, "of") + " " + field_of(event, "ranges") + " " +
                          field_of(event, "offset_ms"));
    EXPECT_EQ(field_of(event, "boot"), bed_.clock().boot_id());
    EXPECT_EQ(field_of(event, "clock"), "ntp");
  }
  EXPECT_EQ(corrections,
            (std::vector<std::string>{"node.epoch 1-1 3600000", "traffic.lane 1-2 3600000"}));
  bed_.run_for(Seconds{200});
  EXPECT_TRUE(bed_.drain(0).empty()) << "corrected once";
}

TEST_F(OutboxClock, EstimateIsNeverBeforeWhatIsStored) {
  bed_.clock().set_source(ClockSource::ntp);
  bed_.clock().set_wall(wall_s(1'800'000'000));
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{3600});
  bed_.append_lane(1);
  bed_.run_for(Seconds{2});
  bed_.close();
  bed_.power_cut();
  bed_.clock().set_source(ClockSource::none);
  bed_.clock().set_wall(wall_s(50));
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(2);
  bed_.run_for(Seconds{620});
  const auto events = only(bed_.drain(0), "traffic.lane");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_GE(events[2].time_s, 1'800'003'600);
  EXPECT_LE(events[2].time_s, 1'800'003'700);
  EXPECT_EQ(field_of(events[2], "clock"), "none");
}

TEST_F(OutboxClock, EventsOfABootThatNeverKnewTheTimeAreDatedBeforeTheNextOne) {
  bed_.clock().set_wall(wall_s(10));
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{5});
  bed_.append_lane(2);
  bed_.run_for(Seconds{5});
  bed_.power_cut();
  ASSERT_TRUE(bed_.open());
  bed_.clock().set_source(ClockSource::ntp);
  bed_.clock().set_wall(wall_s(1'800'000'000));
  const std::int64_t boot_began = 1'800'000'000 - us_of(bed_.clock().mono()) / 1'000'000;
  bed_.run_for(Seconds{10});
  const auto events = only(bed_.drain(0), "traffic.lane");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(field_of(events[0], "clock"), "none");
  EXPECT_EQ(events[1].time_s, boot_began);
  EXPECT_EQ(events[0].time_s, boot_began - 5);
}

TEST_F(OutboxClock, HeldStreamDoesNotHoldTheOthers) {
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{2});
  // A source that knows the time by itself.
  bed_.append(drivers::Row{.stream = "node.health",
                           .when = {bed_.clock().mono(), wall_s(1'800'000'000), ClockSource::gps},
                           .values = {{"version", std::string("1")}}});
  bed_.run_for(Seconds{2});
  const auto events = bed_.drain(0);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].schema->name, "node.health");
  EXPECT_EQ(events[0].time_s, 1'800'000'000);
}

TEST_F(OutboxClock, ClockKnownAtTheCommitIsEnough) {
  bed_.clock().set_source(ClockSource::ntp);
  bed_.clock().set_wall(wall_s(1'800'000'000));
  bed_.does_know_time = false;  // the drafts come without
  ASSERT_TRUE(bed_.open());
  bed_.append_lane(1);
  bed_.run_for(Seconds{2});
  const auto events = only(bed_.drain(0), "traffic.lane");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(field_of(events[0], "time"), "1800000000");
  EXPECT_EQ(field_of(events[0], "clock"), "ntp");
}

TEST_F(OutboxClock, StepOfTheClockReordersNothing) {
  bed_.clock().set_source(ClockSource::ntp);
  ASSERT_TRUE(bed_.open());
  bed_.drain(0);
  bed_.append_lane(1);
  bed_.run_for(Seconds{2});
  bed_.clock().step(Seconds{-86400});
  bed_.append_lane(2);
  bed_.run_for(Seconds{2});
  bed_.clock().step(Seconds{2 * 86400});
  bed_.append_lane(3);
  bed_.run_for(Seconds{2});
  const auto events = bed_.drain(0);
  ASSERT_EQ(events.size(), 3u);
  for (std::int64_t i = 0; i < 3; ++i) EXPECT_EQ(events[static_cast<std::size_t>(i)].seq, i + 1);
  EXPECT_LT(events[1].time_s, events[0].time_s);
  EXPECT_GT(events[2].time_s, events[0].time_s);
}

}  // namespace
}  // namespace berm::test
