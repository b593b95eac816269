// SPDX-License-Identifier: Apache-2.0
// Agent: one node. Builds everything from a validated configuration, owns it, and takes it down in
// reverse order. The same object runs on a machine (hal/linux) and in the simulator (hal/sim): it
// is given its parts and names no backend. Loop thread only. Start: the outbox is opened (blocking,
// before the loop runs), uplinks and drivers start; a driver that cannot start (device missing) is
// an alarm and tried again every kDriverRetry. Stop: drivers leave their checkpoints, everything is
// committed, uplinks get kStopGrace to deliver what they can.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/api/driver.hpp"
#include "firmware/agent/driver_host.hpp"
#include "firmware/agent/exports.hpp"
#include "firmware/agent/gps_clock.hpp"
#include "firmware/agent/tails.hpp"
#include "firmware/control/configuration.hpp"
#include "firmware/control/remote_boot.hpp"
#include "firmware/control/remote_control.hpp"
#include "firmware/control/remote_rules.hpp"
#include "firmware/health/alarm_board.hpp"
#include "firmware/outbox/outbox.hpp"
#include "firmware/shell/shell_server.hpp"
#include "firmware/uplink/control_channel.hpp"
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
  hal::ChildProcesses* children = nullptr;  // null: no program can be started
  ReadZone read_zone = {};                  // null: civil days are those of UTC
  // For a configuration that comes while the agent runs. Whether its wires are others: then no
  // driver may hold one while `adapt` makes them anew. `adapt` gives what it needs (an HTTP client,
  // a receiver). Empty: the parts fit any configuration.
  std::function<bool(const control::NodeConfiguration& before,
                     const control::NodeConfiguration& next)>
      changes_wires;
  std::function<Result<void>(const control::NodeConfiguration& next, bool wires, AgentParts& parts)>
      adapt;
};

struct AgentOptions {
  std::string state_directory;
  std::string socket_path;  // empty: no local socket
  std::string machine_id;
  std::string version;
  std::string restart_cause;
  Json effective_document;  // with all defaults
  std::string config_sha;
  // Why the configuration asked for is not the one that runs; empty: it is.
  std::string configuration_fault;
  // `config check`: the faults of the configuration file as it is now. Runs on the file executor.
  // Empty: there is no file.
  std::function<std::vector<std::string>()> check_configuration;
  WallTime built = wall_s(0);  // no satellite time before it is believed
  // With what remote control begins; used where the configuration has a section `remote`.
  control::ConfigurationSources sources;
  control::Boot boot;
  std::string configuration_file;
  // Ends the process in order, to be started again. Empty: this process cannot.
  std::function<void(std::string_view reason)> restart;
};

class RemoteSide;

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
  health::AlarmBoard& alarms() { return alarms_; }

  // What is now, told to the configuration `next`: what does not differ goes on untouched. `done`
  // once, later. Error: it is a mixture, which the next call puts right.
  void reconfigure(const control::ParsedConfiguration& next,
                   std::function<void(Result<void>)> done);
  // Makes the drivers and uplinks that differ, and throws them away; those uplinks are asked
  // whether they answer. `done` once, later.
  void probe(const control::ParsedConfiguration& next,
             std::function<void(control::ProbeReport)> done);
  std::vector<control::Change> changes_to(const control::ParsedConfiguration& next) const;
  // A transport of its own for asking an uplink.
  Result<std::unique_ptr<uplink::Transport>> trial_transport(
      const control::NodeConfiguration& node, const control::UplinkConfiguration& uplink);
  // nullptr: there is none of that name, or it could not be made.
  const uplink::Uplink* uplink(std::string_view name) const;
  uplink::ControlChannel* channel(std::string_view uplink);
  const control::NodeConfiguration& configuration() const { return configuration_; }
  const Json& effective() const { return effective_; }
  hal::Loop& loop() { return parts_.loop; }
  hal::Clock& clock() { return clock_; }
  const AgentParts& parts() const { return parts_; }
  const AgentOptions& options() const { return options_; }

  void take(event::Draft draft, std::function<void()> on_durable) override;
  void checkpoint(std::string_view instance, std::string bytes) override;

 private:
  struct Instance {
    std::unique_ptr<DriverHost> host;
    std::unique_ptr<hal::Timer> retry;
  };
  struct UplinkSlot {
    std::string name;
    outbox::UplinkIndex index = 0;
    std::unique_ptr<uplink::Uplink> uplink;
  };
  // What a change of configuration rebuilds.
  struct Rebuild {
    std::vector<std::string> drivers, uplinks;
    std::vector<std::string> failed_before;  // drivers
    bool wires = false;
    bool all_drivers = false;
    bool all_uplinks = false;
    bool outbox = false;
  };

  Agent(control::NodeConfiguration configuration, AgentOptions options, const AgentParts& parts);
  Result<void> open();
  outbox::OutboxOptions store_options() const;
  Result<void> add_uplink(const control::UplinkConfiguration& uplink, outbox::UplinkIndex index);
  void add_uplinks(const std::function<bool(std::string_view)>& is_wanted);
  void end_uplink_alarms(std::string_view name);
  DriverParts driver_parts(EventSink& sink, drivers::AlarmSink& alarms);
  Result<void> add_driver(const control::DriverConfiguration& driver);
  Result<void> start_driver(Instance& instance);
  Rebuild rebuild_for(const control::ParsedConfiguration& next) const;
  Result<void> rebuild_drivers(const Rebuild& rebuild);
  void rebuild_uplinks(const Rebuild& rebuild);
  std::vector<std::string> failed_drivers() const;
  std::vector<std::string> driver_faults(const control::ParsedConfiguration& next,
                                         const Rebuild& rebuild);
  void publish_alarm(const drivers::Row& row);
  void publish_alarms(std::string_view uplink);
  void clear_stale_alarm(std::string_view uplink, const hal::MqttMessage& message);
  std::unique_ptr<uplink::ControlChannel> make_channel(const std::string& uplink);
  void emit_row(drivers::Row row, std::string_view source);
  void report_health();
  void stop_uplinks(std::function<void()> done);
  Command section_command(std::string_view section, std::string_view help);
  std::vector<Command> driver_commands();
  std::vector<Command> own_commands();
  Command tail_command();
  Command export_command();
  Command config_check_command();

  control::NodeConfiguration configuration_;
  AgentOptions options_;
  Json effective_;
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
  // By uplink; outlives the uplinks, which carry them.
  std::map<std::string, std::unique_ptr<uplink::ControlChannel>, std::less<>> channels_;
  std::vector<UplinkSlot> uplinks_;
  std::vector<Instance> drivers_;
  hal::Timer health_timer_;
  hal::Timer carried_timer_;      // alarms of the life before
  std::shared_ptr<void> asking_;  // the dry run under way
  std::unique_ptr<RemoteSide> remote_;
  std::unique_ptr<shell::ShellServer> shell_;
  bool is_started_ = false;
  bool is_stopping_ = false;
  std::size_t stopping_ = 0;                                   // uplinks that have not ended yet
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // watched by what was posted
};

}  // namespace berm::agent
