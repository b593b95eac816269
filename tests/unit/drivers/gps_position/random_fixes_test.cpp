// SPDX-License-Identifier: Apache-2.0
// Whatever a receiver says: no event without a believable fix.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "drivers/gps_position/fix_filter.hpp"

namespace berm::drivers::gps_position {
namespace {

constexpr double kOdd[] = {0.0,
                           -0.0,
                           90.0,
                           -90.0,
                           180.0,
                           1e-300,
                           1e300,
                           -1e300,
                           std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()};

class Receiver {
 public:
  explicit Receiver(std::uint64_t seed) : random_(seed) {}

  hal::PositionFix next() {
    lat_ += step();
    lon_ += step();
    hal::PositionFix fix;
    fix.mode = chance(0.9) ? 3 : pick(-1, 5);
    fix.lat = perhaps(lat_);
    fix.lon = perhaps(lon_);
    fix.error_m = perhaps(std::abs(step()) * 1e6);
    fix.speed_mps = perhaps(std::abs(step()) * 1e5);
    fix.track_deg = perhaps(90.0);
    fix.alt_m = perhaps(10.0);
    return fix;
  }
  Microseconds pause() { return Microseconds{pick(0, 3'000'000)}; }

 private:
  bool chance(double p) { return std::bernoulli_distribution(p)(random_); }
  int pick(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  double step() { return std::normal_distribution<double>(0.0, 2e-4)(random_); }
  std::optional<double> perhaps(double value) {
    if (chance(0.03)) return std::nullopt;
    if (chance(0.05)) return kOdd[static_cast<std::size_t>(pick(0, 10))];
    return value;
  }
  std::mt19937_64 random_;
  double lat_ = 51.0, lon_ = 4.0;
};

void expect_believable(const hal::PositionFix& fix, const PositionReport& report) {
  EXPECT_TRUE(fix.mode == 2 || fix.mode == 3);
  EXPECT_LE(std::abs(report.place.lat), 90.0);
  EXPECT_LE(std::abs(report.place.lon), 180.0);
  EXPECT_FALSE(report.place.lat == 0.0 && report.place.lon == 0.0);
  EXPECT_LE(*report.accuracy_m, 100.0);
  if (report.speed_kmh) {
    EXPECT_GE(*report.speed_kmh, 0.0);
    EXPECT_LT(*report.speed_kmh, 360.0);
  }
  EXPECT_TRUE(std::isfinite(report.distance_m));
}

TEST(RandomFixes, NeverMakeAFalsePosition) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Receiver receiver(seed);
  FixFilter filter{FilterOptions{}};
  MonoTime now = mono_us(5'000'000);
  int events = 0;
  for (int i = 0; i < 50'000; ++i, now += receiver.pause()) {
    const hal::PositionFix fix = receiver.next();
    if (filter.take(fix, now) != FixVerdict::event) continue;
    ++events;
    expect_believable(fix, *filter.report());
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(events, 100);
}

}  // namespace
}  // namespace berm::drivers::gps_position
