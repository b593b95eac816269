// SPDX-License-Identifier: Apache-2.0
// RemoteSide: the agent as remote control sees it: what applies a configuration, and the link that
// carries what is said. Owns RemoteControl and RemoteCommands. Which uplinks must answer before a
// configuration is confirmed is decided here: those that differ, hold events and were not failing
// before, and the remote uplink must grant every subscription that was not refused before: who
// cannot be told anything is as lost as who cannot say anything. An MQTT uplink has answered when
// it is connected, others when a transport made for the question says so, asked every kProbeAgain.
// Loop thread; owned by the agent and outlived by it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/agent/agent.hpp"
#include "firmware/control/remote_commands.hpp"
#include "firmware/control/remote_control.hpp"

namespace berm::agent {

class RemoteSide final : public control::ConfigurationTarget, public control::RemoteLink {
 public:
  explicit RemoteSide(Agent& agent);
  ~RemoteSide() override;

  void start();
  void stop();
  std::vector<std::string> filters() const;
  void on_up();
  bool on_message(const hal::MqttMessage& message);
  std::string config_sha() const { return control_->running().sha256; }
  Status status() const;
  std::vector<Command> commands();

  void probe(const control::ParsedConfiguration& next,
             std::function<void(control::ProbeReport)> done) override;
  void apply(const control::ParsedConfiguration& next,
             std::function<void(Result<void>)> done) override;
  std::vector<std::string> unconfirmed() override;
  void give_up(std::string_view reason) override;
  bool is_up() const override;
  void publish_retained(const std::string& topic, std::string payload,
                        std::function<void()> acknowledged) override;
  void ask_again() override;

 private:
  // An uplink that must answer.
  struct Asked {
    std::string name;
    bool is_mqtt = false;
    bool has_answered = false;
    std::string reason = "has not answered";
    std::unique_ptr<uplink::Transport> transport;
    std::unique_ptr<hal::Timer> timer;
  };
  bool is_failing(std::string_view uplink) const;
  std::string diagnosis() const;
  std::string selftest() const;
  void ask(const std::shared_ptr<Asked>& asked);
  void note_subscriptions();
  CommandAnswer show_history(const CommandRequest& request) const;
  void show_difference(const CommandRequest& request, const std::shared_ptr<CommandReply>& reply);
  void roll_back(const CommandRequest& request, const std::shared_ptr<CommandReply>& reply);

  Agent& agent_;
  std::unique_ptr<control::RemoteControl> control_;
  std::unique_ptr<control::RemoteCommands> commands_;
  std::vector<std::shared_ptr<Asked>> asked_;
  std::vector<std::string> must_hear_;  // subscriptions
};

}  // namespace berm::agent
