// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpsd_report.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace berm::hal {
namespace {

constexpr MonoTime kNow = mono_us(1'000'000'000);

class GpsdReportTest : public testing::Test {
 protected:
  GpsdReport take(std::string line, MonoTime now = kNow) { return reports_.take(line, now); }
  const PositionFix& tpv(const std::string& rest) {
    EXPECT_EQ(take("{\"class\":\"TPV\"," + rest + "}"), GpsdReport::fix) << rest;
    return reports_.fix();
  }
  GpsdReports reports_;
};

TEST_F(GpsdReportTest, ReadsAWholeFix) {
  const PositionFix& fix =
      tpv(R"("device":"/dev/ttyS1","mode":3,"time":"2026-06-09T14:34:45.280Z","ept":0.005,)"
          R"("lat":46.498293369,"lon":-7.567411672,"altHAE":1391.3096,"altMSL":1345.72,"alt":1.0,)"
          R"("epx":25.475,"epy":25.404,"epv":80.249,"track":10.3788,"speed":0.091,"eph":45.571)");
  EXPECT_EQ(fix.time, kNow);
  EXPECT_EQ(fix.mode, 3);
  EXPECT_EQ(fix.gps_time, wall_us(1'781'015'685'280'000));
  EXPECT_EQ(fix.time_error, Microseconds{5000});
  EXPECT_NEAR(*fix.lat, 46.498293369, 1e-9);
  EXPECT_NEAR(*fix.lon, -7.567411672, 1e-9);
  EXPECT_EQ(fix.alt_m, 1345.72);
  EXPECT_EQ(fix.error_m, 45.571);
  EXPECT_EQ(fix.speed_mps, 0.091);
  EXPECT_EQ(fix.track_deg, 10.3788);
  EXPECT_FALSE(fix.satellites);
}

TEST_F(GpsdReportTest, MakesTheErrorOfItsTwoSidesWhereTheCircleIsMissing) {
  EXPECT_NEAR(*tpv(R"("mode":2,"lat":1.0,"lon":2.0,"epx":3.0,"epy":4.0)").error_m, 5.0, 1e-9);
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0,"epx":3.0)").error_m);
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").error_m);
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0,"eph":0.0)").error_m) << "0 is no estimate";
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0,"eph":-1.0)").error_m);
}

TEST_F(GpsdReportTest, LeavesOutWhatWasNotSaid) {
  const PositionFix& fix = tpv(R"("mode":2,"lat":1.0,"lon":2.0)");
  EXPECT_FALSE(fix.gps_time);
  EXPECT_FALSE(fix.time_error);
  EXPECT_FALSE(fix.speed_mps);
  EXPECT_FALSE(fix.track_deg);
  EXPECT_FALSE(fix.alt_m);
}

TEST_F(GpsdReportTest, KeepsNothingOfTheReportBefore) {
  tpv(R"("mode":3,"time":"2026-06-09T14:34:45Z","ept":0.005,"lat":1.0,"lon":2.0,"speed":5.0)");
  const PositionFix& fix = tpv(R"("mode":3)");
  EXPECT_FALSE(fix.lat);
  EXPECT_FALSE(fix.lon);
  EXPECT_FALSE(fix.gps_time);
  EXPECT_FALSE(fix.speed_mps);
}

TEST_F(GpsdReportTest, BelievesNoPositionWithoutAFix) {
  const PositionFix& none = tpv(R"("mode":1,"time":"2026-06-09T14:34:45Z","lat":1.0,"lon":2.0)");
  EXPECT_EQ(none.mode, 1);
  EXPECT_FALSE(none.lat);
  EXPECT_TRUE(none.gps_time);
  EXPECT_EQ(tpv(R"("lat":1.0,"lon":2.0)").mode, 0);
  EXPECT_FALSE(reports_.fix().lat);
}

TEST_F(GpsdReportTest, NeedsModeThreeForAnAltitude) {
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0,"altMSL":7.0)").alt_m);
  EXPECT_EQ(tpv(R"("mode":3,"lat":1.0,"lon":2.0,"altMSL":7.0)").alt_m, 7.0);
}

TEST_F(GpsdReportTest, LeavesOutValuesThatCannotBe) {
  const PositionFix& fix =
      tpv(R"("mode":3,"time":"1970-01-01T00:00:00.000Z","ept":0.0,"lat":90.1,"lon":-180.1,)"
          R"("speed":-1.0,"track":361.0,"altMSL":1e30)");
  EXPECT_FALSE(fix.gps_time);
  EXPECT_FALSE(fix.time_error);
  EXPECT_FALSE(fix.lat);
  EXPECT_FALSE(fix.lon);
  EXPECT_FALSE(fix.speed_mps);
  EXPECT_FALSE(fix.track_deg);
  EXPECT_FALSE(fix.alt_m);
  EXPECT_EQ(tpv(R"("mode":2,"lat":-90.0,"lon":180.0)").lat, -90.0);
}

TEST_F(GpsdReportTest, RefusesHalfReports) {
  const std::string whole = R"({"class":"TPV","mode":3,"lat":51.25,"lon":4.4,"eph":3.0})";
  EXPECT_EQ(take(whole), GpsdReport::fix);
  EXPECT_EQ(take(whole + "\r"), GpsdReport::fix);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(take(whole.substr(0, length)), GpsdReport::malformed) << length;
  }
  EXPECT_EQ(take(whole.substr(1)), GpsdReport::malformed);
  EXPECT_EQ(take(whole.substr(0, 20) + std::string(1, '\0') + whole.substr(20)),
            GpsdReport::malformed);
}

TEST_F(GpsdReportTest, RefusesWhatIsNoReport) {
  EXPECT_EQ(take("HTTP/1.1 400 Bad Request"), GpsdReport::malformed);
  EXPECT_EQ(take("$GPGGA,100000.00,5112.0,N"), GpsdReport::malformed);
  EXPECT_EQ(take(R"({"class":"TPV","mode":4,"lat":1.0,"lon":2.0})"), GpsdReport::malformed);
  EXPECT_EQ(take(R"({"class":"TPV","mode":-1})"), GpsdReport::malformed);
  EXPECT_EQ(take(R"({"class":"TPV","mode":3,"lat":1e999,"lon":2.0})"), GpsdReport::malformed);
  EXPECT_EQ(take(R"({"class":"TPV","mode":3,"lat":nan,"lon":2.0})"), GpsdReport::malformed);
}

// libgps 3.22 reads such a line for ever.
TEST_F(GpsdReportTest, RefusesTwoReportsInALine) {
  const std::string one = R"({"class":"TPV","mode":3,"lat":1.0,"lon":2.0})";
  for (const char* between : {"", " ", "H", ",", "}", "{", "\t"}) {
    EXPECT_EQ(take(one + between + one), GpsdReport::malformed) << between;
  }
  EXPECT_EQ(take(one + "}"), GpsdReport::malformed);
  EXPECT_EQ(take("{" + one), GpsdReport::malformed);
}

TEST_F(GpsdReportTest, KnowsOtherReportsFromFixes) {
  EXPECT_EQ(take(R"({"class":"VERSION","release":"3.22","proto_major":3,"proto_minor":14})"),
            GpsdReport::other);
  EXPECT_EQ(take(R"({"class":"DEVICES","devices":[]})"), GpsdReport::other);
  EXPECT_EQ(take(R"({"class":"ERROR","message":"Unrecognized request"})"), GpsdReport::other);
  EXPECT_EQ(take(R"({"class":"NOVEL","x":1})"), GpsdReport::other);
  // libgps 3.22 reads this one for ever.
  EXPECT_EQ(take(R"({"cuass":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyS1"}]})"),
            GpsdReport::other);
}

TEST_F(GpsdReportTest, CountsTheSatellitesThatWereListedAsUsed) {
  EXPECT_EQ(take(R"({"class":"SKY","nSat":3,"uSat":2,"satellites":[)"
                 R"({"PRN":1,"ss":30,"used":true},{"PRN":2,"ss":30,"used":true},)"
                 R"({"PRN":3,"ss":30,"used":false}]})"),
            GpsdReport::other);
  EXPECT_EQ(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").satellites, 2);
  EXPECT_EQ(take(R"({"class":"SKY","hdop":0.91})"), GpsdReport::other);
  EXPECT_EQ(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").satellites, 2);
  EXPECT_EQ(take(R"({"class":"SKY","hdop":0.91,"uSat":12})"), GpsdReport::other);
  EXPECT_EQ(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").satellites, 12);
  EXPECT_EQ(take(R"({"class":"SKY","uSat":-1})"), GpsdReport::other);
  EXPECT_EQ(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").satellites, 12);
}

TEST_F(GpsdReportTest, BelievesNoFixOfNoSatellite) {
  EXPECT_EQ(take(R"({"class":"SKY","satellites":[{"PRN":3,"ss":30,"used":false}]})"),
            GpsdReport::other);
  EXPECT_EQ(tpv(R"("mode":1)").satellites, 0);
  EXPECT_FALSE(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").satellites);
}

TEST_F(GpsdReportTest, LeavesOutMembersOfAnotherKind) {
  const PositionFix& fix = tpv(R"("mode":3,"time":"soon","lat":"51.2","lon":{"x":1},"eph":[1])");
  EXPECT_EQ(fix.mode, 3);
  EXPECT_FALSE(fix.gps_time);
  EXPECT_FALSE(fix.lat);
  EXPECT_FALSE(fix.lon);
  EXPECT_FALSE(fix.error_m);
  EXPECT_EQ(take(R"({"class":"TPV","mode":"3"})"), GpsdReport::malformed);
  EXPECT_EQ(take(R"({"class":"TPV","mode":2.5})"), GpsdReport::malformed);
}

TEST_F(GpsdReportTest, ForgetsOldSatellites) {
  take(R"({"class":"SKY","nSat":1,"satellites":[{"PRN":1,"ss":30,"used":true}]})");
  const std::string line = R"({"class":"TPV","mode":2,"lat":1.0,"lon":2.0})";
  take(line, kNow + kSatellitesFresh);
  EXPECT_EQ(reports_.fix().satellites, 1);
  take(line, kNow + kSatellitesFresh + Microseconds{1});
  EXPECT_FALSE(reports_.fix().satellites);
}

TEST_F(GpsdReportTest, LivesThroughLongAndDeepLines) {
  std::string many = R"({"class":"SKY","satellites":[)";
  for (int i = 0; i < 300; ++i) many += R"({"PRN":1,"used":true},)";
  many += R"({"PRN":2,"used":true}]})";
  take(many);
  take("{\"class\":\"TPV\",\"mode\":3,\"device\":\"" + std::string(12'000, 'x') + "\"}");
  take(std::string(5000, '{') + std::string(5000, '}'));
  EXPECT_EQ(tpv(R"("mode":2,"lat":1.0,"lon":2.0)").lat, 1.0);
}

}  // namespace
}  // namespace berm::hal
