// SPDX-License-Identifier: Apache-2.0
// LaneHealth in a checkpoint. Garbage is told from what can have been written, never believed.
#include <bit>

#include "drivers/traffic/lane_health.hpp"

namespace berm::drivers::traffic {
namespace {

void put(ByteWriter& writer, float value) {
  writer.u32(std::bit_cast<std::uint32_t>(value));
}
// Finite and within ±most; what is not makes `is_sound` false.
float get(ByteReader& reader, float most, bool& is_sound) {
  const float value = std::bit_cast<float>(reader.u32());
  if (value >= -most && value <= most) return value;
  is_sound = false;
  return 0.0F;
}
void put16(ByteWriter& writer, std::uint16_t value) {
  writer.u8(static_cast<std::uint8_t>(value & 0xffu));
  writer.u8(static_cast<std::uint8_t>(value >> 8));
}
std::uint16_t get16(ByteReader& reader) {
  const unsigned low = reader.u8();
  return static_cast<std::uint16_t>(low | unsigned{reader.u8()} << 8);
}
constexpr float kMostMean = 1e6F;

// Faults of the whole lane are kept beside those of the first loop.
std::int8_t said_of(Fault fault, int loop) {
  const bool is_of_loop =
      fault == Fault::loop_dead || fault == Fault::max_presence || fault == Fault::chatter;
  return is_of_loop ? static_cast<std::int8_t>(loop) : kWholeLane;
}

}  // namespace

void LaneHealth::encode(ByteWriter& writer) const {
  for (const Loop& loop : loops_) writer.u8(static_cast<std::uint8_t>(loop.state));
  writer.u8(static_cast<std::uint8_t>((silent_since_us_ >= 0 ? 1 : 0) | (is_swapped_ ? 2 : 0) |
                                      (is_day_ ? 4 : 0)));
  writer.u32(held_);
  writer.u32(held_second_);
  for (const Mean* mean : {&mismatch_, &crosstalk_, &breakup_, &first_missed_, &second_missed_,
                           &car_fast_, &car_slow_, &on_, &effective_}) {
    put(writer, mean->value);
    put16(writer, mean->count);
  }
  for (const float value : {headway_fast_s_, headway_slow_s_, longest_s_, longest_on_s_})
    put(writer, value);
  put16(writer, headways_);
  put16(writer, day_.samples);
  if (day_.samples == 0) return;
  for (const std::uint16_t value : {day_.empty, day_.uncounted, day_.crowded}) put16(writer, value);
  writer.u32(day_.vehicles);
  for (const std::uint16_t value : day_.spread) put16(writer, value);
}

bool LaneHealth::decode(ByteReader& reader, std::int64_t now_us) {
  LaneHealth read = *this;
  bool is_sound = true;
  for (Loop& loop : read.loops_) {
    const std::uint8_t state = reader.u8();
    if (state > static_cast<std::uint8_t>(State::chatter)) return false;
    loop.state = static_cast<State>(state);
    loop.since_us = now_us;
  }
  const std::uint8_t bits = reader.u8();
  if ((bits & 1u) != 0) read.silent_since_us_ = now_us;
  read.is_swapped_ = (bits & 2u) != 0 && is_pair_;
  read.is_day_ = (bits & 4u) != 0;
  read.held_ = reader.u32() & ((1u << kFaultCount) - 1u);
  read.held_second_ = reader.u32() & ((1u << kFaultCount) - 1u);
  for (Mean* mean :
       {&read.mismatch_, &read.crosstalk_, &read.breakup_, &read.first_missed_,
        &read.second_missed_, &read.car_fast_, &read.car_slow_, &read.on_, &read.effective_}) {
    mean->value = get(reader, kMostMean, is_sound);
    mean->count = get16(reader);
  }
  for (float* value :
       {&read.headway_fast_s_, &read.headway_slow_s_, &read.longest_s_, &read.longest_on_s_})
    *value = get(reader, kMostMean, is_sound);
  read.headways_ = get16(reader);
  read.day_.samples = get16(reader);
  if (read.day_.samples > 0) {
    for (std::uint16_t* value : {&read.day_.empty, &read.day_.uncounted, &read.day_.crowded})
      *value = get16(reader);
    read.day_.vehicles = reader.u32();
    for (std::uint16_t& value : read.day_.spread) value = get16(reader);
  }
  if (read.held_ != 0 && (read.held_ >> static_cast<unsigned>(Fault::wrong_way) & 1u) != 0)
    read.wrong_way_us_ = now_us;
  if ((read.held_ >> static_cast<unsigned>(Fault::reversing) & 1u) != 0)
    read.reversing_us_ = now_us;
  if (!is_sound || !reader.is_good()) return false;
  for (int i = 0; i < kFaultCount; ++i) {
    for (const int loop : {0, 1}) {
      const std::uint32_t held = loop == 0 ? read.held_ : read.held_second_;
      if ((held >> i & 1u) == 0 || read.news_size_ == read.news_.size()) continue;
      const auto fault = static_cast<Fault>(i);
      read.news_[read.news_size_++] = {fault, said_of(fault, loop), true, now_us, now_us, 0.0};
    }
  }
  *this = read;
  return true;
}

}  // namespace berm::drivers::traffic
