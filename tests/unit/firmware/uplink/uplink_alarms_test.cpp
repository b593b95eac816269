// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/uplink_alarms.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"
#include "hal/sim/loop.hpp"
#include "tests/unit/firmware/uplink/recorded_alarms.hpp"

namespace berm::uplink {
namespace {

using History = std::vector<std::string>;

struct UplinkAlarmsTest : testing::Test {
  hal::SimLoop loop;
  RecordedAlarms sink;
  UplinkAlarms alarms{"flume", loop, sink};
};

TEST_F(UplinkAlarmsTest, DownBeginsAfterThirtySecondsOfTroubleNotSooner) {
  alarms.failed("HTTP 502", Trouble::none, 7);
  loop.run_for(kDownAfter - Microseconds(1));
  EXPECT_TRUE(sink.history.empty());
  loop.run_for(Microseconds(1));
  EXPECT_EQ(sink.text("uplink_down/flume"),
            "flume has taken nothing for 30 s: HTTP 502; 7 events wait");
  EXPECT_TRUE(alarms.is_down());
}

TEST_F(UplinkAlarmsTest, ShortTroubleIsNoAlarm) {
  alarms.failed("HTTP 502", Trouble::none, 7);
  loop.run_for(kDownAfter - Microseconds(1));
  alarms.delivered();
  loop.run_for(Seconds(3600));
  EXPECT_TRUE(sink.history.empty());
}

TEST_F(UplinkAlarmsTest, DownEndsWithADelivery) {
  alarms.failed("HTTP 502", Trouble::none, 7);
  loop.run_for(Seconds(60));
  alarms.delivered();
  EXPECT_EQ(sink.history, (History{"begin uplink_down/flume", "end uplink_down/flume"}));
}

TEST_F(UplinkAlarmsTest, ALastingConnectionEndsTheTroubleOfALostOne) {
  alarms.lost("connection refused", Trouble::none, 0);
  loop.run_for(Seconds(60));
  alarms.connected();
  loop.run_for(kConnectedAfter - Microseconds(1));
  EXPECT_TRUE(sink.is_on("uplink_down/flume"));
  loop.run_for(Microseconds(1));
  EXPECT_FALSE(sink.is_on("uplink_down/flume"));
}

TEST_F(UplinkAlarmsTest, AConnectionThatKeepsBreakingIsDown) {
  for (int i = 0; i < 10; ++i) {
    alarms.lost("connection reset", Trouble::none, 0);
    loop.run_for(Seconds(2));
    alarms.connected();
    loop.run_for(Seconds(5));
  }
  EXPECT_TRUE(sink.is_on("uplink_down/flume"));
}

TEST_F(UplinkAlarmsTest, AConnectionDoesNotEndTheTroubleOfBadAnswers) {
  alarms.failed("MQTT 128 unspecified error", Trouble::none, 5);
  alarms.lost("connection reset", Trouble::none, 5);
  alarms.connected();
  loop.run_for(Seconds(60));
  EXPECT_TRUE(sink.is_on("uplink_down/flume"));
}

TEST_F(UplinkAlarmsTest, NamedTroublesBeginAtOnceAndEndWithADelivery) {
  alarms.failed("HTTP 401", Trouble::not_authorized, 1);
  alarms.failed("self-signed", Trouble::certificate, 1);
  alarms.failed("MQTT 16", Trouble::no_subscriber, 1);
  EXPECT_TRUE(sink.is_on("uplink_not_authorized/flume"));
  EXPECT_TRUE(sink.is_on("uplink_certificate/flume"));
  EXPECT_TRUE(sink.is_on("no_subscriber/flume"));
  alarms.delivered();
  EXPECT_FALSE(sink.is_on("uplink_not_authorized/flume"));
  EXPECT_FALSE(sink.is_on("uplink_certificate/flume"));
  EXPECT_FALSE(sink.is_on("no_subscriber/flume"));
}

TEST_F(UplinkAlarmsTest, RejectingEndsWithADelivery) {
  alarms.failed("HTTP 400", Trouble::none, 1);
  alarms.rejecting("HTTP 400");
  EXPECT_TRUE(sink.is_on("uplink_rejecting/flume"));
  alarms.delivered();
  EXPECT_FALSE(sink.is_on("uplink_rejecting/flume"));
}

TEST_F(UplinkAlarmsTest, RefusedCountsAndEndsAnHourAfterTheLast) {
  alarms.set_aside("HTTP 400: bad JSON");
  loop.run_for(Seconds(1800));
  alarms.set_aside("HTTP 413");
  EXPECT_EQ(sink.text("uplink_refused/flume"),
            "flume takes all but 2 events, which are set aside here: HTTP 413");
  loop.run_for(kRefusedAlarmFor - Microseconds(1));
  EXPECT_TRUE(sink.is_on("uplink_refused/flume"));
  loop.run_for(Microseconds(1));
  EXPECT_EQ(sink.history, (History{"begin uplink_refused/flume", "end uplink_refused/flume"}));
}

TEST_F(UplinkAlarmsTest, IdentityUsedTwiceOutlivesDeliveriesAndEndsWhenNobodyComesAgain) {
  alarms.lost("taken over", Trouble::identity_used_twice, 1);
  alarms.connected();
  alarms.delivered();
  loop.run_for(Seconds(300));
  alarms.lost("taken over", Trouble::identity_used_twice, 1);
  loop.run_for(Seconds(3600));
  EXPECT_TRUE(sink.is_on("identity_used_twice/flume"));
  alarms.connected();
  loop.run_for(kIdentityAlarmFor - Microseconds(1));
  EXPECT_TRUE(sink.is_on("identity_used_twice/flume"));
  loop.run_for(Microseconds(1));
  EXPECT_FALSE(sink.is_on("identity_used_twice/flume"));
}

TEST_F(UplinkAlarmsTest, NothingTicksWhileNothingIsWrong) {
  alarms.connected();
  alarms.delivered();
  EXPECT_TRUE(loop.is_idle());
}

}  // namespace
}  // namespace berm::uplink
