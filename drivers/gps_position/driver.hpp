// SPDX-License-Identifier: Apache-2.0
// GpsPosition: wires a position feed to a node: each report passes the FixFilter and, where it is
// worth one, becomes a `position` observation with the time of the agent's clock; its satellite
// time is offered to the node first. Made by the descriptor `gps_position_driver`.
//
// Promises: no event without a believable fix; every report that is none is counted by its reason.
// The alarm gps_down begins when gpsd has been away for kDownGrace or the receiver silent for
// kReceiverSilence, and ends with the next report, whatever that says: no fix in a tunnel is no
// alarm. Wake-ups of its own: one a minute. Fails at start where the node has no feeds; later
// failures are the alarm. Loop thread; lives until the node stops it; the context outlives it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "drivers/gps_position/options.hpp"

namespace berm::drivers::gps_position {

inline constexpr Seconds kDownGrace{10};
inline constexpr Seconds kReceiverSilence{60};
// What a report takes from the receiver's antenna to us, beyond its own error estimate.
inline constexpr Microseconds kWayError{500'000};

class GpsPosition final : public Driver {
 public:
  GpsPosition(std::string_view instance, PositionOptions options, DriverContext& context);

  Result<void> start(std::string_view checkpoint) override;
  void stop() override;
  Status status() const override;
  std::vector<Command> commands() override;

 private:
  void on_fix(const hal::PositionFix& fix);
  void on_state(bool is_up, const std::string& reason);
  void offer_time(const hal::PositionFix& fix);
  void emit(const PositionReport& report);
  void watch();
  void on_deadline();
  MonoTime deadline() const;
  std::string_view state() const;
  Status reports_status() const;
  Status position_status() const;
  Status time_status() const;
  CommandAnswer show(const CommandRequest& request) const;

  const std::string instance_;
  const PositionOptions options_;
  DriverContext& context_;
  FixFilter filter_;
  std::unique_ptr<hal::PositionFeed> feed_;
  hal::Timer timer_;

  bool is_up_ = false;
  bool is_alarmed_ = false;
  std::string reason_;   // why gpsd is away
  MonoTime changed_at_;  // start, or the feed's last change
  MonoTime heard_at_;    // the last report of any kind
  MonoTime good_at_;     // the last good fix
  FixVerdict last_verdict_ = FixVerdict::no_mode;
  std::array<std::uint64_t, kFixVerdicts> verdicts_{};
  std::array<std::uint64_t, kTimeVerdicts> times_{};
  std::uint64_t without_time_ = 0;
  std::uint64_t without_time_error_ = 0;
};

}  // namespace berm::drivers::gps_position
