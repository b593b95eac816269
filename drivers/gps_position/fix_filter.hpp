// SPDX-License-Identifier: Apache-2.0
// FixFilter: of all that a receiver says, the few reports worth an event, and why the others are
// none. Pure: fixes and instants in, a verdict out. Used by the driver.
//
// A fix is good when it has mode 2 or 3, a position inside ±90/±180 that is not exactly 0/0 (what
// receivers say that know nothing), an error estimate, that within max_error_m, and when one could
// get there from the last good one with kMaxSpeedMps (both errors and kSlack allowed for). One that
// could not is a `jump`, until kAgreeingFixes in a row agree on the new place: then the device was
// carried there, or the place before was the wrong one. A good fix is an event if it is the first,
// if it is move_m or more from the last event, or if interval has passed since.
//
// Trip: from the first good fix on. distance_m grows in steps of at least move_m, so that the noise
// of a parked receiver (metres a minute) adds nothing; over a jump it does not grow. A speed of
// kMaxSpeedMps or more is not believed (null), the position is.
//
// Thread: one; plain values. Distances on the sphere of radius kEarthRadiusM (haversine): within
// 0.6 % of the ellipsoid. Source: Sinnott, Virtues of the haversine, 1984.
#pragma once

#include <cstdint>
#include <optional>

#include "hal/position_feed.hpp"

namespace berm::drivers::gps_position {

inline constexpr double kEarthRadiusM = 6'371'008.8;  // mean radius, IUGG
inline constexpr double kMaxSpeedMps = 100.0;
inline constexpr Microseconds kSlack{2'000'000};  // two reports may reach us at once
inline constexpr int kAgreeingFixes = 5;

struct FilterOptions {
  double max_error_m = 100.0;
  double move_m = 25.0;
  Microseconds interval{60'000'000};
};

struct Point {
  double lat = 0.0, lon = 0.0;  // degrees
};
double distance_m(const Point& a, const Point& b);

enum class FixVerdict : std::uint8_t {
  event,        // worth an event: report() says what
  quiet,        // good, nothing new
  no_mode,      // the report does not say whether there is a fix
  no_fix,       // mode 1
  no_position,  // a fix without latitude or longitude, or 0/0
  no_error,     // without an error estimate
  coarse,       // the error is over max_error_m
  jump,         // too far from the last good one
};
inline constexpr std::size_t kFixVerdicts = 8;
const char* name_of(FixVerdict verdict);

struct PositionReport {
  Point place;
  std::optional<double> alt_m, speed_kmh, track_deg, accuracy_m;
  std::int64_t mode = 0;
  std::optional<std::int64_t> satellites;
  std::int64_t elapsed_s = 0;  // since the trip's first good fix
  double distance_m = 0.0;     // gone since
};

class FixFilter {
 public:
  explicit FixFilter(const FilterOptions& options) : options_(options) {}
  FixVerdict take(const hal::PositionFix& fix, MonoTime now);
  // Of the last good fix, event or not; nullptr: there was none.
  const PositionReport* report() const { return report_ ? &*report_ : nullptr; }
  std::uint64_t absurd_speeds() const { return absurd_speeds_; }

 private:
  struct Seen {
    Point place;
    double error_m = 0.0;
    MonoTime at;
    int agreeing = 1;
  };
  FixVerdict fault_of(const hal::PositionFix& fix) const;
  static bool can_follow(const Seen& before, const Seen& now);
  bool is_reachable(const Seen& seen);
  void describe(const hal::PositionFix& fix, const Seen& seen);
  bool is_worth_an_event(const Seen& seen);

  const FilterOptions options_;
  std::optional<Seen> last_;       // the last good fix
  std::optional<Seen> candidate_;  // where the jumped ones are
  std::optional<Seen> told_;       // the last event
  Point milestone_;                // up to here the distance has been added
  MonoTime trip_began_;
  double distance_m_ = 0.0;
  std::optional<PositionReport> report_;
  std::uint64_t absurd_speeds_ = 0;
};

}  // namespace berm::drivers::gps_position
