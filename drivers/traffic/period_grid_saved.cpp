// SPDX-License-Identifier: Apache-2.0
// PeriodGrid::Saved in a checkpoint. Garbage is told from what can have been written, never
// believed.
#include "drivers/traffic/period_grid.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::int64_t kFarUs = std::int64_t{1} << 60;      // beyond any instant
constexpr std::int64_t kLongestUs = 1'000'000 * kSecondUs;  // of a period

bool is_instant(std::int64_t us) {
  return us > -kFarUs && us < kFarUs;
}
bool is_second(std::int64_t s) {
  return s > -kFarUs / kSecondUs && s < kFarUs / kSecondUs;
}

void encode_period(const GridPeriod& period, ByteWriter& writer) {
  writer.i64(period.start_us);
  writer.i64(period.end_us);
  writer.i64(period.label_us);
  writer.i64(period.label_end_us);
  writer.i64(period.unseen_us);
  writer.u8(static_cast<std::uint8_t>(period.source));
  writer.u32(period.flags.bits());
}

bool decode_period(ByteReader& reader, GridPeriod& period) {
  period.start_us = reader.i64();
  period.end_us = reader.i64();
  period.label_us = reader.i64();
  period.label_end_us = reader.i64();
  period.unseen_us = reader.i64();
  const std::uint8_t source = reader.u8();
  period.flags = Flags::from_bits(reader.u32());
  if (source > static_cast<std::uint8_t>(ClockSource::gps)) return false;
  period.source = static_cast<ClockSource>(source);
  if (!is_instant(period.start_us) || !is_instant(period.end_us)) return false;
  if (!is_instant(period.label_us) || !is_instant(period.label_end_us)) return false;
  const std::int64_t length_us = period.length_us();
  const std::int64_t label_us = period.label_end_us - period.label_us;
  return length_us > 0 && length_us <= kLongestUs && label_us > 0 && label_us <= kLongestUs &&
         period.unseen_us >= 0 && period.unseen_us < kFarUs;
}

void encode_missed(const Missed& missed, ByteWriter& writer) {
  writer.i64(missed.from_s);
  writer.i64(missed.origin_s);
  writer.u8(missed.until_s ? 1 : 0);
  writer.i64(missed.until_s.value_or(0));
}

bool decode_missed(ByteReader& reader, Missed& missed) {
  missed.from_s = reader.i64();
  missed.origin_s = reader.i64();
  const bool has_end = reader.u8() != 0;
  const std::int64_t until_s = reader.i64();
  if (has_end) missed.until_s = until_s;
  return is_second(missed.from_s) && is_second(missed.origin_s) && is_second(until_s) &&
         missed.origin_s <= missed.from_s;
}

}  // namespace

void PeriodGrid::Saved::encode(ByteWriter& writer) const {
  writer.text(boot_id);
  writer.i64(seen.mono_us);
  writer.i64(seen.wall_us);
  writer.i64(period_s);
  writer.u8(static_cast<std::uint8_t>(open.size()));
  for (const GridPeriod& period : open) encode_period(period, writer);
  used.encode(writer);
  writer.u32(backward_steps);
  writer.u8(static_cast<std::uint8_t>(missed.size()));
  for (const Missed& stretch : missed) encode_missed(stretch, writer);
}

bool PeriodGrid::Saved::decode(ByteReader& reader) {
  boot_id = std::string(reader.text());
  seen.mono_us = reader.i64();
  seen.wall_us = reader.i64();
  period_s = reader.i64();
  const std::size_t open_count = reader.u8();
  if (!is_instant(seen.mono_us) || !is_instant(seen.wall_us) || period_s < 1 ||
      period_s > 1'000'000 || open_count > kMaxOpenPeriods) {
    return false;
  }
  open.resize(open_count);
  for (GridPeriod& period : open) {
    if (!decode_period(reader, period)) return false;
  }
  if (!used.decode(reader)) return false;
  backward_steps = reader.u32();
  const std::size_t missed_count = reader.u8();
  if (missed_count > kMaxMissedStretches || backward_steps > 1'000'000) return false;
  missed.resize(missed_count);
  for (Missed& stretch : missed) {
    if (!decode_missed(reader, stretch)) return false;
  }
  return reader.is_good();
}

}  // namespace berm::drivers::traffic
