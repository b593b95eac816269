// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/frame_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace berm::hal {
namespace {

constexpr double kMastM = 7.5;
constexpr double kLaneM = 3.4;
constexpr double kFarM = 140.0;  // vehicles come and go here
constexpr double kNearM = 6.0;
constexpr double kHorizon = 0.12;  // of the picture's height
constexpr double kFocal = 1.15;    // of the picture's height
constexpr double kFollowS = 1.2;
constexpr int kBorder = 8;

// SplitMix64: small, and the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double between(double low, double high) { return low + (high - low) * unit(); }

 private:
  std::uint64_t state_;
};

std::uint8_t level(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 16.0, 235.0));
}

}  // namespace

RenderedTraffic::RenderedTraffic(const RenderedScene& scene) : scene_(scene) {
  const auto size =
      static_cast<std::size_t>(scene_.width) * static_cast<std::size_t>(scene_.height);
  const auto chroma = static_cast<std::size_t>((scene_.width + 1) / 2) *
                      static_cast<std::size_t>((scene_.height + 1) / 2);
  y_.resize(size);
  u_.resize(chroma);
  v_.resize(chroma);
  make_vehicles();
  make_road();
}

double RenderedTraffic::row_of(double away_m) const {
  return project(away_m, 0.0, 0.0).y;
}
double RenderedTraffic::column_of(double away_m, double side_m) const {
  return project(away_m, side_m, 0.0).x;
}
double RenderedTraffic::lane_middle_m(bool is_toward, int lane) const {
  const double side = (lane + 0.6) * kLaneM;
  return is_toward ? side : -side;
}

RenderedTraffic::Point RenderedTraffic::project(double away_m, double side_m, double up_m) const {
  const double focal = kFocal * scene_.height;
  const double away = std::max(away_m, 1.0);
  return {scene_.width / 2.0 + focal * side_m / away,
          kHorizon * scene_.height + focal * (kMastM - up_m) / away};
}

void RenderedTraffic::make_vehicles() {
  Dice dice(scene_.seed);
  for (int lane = 0; lane < scene_.lanes_toward + scene_.lanes_away; ++lane) {
    double at = dice.between(0.0, 3.0);
    double speed_before = 0.0;
    while (at < scene_.seconds) {
      RenderedVehicle made;
      made.is_toward = lane < scene_.lanes_toward;
      made.lane = made.is_toward ? lane : lane - scene_.lanes_toward;
      const bool is_long = dice.unit() < scene_.long_share;
      made.length_m = is_long ? dice.between(8.0, 12.0) : dice.between(3.8, 4.8);
      made.width_m = is_long ? 2.5 : dice.between(1.7, 1.85);
      made.height_m = is_long ? dice.between(2.6, 3.4) : dice.between(1.4, 1.6);
      made.speed_mps = scene_.speed_kmh / 3.6 * dice.between(0.85, 1.15);
      // Nobody drives into the one ahead within sight.
      if (speed_before > 0.0) made.speed_mps = std::min(made.speed_mps, 1.03 * speed_before);
      made.crossing_s = at;
      made.brightness = static_cast<std::uint8_t>(dice.unit() < 0.5 ? dice.between(35, 70)
                                                                    : dice.between(150, 215));
      made.u = static_cast<std::uint8_t>(dice.between(112, 144));
      made.v = static_cast<std::uint8_t>(dice.between(112, 144));
      speed_before = made.speed_mps;
      const double least = kFollowS + made.length_m / made.speed_mps;
      at += least - std::log(1.0 - dice.unit()) * std::max(0.1, 3600.0 / scene_.flow_veh_h - least);
      vehicles_.push_back(made);
    }
  }
  // The far ones are drawn first.
  std::sort(vehicles_.begin(), vehicles_.end(),
            [](const auto& a, const auto& b) { return a.crossing_s < b.crossing_s; });
}

// Asphalt and markings at a point of the ground, `side` metres right of the middle.
double RenderedTraffic::ground(double away, double side) const {
  const double base = scene_.is_night ? 42.0 : 118.0;
  const double lanes = side > 0 ? scene_.lanes_toward : scene_.lanes_away;
  const double from_middle = std::abs(side) - 0.1 * kLaneM;
  if (from_middle >= lanes * kLaneM + 0.6) return 0.75 * base;
  const bool is_marked = std::abs(std::remainder(from_middle, kLaneM)) < 0.08;
  const bool is_whole = std::fmod(away, 9.0) < 3.0 || from_middle > lanes * kLaneM - 0.5;
  return is_marked && is_whole ? 1.6 * base : base;
}

// The empty road with its grain, seen through the lens.
void RenderedTraffic::make_road() {
  const int wide = scene_.width + 2 * kBorder;
  const int high = scene_.height + 2 * kBorder;
  road_.resize(static_cast<std::size_t>(wide) * static_cast<std::size_t>(high));
  Dice dice(scene_.seed ^ 0x5EEDull);
  const double focal = kFocal * scene_.height;
  for (int r = 0; r < high; ++r) {
    const double below = r - kBorder - kHorizon * scene_.height;
    const double away = focal * kMastM / std::max(0.5, below);
    for (int c = 0; c < wide; ++c) {
      double value = scene_.is_night ? 20.0 : 175.0;
      if (below > 0.5) value = ground(away, (c - kBorder - scene_.width / 2.0) * away / focal);
      road_[static_cast<std::size_t>(r * wide + c)] = level(value + dice.between(-5.0, 5.0));
    }
  }
}

void RenderedTraffic::draw_road(std::int64_t index) {
  Dice dice(scene_.seed * 7919u + static_cast<std::uint64_t>(index));
  const double s = scene_.shake_pixels;
  // The mast swings; it does not jump.
  const double phase = static_cast<double>(index) / scene_.rate * 6.28;
  shake_ = {s * std::sin(phase * 1.3 + 0.4), s * std::sin(phase * 2.1)};
  const int dx = std::clamp(static_cast<int>(std::lround(shake_.x)), -kBorder, kBorder);
  const int dy = std::clamp(static_cast<int>(std::lround(shake_.y)), -kBorder, kBorder);
  shake_ = {static_cast<double>(dx), static_cast<double>(dy)};
  const int wide = scene_.width + 2 * kBorder;
  for (int r = 0; r < scene_.height; ++r) {
    const auto from = static_cast<std::size_t>((r + kBorder - dy) * wide + kBorder - dx);
    std::uint8_t* const to = y_.data() + static_cast<std::ptrdiff_t>(r) * scene_.width;
    for (int c = 0; c < scene_.width; c += 8) {
      // Two bits of noise for each of eight pixels.
      std::uint64_t noise = dice.next();
      const int end = std::min(scene_.width, c + 8);
      for (int i = c; i < end; ++i, noise >>= 2) {
        const int grain = static_cast<int>(noise & 3u) - 1;
        to[i] = static_cast<std::uint8_t>(road_[from + static_cast<std::size_t>(i)] + grain);
      }
    }
  }
  std::fill(u_.begin(), u_.end(), std::uint8_t{128});
  std::fill(v_.begin(), v_.end(), std::uint8_t{128});
}

// A convex polygon, row by row.
void RenderedTraffic::fill(const Point* corners, int count, const Paint& paint) {
  double top = 1e9;
  double bottom = -1e9;
  for (int i = 0; i < count; ++i) {
    top = std::min(top, corners[i].y + shake_.y);
    bottom = std::max(bottom, corners[i].y + shake_.y);
  }
  const int first = std::max(0, static_cast<int>(std::ceil(top)));
  const int last = std::min(scene_.height - 1, static_cast<int>(std::floor(bottom)));
  for (int r = first; r <= last; ++r) {
    double left = 1e9;
    double right = -1e9;
    for (int i = 0; i < count; ++i) {
      const Point a{corners[i].x + shake_.x, corners[i].y + shake_.y};
      const Point& next = corners[(i + 1) % count];
      const Point b{next.x + shake_.x, next.y + shake_.y};
      if ((a.y - r) * (b.y - r) > 0.0 || a.y == b.y) continue;
      const double x = a.x + (b.x - a.x) * (r - a.y) / (b.y - a.y);
      left = std::min(left, x);
      right = std::max(right, x);
    }
    const int from = std::max(0, static_cast<int>(std::ceil(left)));
    const int to = std::min(scene_.width - 1, static_cast<int>(std::floor(right)));
    for (int c = from; c <= to; ++c) {
      std::uint8_t& pixel = y_[static_cast<std::size_t>(r * scene_.width + c)];
      pixel = level(paint.keep * pixel + paint.brightness);
      if (paint.keep > 0.0) continue;
      const auto chroma = static_cast<std::size_t>((r / 2) * ((scene_.width + 1) / 2) + c / 2);
      u_[chroma] = paint.u;
      v_[chroma] = paint.v;
    }
  }
}

void RenderedTraffic::glow(Point at, double radius, double strength) {
  const Point middle{at.x + shake_.x, at.y + shake_.y};
  const int first = std::max(0, static_cast<int>(middle.y - 3.0 * radius));
  const int last = std::min(scene_.height - 1, static_cast<int>(middle.y + 3.0 * radius));
  const int left = std::max(0, static_cast<int>(middle.x - 3.0 * radius));
  const int right = std::min(scene_.width - 1, static_cast<int>(middle.x + 3.0 * radius));
  for (int r = first; r <= last; ++r) {
    for (int c = left; c <= right; ++c) {
      const double dx = (c - middle.x) / radius;
      const double dy = (r - middle.y) / radius;
      std::uint8_t& pixel = y_[static_cast<std::size_t>(r * scene_.width + c)];
      pixel = level(pixel + strength * std::exp(-0.5 * (dx * dx + dy * dy)));
    }
  }
}

void RenderedTraffic::draw_vehicle(const RenderedVehicle& vehicle, double away_m) {
  const double side = lane_middle_m(vehicle.is_toward, vehicle.lane);
  const double left = side - vehicle.width_m / 2;
  const double right = side + vehicle.width_m / 2;
  const double near = away_m - vehicle.length_m / 2;
  const double far = away_m + vehicle.length_m / 2;
  const double light = scene_.is_night ? 0.28 : 1.0;
  const double h = vehicle.height_m;
  const auto quad = [&](const std::array<Point, 4>& corners, double shade, double keep) {
    fill(corners.data(), 4, {vehicle.brightness * shade * light, vehicle.u, vehicle.v, keep});
  };
  if (scene_.has_shadow && !scene_.is_night) {
    const double reach = 1.1 * h;
    fill(std::array<Point, 4>{project(far, left, 0), project(far, right + reach, 0),
                              project(near, right + reach, 0), project(near, left, 0)}
             .data(),
         4, {0.0, 128, 128, 0.5});
  }
  const double inner = side > 0 ? left : right;  // the flank the camera sees
  quad({project(far, inner, 0), project(far, inner, h), project(near, inner, h),
        project(near, inner, 0)},
       0.75, 0.0);
  quad({project(far, left, h), project(far, right, h), project(near, right, h),
        project(near, left, h)},
       1.0, 0.0);
  quad({project(near, left, h), project(near, right, h), project(near, right, 0.25),
        project(near, left, 0.25)},
       0.9, 0.0);
  // Windscreen and the dark below.
  const double glass = 0.35;
  quad({project(near, left + 0.15, 0.92 * h), project(near, right - 0.15, 0.92 * h),
        project(near, right - 0.15, 0.6 * h), project(near, left + 0.15, 0.6 * h)},
       glass, 0.0);
  fill(std::array<Point, 4>{project(near, left, 0.3), project(near, right, 0.3),
                            project(near, right, 0), project(near, left, 0)}
           .data(),
       4, {20.0, 128, 128, 0.0});
}

void RenderedTraffic::draw_lamps(const RenderedVehicle& vehicle, double away_m) {
  const double side = lane_middle_m(vehicle.is_toward, vehicle.lane);
  const double near = away_m - vehicle.length_m / 2;
  const double pixels = kFocal * scene_.height / std::max(near, 2.0);
  if (vehicle.is_toward) {
    // The beam on the road ahead of it, smooth and wide.
    for (const double ahead : {6.0, 10.0, 15.0}) {
      if (near - ahead > kNearM) glow(project(near - ahead, side, 0), 1.6 * pixels, 26.0);
    }
  }
  for (const double off : {-0.38, 0.38}) {
    const Point lamp = project(near, side + off * vehicle.width_m, 0.65);
    glow(lamp, std::max(1.0, (vehicle.is_toward ? 0.22 : 0.13) * pixels),
         vehicle.is_toward ? 220.0 : 110.0);
  }
}

void RenderedTraffic::draw_weather(std::int64_t index) {
  Dice dice(scene_.seed * 104729u + static_cast<std::uint64_t>(index));
  const auto drops = static_cast<int>(scene_.rain * 250.0);
  for (int i = 0; i < drops; ++i) {
    const int x = static_cast<int>(dice.unit() * scene_.width);
    const int y = static_cast<int>(dice.unit() * scene_.height);
    const int length = 4 + static_cast<int>(dice.unit() * 8.0);
    for (int r = y; r < std::min(scene_.height, y + length); ++r) {
      std::uint8_t& pixel = y_[static_cast<std::size_t>(r * scene_.width + x)];
      pixel = level(0.7 * pixel + 0.3 * 200.0);
    }
  }
  if (scene_.has_exposure_jumps && (index / 60) % 2 == 1) {
    for (std::uint8_t& pixel : y_) pixel = level(16.0 + 0.72 * (pixel - 16.0));
  }
}

Result<FrameView> RenderedTraffic::next() {
  const double now_s = static_cast<double>(count_) / scene_.rate;
  if (now_s >= scene_.seconds) return fail(ErrorCode::closed, "the film is over");
  draw_road(count_);
  std::vector<std::pair<double, const RenderedVehicle*>> seen;
  for (const RenderedVehicle& vehicle : vehicles_) {
    const double beyond = (vehicle.crossing_s - now_s) * vehicle.speed_mps;
    const double away = scene_.line_m + (vehicle.is_toward ? beyond : -beyond);
    if (away - vehicle.length_m / 2 > kNearM && away < kFarM) seen.emplace_back(away, &vehicle);
  }
  std::sort(seen.begin(), seen.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [away, vehicle] : seen) draw_vehicle(*vehicle, away);
  for (const auto& [away, vehicle] : seen) {
    if (scene_.is_night) draw_lamps(*vehicle, away);
  }
  draw_weather(count_);
  FrameView view;
  view.width = scene_.width;
  view.height = scene_.height;
  view.y = y_.data();
  view.u = u_.data();
  view.v = v_.data();
  view.index = count_++;
  view.time_us = static_cast<std::int64_t>(now_s * 1e6 + 0.5);
  return view;
}

}  // namespace berm::hal
