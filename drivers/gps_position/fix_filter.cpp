// SPDX-License-Identifier: Apache-2.0
#include "drivers/gps_position/fix_filter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace berm::drivers::gps_position {
namespace {

constexpr double kKmhPerMps = 3.6;

bool is_within(const std::optional<double>& value, double limit) {
  return value && std::isfinite(*value) && std::abs(*value) <= limit;
}

}  // namespace

double distance_m(const Point& a, const Point& b) {
  constexpr double kRadian = std::numbers::pi / 180.0;
  const double half_lat = std::sin((b.lat - a.lat) * kRadian / 2.0);
  const double half_lon = std::sin((b.lon - a.lon) * kRadian / 2.0);
  const double h = half_lat * half_lat +
                   std::cos(a.lat * kRadian) * std::cos(b.lat * kRadian) * half_lon * half_lon;
  return 2.0 * kEarthRadiusM * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0)));
}

const char* name_of(FixVerdict verdict) {
  constexpr const char* kNames[kFixVerdicts] = {"event",       "quiet",    "no_mode", "no_fix",
                                                "no_position", "no_error", "coarse",  "jump"};
  return kNames[static_cast<std::size_t>(verdict)];
}

FixVerdict FixFilter::fault_of(const hal::PositionFix& fix) const {
  if (fix.mode < 1 || fix.mode > 3) return FixVerdict::no_mode;
  if (fix.mode == 1) return FixVerdict::no_fix;
  if (!is_within(fix.lat, 90.0) || !is_within(fix.lon, 180.0)) return FixVerdict::no_position;
  if (*fix.lat == 0.0 && *fix.lon == 0.0) return FixVerdict::no_position;
  if (!fix.error_m || !(*fix.error_m >= 0.0)) return FixVerdict::no_error;
  if (*fix.error_m > options_.max_error_m) return FixVerdict::coarse;
  return FixVerdict::quiet;
}

bool FixFilter::can_follow(const Seen& before, const Seen& now) {
  const auto elapsed = static_cast<double>((now.at - before.at + kSlack).count());
  const double reach = kMaxSpeedMps * elapsed * 1e-6 + before.error_m + now.error_m;
  return distance_m(before.place, now.place) <= reach;
}

// Remembers where the jumped ones are; true also once enough of them have agreed.
bool FixFilter::is_reachable(const Seen& seen) {
  if (!last_ || can_follow(*last_, seen)) {
    candidate_.reset();
    return true;
  }
  const int agreeing = candidate_ && can_follow(*candidate_, seen) ? candidate_->agreeing + 1 : 1;
  candidate_ = seen;
  candidate_->agreeing = agreeing;
  if (agreeing < kAgreeingFixes) return false;
  candidate_.reset();
  milestone_ = seen.place;
  return true;
}

void FixFilter::describe(const hal::PositionFix& fix, const Seen& seen) {
  if (!last_) {
    trip_began_ = seen.at;
    milestone_ = seen.place;
  }
  if (const double gone = distance_m(milestone_, seen.place); gone >= options_.move_m) {
    distance_m_ += gone;
    milestone_ = seen.place;
  }
  PositionReport& report = report_.emplace();
  report.place = seen.place;
  report.mode = fix.mode;
  if (fix.mode == 3) report.alt_m = fix.alt_m;
  report.track_deg = fix.track_deg;
  report.accuracy_m = seen.error_m;
  report.satellites = fix.satellites;
  report.elapsed_s = std::chrono::floor<Seconds>(seen.at - trip_began_).count();
  report.distance_m = distance_m_;
  if (!fix.speed_mps) return;
  if (*fix.speed_mps >= 0.0 && *fix.speed_mps < kMaxSpeedMps) {
    report.speed_kmh = *fix.speed_mps * kKmhPerMps;
  } else {
    ++absurd_speeds_;
  }
}

bool FixFilter::is_worth_an_event(const Seen& seen) {
  if (!told_) return true;
  if (seen.at - told_->at >= options_.interval) return true;
  return distance_m(told_->place, seen.place) >= options_.move_m;
}

FixVerdict FixFilter::take(const hal::PositionFix& fix, MonoTime now) {
  const FixVerdict fault = fault_of(fix);
  if (fault != FixVerdict::quiet) return fault;
  const Seen seen{{*fix.lat, *fix.lon}, *fix.error_m, now};
  if (!is_reachable(seen)) return FixVerdict::jump;
  describe(fix, seen);
  last_ = seen;
  if (!is_worth_an_event(seen)) return FixVerdict::quiet;
  told_ = seen;
  return FixVerdict::event;
}

}  // namespace berm::drivers::gps_position
