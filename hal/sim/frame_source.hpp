// SPDX-License-Identifier: Apache-2.0
// RenderedTraffic: a FrameSource that draws vehicles of known size, speed and lane as a camera on a
// mast would see them, so that a counter can be measured on any machine. Straight road, pinhole
// camera above its middle, looking along it; vehicles are boxes with a windscreen, wheels' shade
// and lamps. Light, shadow, rain, night with headlights on the road, a shaking mast and jumps of
// exposure are options. The same options and seed give the same pictures, byte for byte.
//
// Truth: for each vehicle when its middle is above the line at `line_m`, how fast and how long.
// `row_of` and `column_of` say where the road lies in the picture, for lines and scales. Vehicles
// keep their lane and speed; a follower never comes nearer than 1.2 s. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "hal/frame_source.hpp"

namespace berm::hal {

struct RenderedScene {
  int width = 640, height = 360;
  double rate = 25.0;
  double seconds = 30.0;
  std::uint64_t seed = 1;
  int lanes_toward = 1, lanes_away = 1;
  double flow_veh_h = 900.0;  // per lane
  double speed_kmh = 70.0;    // mean; ± 15 % by vehicle
  double long_share = 0.15;   // lorries of 8…12 m
  double line_m = 22.0;       // where vehicles are counted, from the foot of the mast
  bool is_night = false;
  bool has_shadow = false;
  double rain = 0.0;          // 0…1
  double shake_pixels = 0.0;  // largest displacement
  bool has_exposure_jumps = false;
};

struct RenderedVehicle {
  bool is_toward = true;
  int lane = 0;  // 0 is nearest to the middle of the road
  double length_m = 4.4, width_m = 1.8, height_m = 1.5;
  double speed_mps = 20.0;
  double crossing_s = 0.0;  // its middle is at the line
  std::uint8_t brightness = 120;
  std::uint8_t u = 128, v = 128;
};

class RenderedTraffic final : public FrameSource {
 public:
  explicit RenderedTraffic(const RenderedScene& scene);
  Result<FrameView> next() override;
  double rate() const override { return scene_.rate; }

  const std::vector<RenderedVehicle>& vehicles() const { return vehicles_; }
  const RenderedScene& scene() const { return scene_; }
  // Of a point of the road, `away_m` from the mast and `side_m` right of the middle.
  double row_of(double away_m) const;
  double column_of(double away_m, double side_m) const;
  double lane_middle_m(bool is_toward, int lane) const;

 private:
  struct Point {
    double x = 0.0, y = 0.0;
  };
  struct Paint {
    double brightness = 0.0;
    std::uint8_t u = 128, v = 128;
    double keep = 0.0;  // share of what is there already
  };
  Point project(double away_m, double side_m, double up_m) const;
  void make_vehicles();
  double ground(double away, double side) const;
  void make_road();
  void draw_road(std::int64_t index);
  void draw_vehicle(const RenderedVehicle& vehicle, double away_m);
  void draw_lamps(const RenderedVehicle& vehicle, double away_m);
  void draw_weather(std::int64_t index);
  void fill(const Point* corners, int count, const Paint& paint);
  void glow(Point at, double radius, double strength);

  RenderedScene scene_;
  std::vector<RenderedVehicle> vehicles_;
  std::vector<std::uint8_t> road_;  // with a border for the shaking
  std::vector<std::uint8_t> y_, u_, v_;
  Point shake_;
  std::int64_t count_ = 0;
};

}  // namespace berm::hal
