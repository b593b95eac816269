// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/lane_period.hpp"

#include <algorithm>

#include "drivers/traffic/rounding.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::uint32_t kDefectPulses = 5;  // one loop saw so many, the other none
constexpr std::uint32_t kDefectMinBad = 5;  // fewer bad counts say nothing
constexpr double kDefectShare = 0.20;       // MIV: "more than 20 % bad counts"
constexpr double kPoorCoverage = 0.5;
// Words that healthy traffic brings along.
constexpr Flags kRegular = Flags(Flag::coarse) | Flag::half | Flag::second_only | Flag::still_on |
                           Flag::breakup | Flag::estimate;

double share(std::int64_t part_us, std::int64_t whole_us) {
  if (whole_us <= 0) return 0.0;
  return std::clamp(static_cast<double>(part_us) / static_cast<double>(whole_us), 0.0, 1.0);
}

}  // namespace

void LanePeriodSum::add(const Passage& passage) {
  flags_ |= passage.flags;
  if (passage.flags.has(Flag::half) || passage.flags.has(Flag::second_only) ||
      passage.flags.has(Flag::first_missed) || passage.flags.has(Flag::implausible)) {
    ++bad_passages_;
  }
  if (!passage.counts) return;
  if (passage.has_speed()) {
    ++speed_count_;
    speeds_ += passage.speed_kmh;
    squares_ += passage.speed_kmh * passage.speed_kmh;
  }
  if (passage.length_class == 0) {
    ++unclassified_;
    return;
  }
  ClassSum& sum = classes_[passage.length_class - 1u];
  ++sum.count;
  if (!passage.has_speed() || passage.speed_kmh <= 0.0) return;
  ++sum.speed_count;
  sum.speeds += passage.speed_kmh;
  sum.paces += 1.0 / passage.speed_kmh;
}

std::int64_t LanePeriodSum::count() const {
  std::int64_t count = unclassified_;
  for (const ClassSum& sum : classes_) count += sum.count;
  return count;
}

void LanePeriodSum::fill(LanePeriod& period, std::int64_t length_us, std::int64_t unseen_us,
                         bool is_pair, Flags period_flags) const {
  const Flags flags = flags_ | period_flags;
  const std::int64_t readable_us = std::clamp<std::int64_t>(length_us - unseen_us, 0, length_us);
  const std::int64_t observed_us = std::max<std::int64_t>(0, readable_us - unseen_us_);
  period.flags = flags.words();
  period.coverage = ten_thousandths(share(observed_us, length_us));
  period.availability_percent = hundredths(100.0 * share(readable_us, length_us));
  if (observed_us == 0 && count() == 0) {
    period.valid = 2;
    return;
  }
  period.count = count();
  period.unclassified_count = unclassified_;
  fill_classes(period);
  if (observed_us > 0) {
    period.occupancy_percent = hundredths(100.0 * share(occupied_us_, observed_us));
  }
  if (speed_count_ > 0) {
    const double mean = speeds_ / speed_count_;
    period.unrest = hundredths(std::max(0.0, squares_ / speed_count_ - mean * mean));
  }
  judge(period, is_pair, flags);
}

void LanePeriodSum::fill_classes(LanePeriod& period) const {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const ClassSum& sum = classes_[i];
    ClassMeasure& measure = period.classes[i];
    measure.count = sum.count;
    measure.speed_count = sum.speed_count;
    if (sum.speed_count == 0) continue;
    measure.speed_kmh = hundredths(sum.speeds / sum.speed_count);
    measure.speed_harmonic_kmh = hundredths(sum.speed_count / sum.paces);
  }
}

std::uint32_t LanePeriodSum::bad_counts() const {
  return odd_edges_ + bad_passages_;
}

void LanePeriodSum::judge(LanePeriod& period, bool is_pair, Flags flags) const {
  const std::uint32_t bad = bad_counts();
  const double whole = static_cast<double>(std::max<std::int64_t>(1, count()));
  const bool is_mostly_bad = bad >= kDefectMinBad && bad > kDefectShare * whole;
  const std::uint32_t fewer = std::min(pulses_[0], pulses_[1]);
  const std::uint32_t more = std::max(pulses_[0], pulses_[1]);
  const bool is_one_dead = has_loop_fault_ || (is_pair && fewer == 0 && more >= kDefectPulses);
  period.defect = is_one_dead ? 1 : is_mostly_bad ? 2 : 0;
  if (is_mostly_bad) {
    period.valid = 3;
  } else if (period.coverage.value_or(0.0) < kPoorCoverage) {
    period.valid = 2;
  } else {
    const bool is_odd = (flags.bits() & ~kRegular.bits()) != 0;
    period.valid = is_odd || period.coverage.value_or(0.0) < 1.0 ? 1 : 0;
  }
}

void LanePeriodSum::encode(ByteWriter& writer) const {
  std::uint8_t used = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i].count > 0) used = static_cast<std::uint8_t>(used | (1u << i));
  }
  writer.u8(used);
  for (const ClassSum& sum : classes_) {
    if (sum.count == 0) continue;
    writer.u32(sum.count);
    writer.u32(sum.speed_count);
    writer.real(sum.speeds);
    writer.real(sum.paces);
  }
  writer.real(speeds_);
  writer.real(squares_);
  writer.i64(occupied_us_);
  writer.i64(unseen_us_);
  writer.u32(speed_count_);
  writer.u32(unclassified_);
  writer.u32(odd_edges_);
  writer.u32(bad_passages_);
  writer.u32(pulses_[0]);
  writer.u32(pulses_[1]);
  writer.u32(flags_.bits());
  writer.u8(has_loop_fault_ ? 1 : 0);
}

bool LanePeriodSum::decode(ByteReader& reader) {
  LanePeriodSum sum;
  const std::uint8_t used = reader.u8();
  bool is_sound = true;
  const auto is_sum = [](double value) { return value >= 0.0 && value < 1e15; };
  for (std::size_t i = 0; i < sum.classes_.size(); ++i) {
    if ((used & (1u << i)) == 0) continue;
    ClassSum& one = sum.classes_[i];
    one.count = reader.u32();
    one.speed_count = reader.u32();
    one.speeds = reader.real();
    one.paces = reader.real();
    is_sound = is_sound && one.speed_count <= one.count && is_sum(one.speeds) && is_sum(one.paces);
    is_sound = is_sound && (one.speed_count == 0 || one.paces > 0.0);
  }
  sum.speeds_ = reader.real();
  sum.squares_ = reader.real();
  sum.occupied_us_ = reader.i64();
  sum.unseen_us_ = reader.i64();
  sum.speed_count_ = reader.u32();
  sum.unclassified_ = reader.u32();
  sum.odd_edges_ = reader.u32();
  sum.bad_passages_ = reader.u32();
  sum.pulses_[0] = reader.u32();
  sum.pulses_[1] = reader.u32();
  sum.flags_ = Flags::from_bits(reader.u32());
  sum.has_loop_fault_ = reader.u8() != 0;
  is_sound = is_sound && reader.is_good() && is_sum(sum.speeds_) && is_sum(sum.squares_) &&
             sum.occupied_us_ >= 0 && sum.unseen_us_ >= 0;
  if (!is_sound) return false;
  *this = sum;
  return true;
}

}  // namespace berm::drivers::traffic
