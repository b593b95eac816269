// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/speed_estimate.hpp"

#include <algorithm>

namespace berm::drivers::traffic {
namespace {

constexpr double kRatio = 1.07;
constexpr double kFirstLengthM = 2.0;
constexpr double kFirstMps = 2.0;
constexpr int kScale = 140;  // bins of the table: 1e-2 … beyond 1e2
constexpr double kScaleFirst = 0.01;

constexpr std::array<double, kScale> make_scale() {
  std::array<double, kScale> scale{};
  double value = kScaleFirst;
  for (double& step : scale) {
    step = value;
    value *= kRatio;
  }
  return scale;
}
constexpr auto kPowers = make_scale();

// log(value)/log(kRatio) + constant, by table: the same on every processor.
double position_of(double value) {
  value = std::clamp(value, kPowers.front(), kPowers.back() * 0.999);
  const auto above = std::upper_bound(kPowers.begin(), kPowers.end(), value);
  const auto index = static_cast<std::size_t>(above - kPowers.begin()) - 1;
  const double low = kPowers[index];
  return static_cast<double>(index) + (value - low) / (low * (kRatio - 1.0));
}
double length_position(double metres) {
  return position_of(metres) - position_of(kFirstLengthM);
}
double speed_position(double mps) {
  return position_of(mps) - position_of(kFirstMps);
}

constexpr std::array<double, SpeedEstimate::kSpeeds> make_speeds() {
  std::array<double, SpeedEstimate::kSpeeds> speeds{};
  double value = kFirstMps;
  for (double& speed : speeds) {
    speed = value;
    value *= kRatio;
  }
  return speeds;
}
constexpr auto kMps = make_speeds();

// How much a vehicle's speed differs from the lane's, in bins (7 %): most by a little, some by
// much.
constexpr int kReach = 5;
constexpr std::array<float, kReach + 1> kOwn = {0.320F, 0.205F, 0.075F, 0.032F, 0.018F, 0.010F};
// How the lane's speed drifts from one vehicle to the next, and by leaps (a queue comes).
constexpr float kDrift = 0.10F;
constexpr double kDriftPerS = 0.010;
constexpr float kMostDrift = 0.30F;
constexpr float kLeap = 0.004F;
constexpr float kFloor = 0.0005F;  // of the mix: nothing is impossible

constexpr float kForget = 0.9995F;  // the mix: half of it is from the last 1,400 vehicles
constexpr float kFirstWeight = 40.0F;
struct Kind {
  double metres, spread;
  float share;
};
// A common mix of lengths (m), before a lane's own is known.
constexpr Kind kCommon[] = {
    {4.3, 0.45, 0.74F}, {5.8, 0.6, 0.12F}, {9.0, 1.6, 0.05F}, {15.8, 2.0, 0.09F}};

// A hat of this half width, in bins.
void add_hat(std::array<float, SpeedEstimate::kLengths>& mix, double position, double half_width,
             float weight) {
  float total = 0.0F;
  std::array<float, SpeedEstimate::kLengths> hat{};
  for (std::size_t i = 0; i < hat.size(); ++i) {
    const double away = static_cast<double>(i) - position;
    const double height = 1.0 - (away < 0 ? -away : away) / half_width;
    if (height <= 0.0) continue;
    hat[i] = static_cast<float>(height);
    total += hat[i];
  }
  if (total <= 0.0F) return;
  for (std::size_t i = 0; i < hat.size(); ++i) mix[i] += weight * hat[i] / total;
}

}  // namespace

SpeedEstimate::SpeedEstimate(double loop_length_m) {
  for (const Kind& kind : kCommon) {
    const double metres = kind.metres + loop_length_m;
    const double half_width =
        std::max(1.5, 2.2 * (length_position(metres + kind.spread) - length_position(metres)));
    add_hat(mix_, length_position(metres), half_width, kind.share * kFirstWeight);
  }
}

void SpeedEstimate::learn(double effective_m, double speed_mps) {
  const double position = length_position(effective_m);
  if (position < 0.0 || position > static_cast<double>(kLengths) - 1.0) return;
  for (float& share : mix_) share *= kForget;
  weight_ = weight_ * kForget + 1.0F;
  add_hat(mix_, position, 1.3, 1.0F);
  // The mean of the last few, for whoever has to start from it.
  lane_mps_ = lane_mps_ <= 0.0 ? speed_mps : lane_mps_ + (speed_mps - lane_mps_) / 8.0;
  is_started_ = false;
}

void SpeedEstimate::start_at(double speed_mps) {
  lane_.fill(1.0F / static_cast<float>(kSpeeds));
  is_started_ = true;
  if (speed_mps <= 0.0) {
    // Free flow is likelier than a queue.
    for (std::size_t j = 0; j < kSpeeds; ++j)
      lane_[j] *= kMps[j] > 15.0 && kMps[j] < 40.0 ? 4.0F : 1.0F;
    return;
  }
  const double position = speed_position(speed_mps);
  for (std::size_t j = 0; j < kSpeeds; ++j) {
    const double away = (static_cast<double>(j) - position) / 4.0;
    lane_[j] += static_cast<float>(std::max(0.0, 1.0 - away * away));
  }
}

void SpeedEstimate::spread(double since_s) {
  const float drift =
      std::min(kMostDrift, kDrift + static_cast<float>(kDriftPerS * std::max(0.0, since_s)));
  std::array<float, kSpeeds> next{};
  float total = 0.0F;
  for (const float share : lane_) total += share;
  const float leap = kLeap * total / static_cast<float>(kSpeeds);
  for (std::size_t j = 0; j < kSpeeds; ++j) {
    const float below = lane_[j == 0 ? 0 : j - 1];
    const float above = lane_[j + 1 == kSpeeds ? j : j + 1];
    next[j] = (1.0F - 2.0F * drift) * lane_[j] + drift * (below + above) + leap;
  }
  lane_ = next;
}

float SpeedEstimate::likelihood(double position) const {
  if (position <= -1.0 || position >= static_cast<double>(kLengths)) return 0.0F;
  const double floor_position =
      position < 0.0 ? -1.0 : static_cast<double>(static_cast<int>(position));
  const auto fraction = static_cast<float>(position - floor_position);
  const int index = static_cast<int>(floor_position);
  const float low = index < 0 ? 0.0F : mix_[static_cast<std::size_t>(index)];
  const float high =
      index + 1 >= static_cast<int>(kLengths) ? 0.0F : mix_[static_cast<std::size_t>(index + 1)];
  return low + (high - low) * fraction;
}

SpeedEstimate::Guess SpeedEstimate::take(double on_s, double since_s) {
  if (!is_started_) start_at(lane_mps_);
  spread(since_s);
  const double shift = position_of(std::max(0.011, on_s)) - position_of(1.0);
  // mix at v_i·τ; bin i of speed is kFirstMps·r^i, so its length is at this position:
  const double first = length_position(kFirstMps) + shift;
  float mix_total = 0.0F;
  for (const float share : mix_) mix_total += share;
  std::array<float, kSpeeds> fit{};
  for (std::size_t i = 0; i < kSpeeds; ++i)
    fit[i] = likelihood(first + static_cast<double>(i)) / mix_total + kFloor;
  std::array<float, kSpeeds> own{};
  std::array<float, kSpeeds> lane{};
  for (int i = 0; i < static_cast<int>(kSpeeds); ++i) {
    const int low = std::max(0, i - kReach);
    const int high = std::min(static_cast<int>(kSpeeds) - 1, i + kReach);
    for (int j = low; j <= high; ++j) {
      const float both = lane_[static_cast<std::size_t>(j)] *
                         kOwn[static_cast<std::size_t>(i < j ? j - i : i - j)] *
                         fit[static_cast<std::size_t>(i)];
      own[static_cast<std::size_t>(i)] += both;
      lane[static_cast<std::size_t>(j)] += both;
    }
  }
  double own_total = 0.0;
  double own_sum = 0.0;
  double lane_sum = 0.0;
  for (std::size_t i = 0; i < kSpeeds; ++i) {
    own_total += static_cast<double>(own[i]);
    own_sum += static_cast<double>(own[i]) * kMps[i];
    lane_sum += static_cast<double>(lane[i]) * kMps[i];
  }
  if (own_total <= 0.0) return {};
  for (std::size_t j = 0; j < kSpeeds; ++j) lane_[j] = lane[j] / static_cast<float>(own_total);
  lane_mps_ = lane_sum / own_total;
  const double mps = own_sum / own_total;
  return {mps, mps * on_s};
}

void SpeedEstimate::encode(ByteWriter& writer) const {
  // Shares in 1/250 of the largest: a lane's mix in 40 bytes.
  const float most = std::max(1e-6F, *std::max_element(mix_.begin(), mix_.end()));
  for (const float share : mix_) writer.u8(static_cast<std::uint8_t>(share / most * 250.0F));
  writer.u32(static_cast<std::uint32_t>(most * 1000.0F));
  writer.u32(static_cast<std::uint32_t>(weight_));
  writer.u32(static_cast<std::uint32_t>(lane_mps_ * 1000.0));
}

bool SpeedEstimate::decode(ByteReader& reader) {
  std::array<std::uint8_t, kLengths> shares{};
  for (std::uint8_t& share : shares) share = reader.u8();
  const std::uint32_t most = reader.u32();
  const std::uint32_t weight = reader.u32();
  const std::uint32_t lane = reader.u32();
  if (!reader.is_good() || most == 0 || most > 10'000'000 || weight > 10'000 || lane > 100'000)
    return false;
  float total = 0.0F;
  for (std::size_t i = 0; i < kLengths; ++i) {
    mix_[i] = static_cast<float>(shares[i]) / 250.0F * static_cast<float>(most) / 1000.0F;
    total += mix_[i];
  }
  weight_ = static_cast<float>(weight);
  lane_mps_ = static_cast<double>(lane) / 1000.0;
  return total > 0.0F;
}

}  // namespace berm::drivers::traffic
