// SPDX-License-Identifier: Apache-2.0
// Agent: one node. Builds everything from a validated configuration, owns it, and takes it down in
// reverse order. The same object runs on a machine (hal/linux) and in the simulator (hal/sim): it
// is given its parts and names no backend. Loop thread only. Start: the outbox is opened (blocking,
// before the loop runs), uplinks and drivers start; a driver that cannot start (device missing) is
// an alarm and tried again every kDriverRetry. Stop: drivers leave their checkpoints, everything is
// committed, uplinks get kStopGrace to deliver what they can.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/driver.hpp"
#include "firmware/agent/driver_host.hpp"
#include "firmware/agent/exports.hpp"
#include "firmware/agent/gps_clock.hpp"
#include "firmware/agent/tails.hpp"
#include "firmware/control/configuration.hpp"
#include "firmware/health/alarm_board.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/shell/shell_server.hpp"
#include "firmware/uplink/uplink.hpp"
#include "hal/executor.hpp"
#include "hal/mqtt_client.hpp"
#include "hal/stream_listener.hpp"

namespace berm::agent {

inline constexpr Milliseconds kStopGrace{5000};
inline constexpr Seconds kDriverRetry{30};

// All outlive the agent.
struct AgentParts {
  hal::Loop& loop;
  hal::Executor& disk_executor;  // the outbox's
  hal::Executor& file_executor;  // file uplinks': a slow stick must not delay a commit
  hal::Clock& clock;
  hal::Random& random;
  hal::Disk& disk;
  hal::EdgeInputs& edges;
  hal::HttpClient* http = nullptr;  // null: nothing in the configuration speaks HTTP
  hal::MqttClients* mqtt = nullptr;
  hal::StreamListeners* listeners = nullptr;
  hal::PositionFeeds* positions = nullptr;  // null: no driver needs them, or they cannot be had
};

struct AgentOptions {
  std::string state_directory;
  std::string socket_path;  // empty: no local socket
  std::string machine_id;
  std::string version;
  std::string restart_cause;
  std::string effective_document;  // JSON, for `config show`
  std::string config_sha;
  // Why the configuration asked for is not the one that runs; empty: it is.
  std::string configuration_fault;
  // `config check`: the faults of the configuration file as it is now. Runs on the file executor.
  // Empty: there is no file.
  std::function<std::vector<std::string>()> check_configuration;
  WallTime built = wall_s(0);  // no satellite time before it is believed
};

class Agent final : public EventSink {
 public:
  // Error: the state directory cannot be used, or another agent holds it.
  static Result<std::unique_ptr<Agent>> create(control::NodeConfiguration configuration,
                                               AgentOptions options, const AgentParts& parts);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() override;

  // Error: the local socket is taken. Everything else that is wrong becomes an alarm.
  Result<void> start();
  void stop(std::function<void()> done);

  Status status() const;
  std::vector<Command> commands();
  outbox::Outbox& outbox() { return *outbox_; }
  drivers::AlarmSink& alarms() { return alarms_; }

  void take(event::Draft draft, std::function<void()> on_durable) override;
  void checkpoint(std::string_view instance, std::string bytes) override;

 private:
  struct Instance {
    std::unique_ptr<DriverHost> host;
    std::unique_ptr<hal::Timer> retry;
  };

  Agent(control::NodeConfiguration configuration, AgentOptions options, const AgentParts& parts);
  Result<void> open();
  Result<void> add_uplink(const control::UplinkConfiguration& uplink, outbox::UplinkIndex index);
  void add_driver(const control::DriverConfiguration& driver);
  void start_driver(Instance& instance);
  void emit_row(drivers::Row row, std::string_view source);
  void report_health();
  void stop_uplinks(std::function<void()> done);
  Command section_command(std::string_view section, std::string_view help);
  std::vector<Command> driver_commands();
  std::vector<Command> own_commands();
  Command tail_command();
  Command export_command();
  Command config_check_command();

  const control::NodeConfiguration configuration_;
  const AgentOptions options_;
  AgentParts parts_;
  // What everything of this agent reads, in place of parts_.clock.
  GpsClock clock_;
  const MonoTime started_;
  const std::string instance_;  // no other process has this word
  Log log_{"agent"};
  health::AlarmBoard alarms_;
  Tails tails_;
  std::unique_ptr<outbox::Outbox> outbox_;
  std::unique_ptr<Exports> exports_;  // of the outbox
  std::vector<std::unique_ptr<uplink::Uplink>> uplinks_;
  std::vector<Instance> drivers_;
  hal::Timer health_timer_;
  hal::Timer carried_timer_;  // alarms of the life before
  std::unique_ptr<shell::ShellServer> shell_;
  std::size_t stopping_ = 0;  // uplinks that have not ended yet
};

}  // namespace berm::agent
