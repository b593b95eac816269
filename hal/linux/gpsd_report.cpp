// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpsd_report.hpp"

#include <gps.h>

#include <cmath>
#include <string_view>

namespace berm::hal {
namespace {

std::optional<double> within(double value, double min, double max) {
  if (!std::isfinite(value) || value < min || value > max) return std::nullopt;
  return value;
}

// An estimate of 0 is none.
std::optional<double> estimate(double value) {
  if (!std::isfinite(value) || value <= 0.0) return std::nullopt;
  return value;
}

std::optional<double> horizontal_error(const gps_fix_t& fix) {
  if (const auto circle = estimate(fix.eph)) return circle;
  const auto east = estimate(fix.epx);
  const auto north = estimate(fix.epy);
  if (!east || !north) return std::nullopt;
  return std::hypot(*east, *north);
}

std::optional<WallTime> time_of(const gps_fix_t& fix) {
  constexpr std::int64_t kLastSecond = 32'503'680'000;  // the year 3000
  if (fix.time.tv_sec <= 0 || fix.time.tv_sec >= kLastSecond) return std::nullopt;
  return wall_s(fix.time.tv_sec) + Microseconds{fix.time.tv_nsec / 1000};
}

std::optional<Microseconds> time_error_of(const gps_fix_t& fix) {
  constexpr double kMaxSeconds = 1e6;
  const auto error_s = estimate(fix.ept);
  if (!error_s || *error_s > kMaxSeconds) return std::nullopt;
  return Microseconds{static_cast<std::int64_t>(std::ceil(*error_s * 1e6))};
}

}  // namespace

struct GpsdReports::Unpacked {
  gps_data_t all{};
};

GpsdReports::GpsdReports() : unpacked_(std::make_unique<Unpacked>()) {}
GpsdReports::~GpsdReports() = default;

GpsdReport GpsdReports::take(std::string& line, MonoTime now) {
  if (!line.empty() && line.back() == '\r') line.pop_back();
  // Half a report could hold half a number; a byte of 0 would end it for libgps.
  if (line.size() < 2 || line.front() != '{' || line.back() != '}' ||
      line.find('\0') != std::string::npos) {
    return GpsdReport::malformed;
  }
  const bool is_fix = line.find("\"class\":\"TPV\"") != std::string::npos;
  const bool lists_satellites = line.find("\"class\":\"SKY\"") != std::string::npos &&
                                line.find("\"satellites\"") != std::string::npos;
  gps_data_t& all = unpacked_->all;
  all.set = 0;
  if (gps_unpack(line.data(), &all) != 0) return GpsdReport::malformed;
  if (lists_satellites && (all.set & SATELLITE_SET) != 0 && all.satellites_used >= 0) {
    satellites_ = all.satellites_used;
    satellites_at_ = now;
  }
  if (!is_fix) return GpsdReport::other;
  if ((all.set & STATUS_SET) == 0 || all.fix.mode < 0 || all.fix.mode > 3) {
    return GpsdReport::malformed;
  }
  read_fix(now);
  return GpsdReport::fix;
}

void GpsdReports::read_fix(MonoTime now) {
  constexpr double kMaxHeight = 1e5;
  constexpr double kMaxSpeed = 1e5;
  const gps_fix_t& said = unpacked_->all.fix;
  fix_ = PositionFix{};
  fix_.time = now;
  fix_.mode = said.mode;
  fix_.gps_time = time_of(said);
  fix_.time_error = time_error_of(said);
  if (satellites_ && now - satellites_at_ <= kSatellitesFresh) fix_.satellites = satellites_;
  if (said.mode < MODE_2D) return;
  fix_.lat = within(said.latitude, -90.0, 90.0);
  fix_.lon = within(said.longitude, -180.0, 180.0);
  fix_.error_m = horizontal_error(said);
  if (said.mode == MODE_3D) fix_.alt_m = within(said.altMSL, -kMaxHeight, kMaxHeight);
  fix_.speed_mps = within(said.speed, 0.0, kMaxSpeed);
  fix_.track_deg = within(said.track, 0.0, 360.0);
}

}  // namespace berm::hal
