// SPDX-License-Identifier: Apache-2.0
// Cabinet: one simulated node as it stands beside the road: its card, clock, wires and power, and
// the agent that runs on them, which is the agent of the shipped program. What happens to it is
// called from the world's loop, never from inside the agent: loss of power (between two operations
// of the disk or at any one of them), kill -9, an orderly restart, the card moved into another
// machine, a backup restored. A process that could not start is started again after kRestartPause,
// as systemd does. Nothing of a process that is gone runs on, and what it held only in memory is
// lost. Lifetime: world > network > cabinet. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "firmware/agent/agent.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/generated_edges.hpp"
#include "hal/sim/http_client.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/mqtt_client.hpp"
#include "hal/sim/network.hpp"
#include "hal/sim/random.hpp"
#include "tests/scenario/boot_loop.hpp"
#include "tests/scenario/witness.hpp"

namespace berm::scenario {

inline constexpr const char* kStateDirectory = "/var/lib/berm";
inline constexpr const char* kStickDirectory = "/media/usb";
inline constexpr Seconds kRestartPause{5};
inline constexpr Seconds kStopTimeout{90};  // then the supervisor kills
inline constexpr Microseconds kDiskLatency{5'000};

struct CabinetOptions {
  std::string configuration;  // the JSON document
  std::string machine_id = "machine-1";
  double flow_veh_h = 0.0;  // per lane
  std::uint64_t seed = 1;
  WallTime start = wall_s(1'800'000'000);
  std::uint64_t card_bytes = std::uint64_t{256} << 20;
};

// What the clock of a machine does at its next boots.
struct BootClock {
  bool has_rtc = true;          // else it begins in 1970 and nobody vouches for it
  Microseconds known_after{0};  // then somebody sets it right
};

class Cabinet {
 public:
  Cabinet(hal::SimLoop& world, hal::SimNetwork& network, Witness& witness, CabinetOptions options);
  Cabinet(const Cabinet&) = delete;
  Cabinet& operator=(const Cabinet&) = delete;
  ~Cabinet();

  void power_on();
  void power_cut(Microseconds off);
  // At the n-th operation of the disk from now on, counted from 1.
  void power_cut_at_operation(std::uint64_t operations, Microseconds off);
  void kill(Microseconds pause);
  void restart(Microseconds pause);
  // A card that hangs: no job of this process ends.
  void stall_disk(bool is_stalled);
  // Without power: the card goes into another machine.
  void move_card(const std::string& machine_id, Microseconds off);
  void back_up();
  // Without power: the card's state is the backup's, as unpacked into new directories.
  void restore_backup(Microseconds off);
  // Power off: another cabinet with a copy of this one's card.
  std::unique_ptr<hal::SimDisk> clone_card() const { return disk_->clone(); }
  void insert_card(std::unique_ptr<hal::SimDisk> card);

  bool is_running() const { return agent_ && phase_ == Phase::running; }
  // nullptr: there is no process.
  agent::Agent* agent() { return agent_.get(); }
  hal::SimDisk& disk() { return *disk_; }
  hal::SimClock& clock() { return clock_; }
  hal::SimRandom& random() { return random_; }
  bool has_backup() const { return backup_ != nullptr; }
  BootClock boot_clock;  // of the boots from now on
  void set_clock_known();
  // Called after every start of a process.
  void on_started(std::function<void()> callback) { on_started_ = std::move(callback); }
  std::uint64_t boots() const { return boots_; }
  // Without those that a full disk ended.
  std::uint64_t failed_starts() const { return failed_starts_; }
  std::string last_start_error() const { return last_start_error_; }

 private:
  enum class Phase { off, down, running, stopping };
  // All that a process owns; dies in reverse order.
  struct Process {
    Process(BootLoop& boot, hal::SimNetwork& network, hal::EdgeInputs& wires)
        : disk_executor(boot),
          file_executor(boot),
          edges(wires, boot.ahead()),
          http(network),
          mqtt(network) {}
    hal::SimExecutor disk_executor;
    hal::SimExecutor file_executor;
    BootEdgeInputs edges;
    hal::SimHttpClient http;
    hal::SimMqttClients mqtt;
  };
  void start_process();
  Result<void> create_agent();
  void end_process(bool is_orderly);
  void lose_power(Microseconds off);
  void boot();

  hal::SimLoop& world_;
  hal::SimNetwork& network_;
  Witness& witness_;
  const std::array<drivers::DriverDescriptor, 2> drivers_{witnessed_loop_detector(),
                                                          witnessed_miv_feed()};
  const std::array<const drivers::DriverDescriptor*, 2> table_{drivers_.data(), &drivers_[1]};
  const control::ConfigurationSources sources_;
  CabinetOptions options_;
  hal::SimRandom random_;
  std::unique_ptr<hal::SimDisk> disk_;
  std::unique_ptr<hal::SimDisk> backup_;
  std::unique_ptr<BootLoop> boot_;
  hal::SimClock clock_;
  std::unique_ptr<hal::GeneratedEdgeInputs> wires_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<agent::Agent> agent_;
  Phase phase_ = Phase::off;
  hal::Timer next_;   // the next start or boot, or the end of a stop
  hal::Timer known_;  // the clock becomes known
  std::function<void()> on_started_;
  bool had_rtc_ = true;  // at the last boot
  std::uint64_t boots_ = 0;
  std::uint64_t failed_starts_ = 0;
  std::string last_start_error_;
  std::uint64_t power_life_ = 0;  // a new one at each loss of power
};

}  // namespace berm::scenario
