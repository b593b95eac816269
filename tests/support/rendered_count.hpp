// SPDX-License-Identifier: Apache-2.0
// count_rendered: lets the camera counter count a rendered scene, one line per direction, and says
// how well. Used by tests and by bench/camera.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "drivers/camera_counter/camera_lane.hpp"
#include "drivers/camera_counter/limits.hpp"
#include "drivers/camera_counter/match.hpp"
#include "hal/linux/cpu_time.hpp"
#include "hal/sim/frame_source.hpp"

namespace berm::tests {

struct CountedFilm {
  drivers::camera_counter::Agreement agreement;
  double speed_error = 0.0;   // mean of |error| / truth, of what agrees
  double length_error = 0.0;  // mean of |error|, m
  int measured = 0;
  double ms_per_frame = 0.0;  // CPU, without drawing
};

inline drivers::camera_counter::CameraLane rendered_lane(const hal::RenderedTraffic& film,
                                                         bool is_toward) {
  using namespace drivers::camera_counter;
  const hal::RenderedScene& scene = film.scene();
  const int lanes = is_toward ? scene.lanes_toward : scene.lanes_away;
  const double row = film.row_of(scene.line_m);
  const double inner = film.column_of(scene.line_m, (is_toward ? 1 : -1) * 0.4);
  const double outer = film.column_of(scene.line_m, (is_toward ? 1 : -1) * (3.4 * lanes + 0.8));
  CameraLane lane;
  lane.name = is_toward ? "toward" : "away";
  lane.line.from = {std::max(0.0, std::min(inner, outer)), row};
  lane.line.to = {std::min<double>(scene.width, std::max(inner, outer)), row};
  lane.line.direction = is_toward ? Direction::down : Direction::up;
  const auto known = [&](double from_m, double to_m) {
    return KnownDistance{{scene.width / 2.0, film.row_of(from_m)},
                         {scene.width / 2.0, film.row_of(to_m)},
                         to_m - from_m};
  };
  lane.scale = Scale{known(scene.line_m - 5.0, scene.line_m - 2.0),
                     known(scene.line_m + 2.0, scene.line_m + 8.0)};
  return lane;
}

// The vehicles of a direction whose whole crossing lies within the film.
inline std::vector<hal::RenderedVehicle> whole_crossings(const hal::RenderedTraffic& film,
                                                         bool is_toward) {
  std::vector<hal::RenderedVehicle> whole;
  for (const hal::RenderedVehicle& vehicle : film.vehicles()) {
    const double half_s = (vehicle.length_m / 2 + vehicle.height_m * 2.0) / vehicle.speed_mps;
    const bool is_within = vehicle.crossing_s > half_s + 0.3 &&
                           vehicle.crossing_s < film.scene().seconds - half_s - 0.3;
    if (vehicle.is_toward == is_toward && is_within) whole.push_back(vehicle);
  }
  return whole;
}

inline CountedFilm count_rendered(const hal::RenderedScene& scene) {
  using namespace drivers::camera_counter;
  hal::RenderedTraffic film(scene);
  const std::array<CameraLane, 2> lanes = {rendered_lane(film, false), rendered_lane(film, true)};
  std::vector<LaneCounter> counters;
  for (const CameraLane& lane : lanes) {
    auto made = LaneCounter::make(lane.line, scene.width, scene.height, scene.rate, kLearnFilmS);
    if (made) counters.push_back(std::move(*made));
  }
  CountedFilm result;
  std::array<std::vector<LinePassage>, 2> found;
  std::int64_t frames = 0;
  double cpu_s = 0.0;
  while (const auto frame = film.next()) {
    const double before = hal::thread_cpu_s();
    for (LaneCounter& counter : counters) counter.add(*frame);
    cpu_s += hal::thread_cpu_s() - before;
    ++frames;
  }
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters[i].finish();
    found[i] = counters[i].take();
    std::vector<double> counted;
    std::vector<double> truth;
    // One that is cut by the film's ends may be told or not.
    for (const LinePassage& passage : found[i]) {
      const bool is_cut =
          passage.frame < scene.rate || passage.frame > static_cast<double>(frames) - scene.rate;
      if (!is_cut) counted.push_back(passage.frame);
    }
    for (const hal::RenderedVehicle& vehicle : whole_crossings(film, i == 1)) {
      const double frame = vehicle.crossing_s * scene.rate;
      if (frame < scene.rate || frame > static_cast<double>(frames) - scene.rate) continue;
      truth.push_back(frame);
      for (const LinePassage& passage : found[i]) {
        if (std::abs(passage.frame - frame) > 0.25 * scene.rate) continue;
        const Measured measured = measure(lanes[i], passage, scene.rate);
        if (std::isnan(measured.speed_kmh)) continue;
        result.speed_error += std::abs(measured.speed_kmh / 3.6 / vehicle.speed_mps - 1.0);
        result.length_error += std::abs(measured.length_m - vehicle.length_m);
        ++result.measured;
        break;
      }
    }
    result.agreement += agree(counted, truth, 0.5 * scene.rate);
  }
  if (result.measured > 0) {
    result.speed_error /= result.measured;
    result.length_error /= result.measured;
  }
  result.ms_per_frame = frames > 0 ? 1e3 * cpu_s / static_cast<double>(frames) : 0.0;
  return result;
}

}  // namespace berm::tests
