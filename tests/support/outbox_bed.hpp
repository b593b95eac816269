// SPDX-License-Identifier: Apache-2.0
// OutboxBed: an outbox on a simulated disk in virtual time. Knows what was appended and what was
// acknowledged; opens, closes, reboots and cuts the power; reads events for an uplink. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/outbox/outbox.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/random.hpp"

namespace berm::test {

class AlarmRecorder final : public drivers::AlarmSink {
 public:
  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity,
                   std::string_view) override {
    on.insert(std::string(alarm) + "/" + std::string(subject));
    ever.insert(std::string(alarm) + "/" + std::string(subject));
  }
  void end_alarm(std::string_view alarm, std::string_view subject) override {
    on.erase(std::string(alarm) + "/" + std::string(subject));
  }
  std::set<std::string> on;
  std::set<std::string> ever;
};

class OutboxBed {
 public:
  explicit OutboxBed(std::uint64_t seed = 1);
  ~OutboxBed();

  Result<void> open();
  // As a clean end of the program: everything is flushed first.
  void close();
  // As kill -9: what is only in memory is gone, the disk stays as it is seen.
  void kill();
  // The machine loses power and comes up again: another boot, unsynced sectors at random.
  void power_cut(Microseconds off = Seconds{60});
  void run_for(Microseconds time) { loop_->run_for(time); }

  // A lane period of now with that many vehicles. False: the outbox did not take it.
  bool append_lane(std::int64_t vehicles, std::function<void()> on_durable = {});
  bool append_vehicle(std::function<void()> on_durable = {});
  bool append_row(std::string_view stream, std::function<void()> on_durable = {});
  bool append(const drivers::Observation& observation, std::function<void()> on_durable = {});
  bool does_know_time = true;  // drafts carry wall time while the clock is known

  Result<outbox::Batch> take(outbox::UplinkIndex uplink, outbox::TakeRequest request = {});
  void settle(outbox::UplinkIndex uplink, const std::vector<event::Event>& events,
              outbox::Settlement how = outbox::Settlement::delivered);
  // Takes and delivers until nothing is left.
  std::vector<event::Event> drain(outbox::UplinkIndex uplink, outbox::TakeRequest request = {});
  std::vector<outbox::SetAside> set_aside();
  Result<void> requeue(std::int64_t number);
  void flush();

  outbox::Outbox& outbox() { return *outbox_; }
  hal::SimDisk& disk() { return disk_; }
  hal::SimLoop& loop() { return *loop_; }
  hal::SimClock& clock() { return clock_; }
  hal::SimExecutor& executor() { return *executor_; }
  hal::SimRandom& random() { return random_; }
  AlarmRecorder& alarms() { return alarms_; }
  outbox::OutboxOptions options;

 private:
  hal::SimRandom random_;
  hal::SimDisk disk_;
  std::unique_ptr<hal::SimLoop> loop_;
  hal::SimClock clock_;
  std::unique_ptr<hal::SimExecutor> executor_;
  AlarmRecorder alarms_;
  std::unique_ptr<outbox::Outbox> outbox_;
};

inline outbox::EventRef ref_of(const event::Event& event) {
  return {std::string(event.schema->name), event.epoch, event.seq};
}
inline std::string id_of(const event::Event& event) {
  return event.epoch + "/" + std::string(event.schema->name) + "/" + std::to_string(event.seq);
}
// The value of a field of an event's line: text without quotes, "null", or digits.
std::string field_of(const event::Event& event, std::string_view name);
// Events of one stream.
std::vector<event::Event> only(const std::vector<event::Event>& events, std::string_view stream);

}  // namespace berm::test
