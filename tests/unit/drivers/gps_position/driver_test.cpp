// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/driver.hpp"

#include <gtest/gtest.h>

#include "tests/unit/drivers/gps_position/gps_bed.hpp"

namespace berm::drivers::gps_position {
namespace {

using Strings = std::vector<std::string>;

class GpsDriverTest : public testing::Test {
 protected:
  void start(std::string_view options = "{}") { ASSERT_TRUE(bed_.start(options)); }
  std::string state() { return bed_.driver().status().text("state"); }
  GpsBed bed_;
};

TEST_F(GpsDriverTest, TurnsAGoodFixIntoAPosition) {
  start();
  bed_.say(good_fix());
  ASSERT_EQ(bed_.rows.size(), 1u);
  const Row& row = bed_.rows[0];
  EXPECT_EQ(row.stream, "position");
  EXPECT_EQ(field(row, "lat"), "51.2000");
  EXPECT_EQ(field(row, "lon"), "4.4000");
  EXPECT_EQ(field(row, "alt_m"), "7.0000");
  EXPECT_EQ(field(row, "speed_kmh"), "72.0000");
  EXPECT_EQ(field(row, "track_deg"), "12.5000");
  EXPECT_EQ(field(row, "accuracy_m"), "4.0000");
  EXPECT_EQ(field(row, "mode"), "3");
  EXPECT_EQ(field(row, "satellites"), "9");
  EXPECT_EQ(field(row, "elapsed_s"), "0");
  EXPECT_EQ(field(row, "distance_m"), "0.0000");
  EXPECT_EQ(state(), "running");
}

TEST_F(GpsDriverTest, StampsWithTheAgentsClockNotTheReceivers) {
  start();
  hal::PositionFix fix = good_fix();
  fix.gps_time = wall_s(1'118'327'685);  // 2005
  bed_.run_for(Seconds{5});
  bed_.say(fix);
  ASSERT_EQ(bed_.rows.size(), 1u);
  EXPECT_EQ(bed_.rows[0].when.mono, bed_.now());
  EXPECT_EQ(bed_.rows[0].when.wall, bed_.sim_clock().wall().time);
  EXPECT_EQ(bed_.rows[0].when.clock, ClockSource::ntp);
}

TEST_F(GpsDriverTest, LeavesTheTimeOpenWhileNobodyKnowsIt) {
  start();
  bed_.sim_clock().set_source(ClockSource::none);
  bed_.say(good_fix());
  ASSERT_EQ(bed_.rows.size(), 1u);
  EXPECT_FALSE(bed_.rows[0].when.wall);
  EXPECT_EQ(bed_.rows[0].when.clock, ClockSource::none);
}

TEST_F(GpsDriverTest, SaysNullForWhatTheReceiverDoesNotSay) {
  start();
  hal::PositionFix fix = good_fix();
  fix.mode = 2;
  fix.alt_m.reset();
  fix.speed_mps.reset();
  fix.track_deg.reset();
  fix.satellites.reset();
  bed_.say(fix);
  ASSERT_EQ(bed_.rows.size(), 1u);
  for (const char* name : {"alt_m", "speed_kmh", "track_deg", "satellites"}) {
    EXPECT_EQ(field(bed_.rows[0], name), "null") << name;
  }
  EXPECT_EQ(field(bed_.rows[0], "mode"), "2");
}

TEST_F(GpsDriverTest, CountsWhatIsNoPositionByItsReason) {
  start();
  hal::PositionFix fix;
  bed_.say(fix);
  fix.mode = 1;
  bed_.say(fix);
  fix.mode = 2;
  bed_.say(fix);
  fix = good_fix();
  fix.error_m.reset();
  bed_.say(fix);
  fix.error_m = 101.0;
  bed_.say(fix);
  EXPECT_TRUE(bed_.rows.empty());
  for (const char* reason : {"no_mode", "no_fix", "no_position", "no_error", "coarse"}) {
    EXPECT_EQ(bed_.reports(reason), 1) << reason;
  }
  EXPECT_EQ(state(), "no_fix");
  EXPECT_TRUE(bed_.alarms.empty());
}

TEST_F(GpsDriverTest, SpeaksByItsOptions) {
  start(R"({"max_error_m": 3, "move_m": 100, "interval_s": 10})");
  hal::PositionFix fix = good_fix();
  bed_.say(fix);
  EXPECT_TRUE(bed_.rows.empty()) << "4 m are too coarse here";
  for (int s = 0; s <= 20; ++s) {
    fix = good_fix();
    fix.error_m = 3.0;
    bed_.say(fix);
    bed_.run_for(Seconds{1});
  }
  EXPECT_EQ(bed_.rows.size(), 3u) << "at 0, 10 and 20 s";
  fix = good_fix(150.0);
  fix.error_m = 3.0;
  bed_.say(fix);
  EXPECT_EQ(bed_.rows.size(), 4u);
}

TEST_F(GpsDriverTest, OffersTimesOfFixesOnlyAndOnlyWithAnError) {
  start();
  hal::PositionFix fix = good_fix();
  fix.mode = 1;
  bed_.say(fix);
  EXPECT_TRUE(bed_.offers.empty());
  fix.mode = 2;
  fix.gps_time.reset();
  bed_.say(fix);
  fix = good_fix();
  fix.time_error.reset();
  bed_.say(fix);
  EXPECT_TRUE(bed_.offers.empty());
  bed_.run_for(Seconds{3});
  bed_.say(good_fix());
  ASSERT_EQ(bed_.offers.size(), 1u);
  EXPECT_EQ(bed_.offers[0].time, wall_s(1'800'000'000));
  EXPECT_EQ(bed_.offers[0].at, bed_.now());
  EXPECT_EQ(bed_.offers[0].error, Microseconds{5000} + kWayError);
  const Status status = bed_.driver().status();
  EXPECT_EQ(status.child("time")->integer("used"), 1);
  EXPECT_EQ(status.child("time")->integer("without_time"), 1);
  EXPECT_EQ(status.child("time")->integer("without_error"), 1);
}

TEST_F(GpsDriverTest, AlarmsOnceGpsdIsGoneForLong) {
  start();
  bed_.say(good_fix());
  bed_.gpsd().go_down("connection refused");
  bed_.run_for(kDownGrace - Microseconds{1});
  EXPECT_TRUE(bed_.alarms.empty());
  EXPECT_EQ(state(), "gpsd_down");
  bed_.run_for(Microseconds{1});
  EXPECT_EQ(bed_.alarms, Strings{"begin gps_down/gps"});
  EXPECT_NE(bed_.last_text.find("connection refused"), std::string::npos);
  bed_.gpsd().go_up();
  bed_.run_for(Seconds{1});
  EXPECT_EQ(bed_.alarms.size(), 1u) << "gpsd is back, no receiver has spoken yet";
  bed_.say(good_fix());
  EXPECT_EQ(bed_.alarms, (Strings{"begin gps_down/gps", "end gps_down/gps"}));
  EXPECT_EQ(state(), "running");
}

TEST_F(GpsDriverTest, DoesNotAlarmWhereGpsdIsBackSoon) {
  start();
  bed_.say(good_fix());
  for (int i = 0; i < 5; ++i) {
    bed_.gpsd().go_down("restarted");
    bed_.run_for(Seconds{5});
    bed_.gpsd().go_up();
    bed_.run_for(Seconds{5});
    bed_.say(good_fix());
  }
  bed_.run_for(Seconds{20});
  EXPECT_TRUE(bed_.alarms.empty());
}

TEST_F(GpsDriverTest, AlarmsOnceTheReceiverIsSilentForLong) {
  start();
  bed_.run_for(Seconds{1});
  hal::PositionFix tunnel;
  tunnel.mode = 1;
  for (int s = 0; s < 300; ++s) {
    bed_.say(tunnel);
    bed_.run_for(Seconds{1});
  }
  EXPECT_TRUE(bed_.alarms.empty()) << "a receiver without a fix is not silent";
  bed_.run_for(kReceiverSilence - Seconds{1} - Microseconds{1});
  EXPECT_TRUE(bed_.alarms.empty());
  bed_.run_for(Microseconds{1});
  EXPECT_EQ(bed_.alarms, Strings{"begin gps_down/gps"});
  EXPECT_EQ(state(), "receiver_silent");
  bed_.say(tunnel);
  EXPECT_EQ(bed_.alarms.size(), 2u);
}

TEST_F(GpsDriverTest, AlarmsWhereGpsdWasNeverThere) {
  bed_.gpsd().go_down("nobody listens");
  start();
  bed_.run_for(kDownGrace);
  EXPECT_EQ(bed_.alarms, Strings{"begin gps_down/gps"});
}

TEST_F(GpsDriverTest, CannotStartWithoutFeeds) {
  bed_.has_positions = false;
  const auto started = bed_.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::unavailable);
}

TEST_F(GpsDriverTest, IsSilentOnceStopped) {
  start();
  bed_.say(good_fix());
  bed_.driver().stop();
  EXPECT_EQ(bed_.gpsd().open_feeds(), 0u);
  bed_.run_for(Seconds{600});
  EXPECT_TRUE(bed_.alarms.empty());
  EXPECT_EQ(bed_.rows.size(), 1u);
}

TEST_F(GpsDriverTest, ShowsWhereTheNodeIs) {
  start();
  bed_.say(good_fix());
  bed_.run_for(Seconds{7});
  const std::string text = bed_.run_command(false);
  EXPECT_NE(text.find("51.2000000 4.4000000, 7 s ago"), std::string::npos) << text;
  EXPECT_NE(text.find("satellites 9"), std::string::npos) << text;
  const auto json = Json::parse(bed_.run_command(true));
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(bed_.driver().commands().front().verb, "gps");
}

TEST_F(GpsDriverTest, ShowsWhyThereIsNoPosition) {
  bed_.gpsd().go_down("nobody listens");
  start();
  bed_.run_for(Seconds{1});
  const std::string text = bed_.run_command(false);
  EXPECT_NE(text.find("gpsd_down (nobody listens)"), std::string::npos) << text;
}

}  // namespace
}  // namespace berm::drivers::gps_position
