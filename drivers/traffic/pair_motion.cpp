// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/pair_motion.hpp"

#include <algorithm>
#include <cmath>

#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr double kMaxMps = 150.0;         // beyond: two vehicles or crosstalk, not one fast vehicle
constexpr double kMaxAcceleration = 6.0;  // m/s², braking of a car on a dry road
constexpr double kRelativeNoise = 0.15;   // of the speeds: sensitivities of the two loops differ
constexpr double kEdgeNoiseS = 0.010;     // of an edge, beside its resolution
constexpr double kUniformWithin = 0.10;   // |v_on − v_off|/v up to which speed is called constant
constexpr double kClearNoise = 3.5;       // times the noise: acceleration
constexpr double kShortestVehicleM = 0.5;  // for the longest crossing
constexpr double kSlackM = 0.5;            // of the length limits when matching
constexpr double kLongestMatchM = 40.0;

double seconds(std::int64_t us) {
  return static_cast<double>(us) * 1e-6;
}

constexpr double kAlikeWithin = 0.12;   // |on_A − on_B|/on of pulses that need no second thought
constexpr double kAlikeSlackS = 0.012;  // and beside that, with the resolution

// Twice the noise is no acceleration yet; four times it is three quarters of one.
double front_crossing(double d_on, double d_off, double noise_s) {
  const double mean = (d_on + d_off) / 2.0;
  const double excess = std::abs(d_on - d_off);
  const double floor = 2.0 * noise_s;
  if (excess <= floor) return mean;
  const double weight = 1.0 - floor * floor / (excess * excess);
  return mean + (d_on - mean) * weight;
}

double effective_length(double v_on, double v_off, const PairTimes& times, double spacing_m) {
  const double d_on = seconds(times.b_on_us - times.a_on_us);
  const double d_off = seconds(times.b_off_us - times.a_off_us);
  const double on_a = seconds(times.a_off_us - times.a_on_us);
  const double on_b = seconds(times.b_off_us - times.b_on_us);
  const double mean = 2.0 * spacing_m / (d_on + d_off);
  const double span = (on_a + on_b) / 2.0;
  const bool is_clear = std::abs(on_a - on_b) > kClearNoise * times.noise_s;
  if (is_clear && std::abs(v_on - v_off) > kUniformWithin * mean) {
    const double acceleration = (v_off - v_on) / span;
    const double first = v_on - acceleration * d_on / 2.0;
    const double length = first * on_a + acceleration * on_a * on_a / 2.0;
    // A vehicle that stopped between the two measurements did not accelerate uniformly.
    if (first > 0.0 && first + acceleration * on_a > 0.0) return length;
  }
  return mean * span;
}

// Too coarse for speeds: only order and similar length in time can be asked for.
std::optional<PairMotion> coarse_motion(const PairTimes& times, const PairGeometry& geometry) {
  const std::int64_t slack = 2 * std::int64_t{times.resolution_us};
  const std::int64_t on_a = times.a_off_us - times.a_on_us;
  const std::int64_t on_b = times.b_off_us - times.b_on_us;
  const std::int64_t crossing = times.b_on_us - times.a_on_us;
  const std::int64_t difference = std::abs(on_a - on_b);
  if (crossing < -slack || times.b_off_us - times.a_off_us < -slack) return std::nullopt;
  if (crossing > longest_crossing_us(on_a + slack, geometry)) return std::nullopt;
  if (difference > slack * 2 + std::max(on_a, on_b) / 2) return std::nullopt;
  PairMotion motion;
  motion.mismatch = seconds(difference) / std::max(1e-6, seconds(on_a + on_b));
  return motion;
}

// Whether a vehicle can go from v_on to v_off between the two measurements. Precondition: both
// crossings take time.
bool is_one_motion(const PairTimes& times, double spacing_m) {
  const double d_on = seconds(times.b_on_us - times.a_on_us);
  const double d_off = seconds(times.b_off_us - times.a_off_us);
  const double v_on = spacing_m / d_on;
  const double v_off = spacing_m / d_off;
  const double span =
      seconds(times.a_off_us - times.a_on_us + times.b_off_us - times.b_on_us) / 2.0;
  const double edge_noise = kEdgeNoiseS + seconds(times.resolution_us);
  const double noise = kRelativeNoise + 2.0 * edge_noise / std::min(d_on, d_off);
  return std::abs(v_on - v_off) <= kMaxAcceleration * span + (v_on + v_off) / 2.0 * noise;
}

}  // namespace

std::optional<PairMotion> pair_motion(const PairTimes& times, const PairGeometry& geometry) {
  if (times.resolution_us > kCountOnlyUs) return coarse_motion(times, geometry);
  const double d_on = seconds(times.b_on_us - times.a_on_us);
  const double d_off = seconds(times.b_off_us - times.a_off_us);
  const double on_a = seconds(times.a_off_us - times.a_on_us);
  const double on_b = seconds(times.b_off_us - times.b_on_us);
  if (d_on <= 0.0 || on_a <= 0.0 || on_b <= 0.0) return std::nullopt;
  const bool is_on_both = times.b_on_us < times.a_off_us;
  const double v_on = geometry.spacing_m / d_on;
  PairMotion motion;
  motion.mismatch = std::abs(on_a - on_b) / (on_a + on_b);
  motion.is_alike =
      std::abs(on_a - on_b) <=
      kAlikeWithin * std::max(on_a, on_b) + 2.0 * (kAlikeSlackS + seconds(times.resolution_us));
  if (d_off > 0.0 && is_one_motion(times, geometry.spacing_m)) {
    const double v_off = geometry.spacing_m / d_off;
    motion.speed_mps = geometry.spacing_m / front_crossing(d_on, d_off, times.noise_s);
    motion.length_m = effective_length(v_on, v_off, times, geometry.spacing_m);
  } else if (is_on_both && on_b < on_a) {
    // It left the lane on the second loop: front and first loop still say it all.
    motion.speed_mps = v_on;
    motion.length_m = v_on * on_a;
    motion.is_whole = false;
  } else {
    return std::nullopt;
  }
  motion.length_m -= geometry.loop_length_m;
  if (motion.speed_mps > kMaxMps) return std::nullopt;
  if (motion.length_m < kMinPlausibleLengthM - kSlackM) return std::nullopt;
  // One that stood over both loops has no measurable length, but is one vehicle all the same.
  if (motion.length_m > kLongestMatchM && !is_on_both) return std::nullopt;
  return motion;
}

std::int64_t longest_crossing_us(std::int64_t on_us, const PairGeometry& geometry) {
  // At constant speed the shortest vehicle needs on·D/(ℓ + 0.5 m); three times that when it brakes.
  const double ratio = geometry.spacing_m / (geometry.loop_length_m + kShortestVehicleM);
  const double expected = 3.0 * static_cast<double>(on_us) * ratio;
  const double longest = static_cast<double>(on_us + kMaxCrossingUs);
  return static_cast<std::int64_t>(std::min(expected + static_cast<double>(kSecondUs), longest));
}

}  // namespace berm::drivers::traffic
