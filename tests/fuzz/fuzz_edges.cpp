// SPDX-License-Identifier: Apache-2.0
// Any edges, at any time, on any line, between clock steps, failing inputs and restarts from any
// checkpoint: the traffic engine gives observations that add up. The input is a row of 8-byte
// records {what, line, state, lost, 32 bits of time}; its first byte says how many bytes are a
// checkpoint.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "drivers/traffic/lane_engine.hpp"
#include "hal/base/assert.hpp"

namespace {

using namespace berm;  // NOLINT(google-build-using-namespace): one small program

class FuzzClock final : public hal::Clock {
 public:
  MonoTime mono() const override { return mono_us(now_us); }
  hal::WallReading wall() const override { return {wall_us(now_us + offset_us), source}; }
  const std::string& boot_id() const override { return boot_; }
  std::int64_t now_us = 100'000'000;
  std::int64_t offset_us = 1'700'000'000'000'000;
  ClockSource source = ClockSource::ntp;

 private:
  std::string boot_ = "boot";
};

class CheckingSink final : public drivers::traffic::TrafficSink {
 public:
  void on_passage(std::size_t, const drivers::traffic::Passage& passage,
                  const drivers::traffic::Moment&) override {
    BERM_ASSERT(passage.length_class <= 5);
    BERM_ASSERT(!passage.has_speed() || (passage.speed_kmh >= 0 && passage.speed_kmh <= 250));
  }
  void on_period(std::size_t, drivers::LanePeriod period) override {
    const double occupancy = period.occupancy_percent.value_or(0);
    const double coverage = period.coverage.value_or(0);
    BERM_ASSERT(period.period_s >= 1);
    BERM_ASSERT(occupancy >= 0 && occupancy <= 100 && coverage >= 0 && coverage <= 1);
    if (!period.count) return;
    std::int64_t sum = *period.unclassified_count;
    for (const auto& measure : period.classes) sum += *measure.count;
    BERM_ASSERT(sum == *period.count && sum >= 0);
  }
  void on_checkpoint(std::string bytes) override { checkpoint = std::move(bytes); }
  // A fault begins once and ends once.
  void on_diagnosis(std::size_t lane, const drivers::traffic::Diagnosis& diagnosis) override {
    const std::tuple key{lane, diagnosis.fault, diagnosis.loop};
    if (diagnosis.begins) {
      held.insert(key);
    } else {
      held.erase(key);
    }
    BERM_ASSERT(!drivers::traffic::text_of(diagnosis, "R10", "A", "B", "03:12").empty());
  }
  std::set<std::tuple<std::size_t, drivers::traffic::Fault, std::int8_t>> held;
  std::string checkpoint;
};

std::unique_ptr<drivers::traffic::LaneEngine> engine_on(const FuzzClock& clock, CheckingSink& sink,
                                                        std::int64_t period_s) {
  const drivers::traffic::EngineLane pair{1, true, {2.0, 4.5}, ""};
  const drivers::traffic::EngineLane other{2, true, {2.0, 4.5}, ""};
  const drivers::traffic::EngineLane single{3, false, {}, ""};
  return std::make_unique<drivers::traffic::LaneEngine>(
      std::vector<drivers::traffic::EngineLane>{pair, other, single}, period_s, clock, sink);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  FuzzClock clock;
  CheckingSink sink;
  const std::size_t head = std::min<std::size_t>(bytes[0], size - 2);
  const std::int64_t period_s = bytes[1] % 4 == 0 ? 1 : 60;
  const std::string checkpoint(reinterpret_cast<const char*>(bytes + 2), head);
  auto engine = engine_on(clock, sink, period_s);
  engine->begin(clock.mono(), checkpoint);
  for (std::size_t at = 2 + head; at + 8 <= size; at += 8) {
    const std::uint8_t* const record = bytes + at;
    std::uint32_t number = 0;
    std::memcpy(&number, record + 4, sizeof number);
    const std::int64_t ahead_us = number % 2'000'000;
    switch (record[0] % 16) {
      case 0:
        clock.offset_us += (ahead_us - 1'000'000) * 1000;
        break;
      case 1:
        engine->set_input(record[2] % 2 == 0, clock.mono());
        break;
      case 2:
        clock.source = record[2] % 2 == 0 ? ClockSource::none : ClockSource::gps;
        break;
      case 3:
        engine->end(clock.mono());
        clock.now_us += ahead_us * 100;
        engine = engine_on(clock, sink, period_s);
        engine->begin(clock.mono(), sink.checkpoint);
        while (engine->report_missed()) {
        }
        break;
      case 4:
        clock.now_us += ahead_us;
        engine->advance(clock.mono());
        break;
      default: {
        clock.now_us += ahead_us / 8;
        const std::int64_t late_us = record[0] % 16 == 5 ? ahead_us * 5 : 0;
        const std::uint32_t resolution_us = record[1] % 8 == 0 ? 50'000u : 1u;
        const hal::Edge edge{
            mono_us(clock.now_us - late_us),           resolution_us,      record[3] / 240u,
            static_cast<std::uint16_t>(record[1] % 6), record[2] % 2 == 0, record[2] % 8 == 4};
        engine->take({&edge, 1}, clock.mono());
        BERM_ASSERT(engine->next_wake() > clock.mono() - Microseconds{1});
      }
    }
  }
  engine->end(clock.mono());
  return 0;
}
