// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/gpsd_report.hpp"

#include <gps.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "hal/base/json_writer.hpp"
#include "hal/base/text.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kMaxTimeText = 40;
constexpr std::string_view kNumbers[] = {"ept", "lat",   "lon",   "altMSL", "epx",
                                         "epy", "track", "speed", "eph"};

// There are lines that libgps 3.22 never comes back from (two objects with a byte between them, an
// unknown class around a known one, a broken member before one): it is given no line of a stranger
// but one of ours, with the members that matter. nullopt: the mode is none.
std::optional<std::string> plain_fix(const Json& said) {
  std::string line = R"({"class":"TPV")";
  if (const Json* mode = said.find("mode")) {
    if (!mode->is_integer() || mode->integer() < 0 || mode->integer() > 3) return std::nullopt;
    line += ",\"mode\":" + std::to_string(mode->integer());
  }
  const Json* time = said.find("time");
  if (time != nullptr && time->is_string() && time->string().size() <= kMaxTimeText &&
      time->string().find_first_not_of("0123456789-:.TZ") == std::string::npos) {
    line += ",\"time\":\"" + time->string() + "\"";
  }
  for (const std::string_view name : kNumbers) {
    const Json* value = said.find(name);
    if (value == nullptr || !value->is_number()) continue;
    line += ",\"" + std::string(name) + "\":";
    append_json_number(line, value->number());
  }
  return line + "}";
}

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

GpsdReport GpsdReports::take(std::string_view line, MonoTime now) {
  const auto said = Json::parse(trim(line));
  if (!said || !said->is_object()) return GpsdReport::malformed;
  const Json* kind = said->find("class");
  if (kind == nullptr || !kind->is_string()) return GpsdReport::other;
  if (kind->string() == "SKY") take_sky(*said, now);
  if (kind->string() != "TPV") return GpsdReport::other;
  auto plain = plain_fix(*said);
  gps_data_t& all = unpacked_->all;
  all.set = 0;
  if (!plain || gps_unpack(plain->data(), &all) != 0 || (all.set & STATUS_SET) == 0) {
    return GpsdReport::malformed;
  }
  read_fix(now);
  return GpsdReport::fix;
}

// Those listed as used, else what gpsd says of their number (libgps 3.22 does not read that).
void GpsdReports::take_sky(const Json& said, MonoTime now) {
  const Json* list = said.find("satellites");
  const Json* number = said.find("uSat");
  if (list != nullptr && list->is_array()) {
    satellites_ = std::ranges::count_if(list->array(), [](const Json& each) {
      const Json* used = each.find("used");
      return used != nullptr && used->is_boolean() && used->boolean();
    });
  } else if (number != nullptr && number->is_integer() && number->integer() >= 0) {
    satellites_ = number->integer();
  } else {
    return;
  }
  satellites_at_ = now;
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
  // A list of before the fix has none in use.
  if (fix_.satellites == 0) fix_.satellites = std::nullopt;
  fix_.lat = within(said.latitude, -90.0, 90.0);
  fix_.lon = within(said.longitude, -180.0, 180.0);
  fix_.error_m = horizontal_error(said);
  if (said.mode == MODE_3D) fix_.alt_m = within(said.altMSL, -kMaxHeight, kMaxHeight);
  fix_.speed_mps = within(said.speed, 0.0, kMaxSpeed);
  fix_.track_deg = within(said.track, 0.0, 360.0);
}

}  // namespace berm::hal
