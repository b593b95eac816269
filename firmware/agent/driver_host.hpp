// SPDX-License-Identifier: Apache-2.0
// DriverHost: one driver instance and what the node gives it (DriverContext). Turns its
// observations into drafts and hands them to the EventSink: the outbox in a running node, standard
// output in a replay. An observation that fits no schema or is larger than the outbox takes is
// refused here, counted and logged: it never stops the driver. Loop thread only; outlived by the
// parts it refers to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "drivers/api/driver.hpp"
#include "firmware/agent/gps_clock.hpp"
#include "firmware/event/event.hpp"

namespace berm::agent {

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void take(event::Draft draft, std::function<void()> on_durable) = 0;
  virtual void checkpoint(std::string_view instance, std::string bytes) = 0;
};

// The zone of that name, as the machine knows it.
using ReadZone = std::function<Result<TimeZone>(const std::string& name)>;

struct DriverParts {
  hal::Loop& loop;
  hal::Clock& clock;
  hal::EdgeInputs& edges;
  hal::HttpClient* http = nullptr;
  drivers::AlarmSink& alarms;
  const drivers::Site& site;
  EventSink& sink;
  bool simulated = false;  // every traffic event carries the flag `simulated`
  hal::PositionFeeds* positions = nullptr;
  hal::ChildProcesses* children = nullptr;
  GpsClock* gps_clock = nullptr;  // takes the times drivers offer; null: nobody does
  ReadZone read_zone = {};        // null: civil days are those of UTC
};

class DriverHost final : public drivers::DriverContext {
 public:
  DriverHost(std::string instance, const DriverParts& parts);
  Result<void> create(const drivers::DriverDescriptor& descriptor, const Options& options);
  Result<void> start(std::string_view checkpoint);
  void stop();
  const std::string& instance() const { return instance_; }
  drivers::Driver& driver() { return *driver_; }
  // The driver's own Status under the instance's name, with `driver`, `state` and `refused`.
  Status status() const;

  hal::Loop& loop() override { return parts_.loop; }
  hal::Clock& clock() override { return parts_.clock; }
  hal::EdgeInputs& edges() override { return parts_.edges; }
  hal::HttpClient* http() override { return parts_.http; }
  hal::PositionFeeds* positions() override { return parts_.positions; }
  hal::ChildProcesses* children() override { return parts_.children; }
  const drivers::Site& site() const override { return parts_.site; }
  const Log& log() const override { return log_; }
  const TimeZone& zone() const override { return zone_; }
  void emit(drivers::Observation observation, std::function<void()> on_durable) override;
  void checkpoint(std::string bytes) override;
  drivers::TimeVerdict offer_time(const drivers::TimeOffer& offer) override;
  void begin_alarm(std::string_view alarm, std::string_view subject, drivers::Severity severity,
                   std::string_view text) override;
  void end_alarm(std::string_view alarm, std::string_view subject) override;

 private:
  std::string subject_of(std::string_view subject) const;
  std::string instance_;
  DriverParts parts_;
  Log log_;
  TimeZone zone_;
  std::string kind_;
  std::string state_ = "stopped";
  std::uint64_t refused_ = 0;
  std::unique_ptr<drivers::Driver> driver_;
};

}  // namespace berm::agent
