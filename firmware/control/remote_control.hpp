// SPDX-License-Identifier: Apache-2.0
// RemoteControl: takes configuration documents that arrive over MQTT from `received` to `active`,
// or back. One at a time, newest of each layer; others wait, durably.
//
//   received     authentic, newer than the layer's floor; floor and document are stored
//   refused      the document itself is at fault: path and nearest key are reported
//   candidate    valid as a whole, drivers could be made; what could not be reached is a warning;
//                stored with all that a boot needs to go back
//   confirming   applied; for at most confirm_s
//   active       the remote uplink is connected, has acknowledged our `confirming`, every changed
//                holding uplink that was not failing before has answered; stored, then reported
//   rolled_back  else: the configuration before runs again; also after a kill or power cut
//
// Knows no uplink and no driver: ConfigurationTarget applies, RemoteLink carries (the agent is
// both). Every step is stored before its consequence. What is not authentic changes nothing but a
// count, costs at most one signature check, kMaxMessagesPerSecond at most, and one report per
// kForgedReport. Loop thread; disk work on the executor. Everything handed in outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/alarm.hpp"
#include "firmware/control/configuration_document.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/remote_boot.hpp"
#include "firmware/control/remote_message.hpp"
#include "firmware/control/remote_state.hpp"
#include "firmware/control/set_message.hpp"
#include "hal/base/log.hpp"
#include "hal/base/signature.hpp"
#include "hal/base/status.hpp"
#include "hal/clock.hpp"
#include "hal/disk.hpp"
#include "hal/executor.hpp"
#include "hal/loop.hpp"

namespace berm::control {

struct ProbeReport {
  std::vector<std::string> faults;    // it cannot be applied: refused
  std::vector<std::string> warnings;  // something does not answer now
};

class ConfigurationTarget {
 public:
  virtual ~ConfigurationTarget() = default;
  // Dry run beside what runs; changes nothing. `done` once, later, within kMaxProbe.
  virtual void probe(const ParsedConfiguration& next, std::function<void(ProbeReport)> done) = 0;
  // `done` once, later. Error: what runs is the configuration before, or a mixture that applying
  // the one before puts right.
  virtual void apply(const ParsedConfiguration& next, std::function<void(Result<void>)> done) = 0;
  // What still stands between the last applied configuration and its confirmation.
  virtual std::vector<std::string> unconfirmed() = 0;
  // The process must end and begin anew: going back failed.
  virtual void give_up(std::string_view reason) = 0;
};

class RemoteLink {
 public:
  virtual ~RemoteLink() = default;
  virtual bool is_up() const = 0;
  // Retained, QoS 1. `acknowledged` is called later, or never where the connection ends before.
  virtual void publish_retained(const std::string& topic, std::string payload,
                                std::function<void()> acknowledged) = 0;
  // What is retained on this node's topics is to come once more.
  virtual void ask_again() = 0;
};

struct RemoteOptions {
  std::string node;
  RemoteConfiguration remote;
  std::string state_directory;
  std::string file_name;  // of the configuration: relative names begin there
  ConfigurationSources sources;
};

struct RemoteParts {
  hal::Loop& loop;
  hal::Executor& executor;
  hal::Clock& clock;
  hal::Disk& disk;
  drivers::AlarmSink& alarms;
  ConfigurationTarget& target;
  RemoteLink& link;
};

class RemoteControl {
 public:
  // Blocking: reads the public key. `boot`: what this life began with.
  RemoteControl(RemoteOptions options, const RemoteParts& parts, Boot boot);
  RemoteControl(const RemoteControl&) = delete;
  RemoteControl& operator=(const RemoteControl&) = delete;

  void start();
  void stop();
  // Topics it wants to hear.
  std::vector<std::string> topics() const;
  // False: none of its topics.
  bool on_message(std::string_view topic, std::string_view payload);
  void on_link_up();

  // Back to the configuration of a history entry; 0: the one before the present. `done` with the
  // outcome, once.
  void roll_back(std::int64_t number, const std::string& who,
                 std::function<void(Result<std::string>)> done);
  const RemoteState& state() const { return state_; }
  const ParsedConfiguration& running() const { return running_; }
  const Json& file() const { return file_; }
  // Whether a message to `target` is from who may send it.
  std::expected<RemoteMessage, Refusal> judge(std::string_view bytes, std::string_view target,
                                              std::size_t max_bytes) const;
  bool needs_signature() const { return key_.has_value() || !key_fault_.empty(); }
  Status status() const;

 private:
  enum class Stage { idle, checking, probing, storing, applying, confirming, closing, going_back };
  struct Trial {
    Candidate candidate;
    ParsedConfiguration next;
    std::string reason;  // warnings of the dry run
    bool needs_link = true;
    bool is_acknowledged = false;
    std::function<void(Result<std::string>)> done;  // of a roll-back that was asked for
  };

  std::string config_topic(std::string_view layer) const;
  std::optional<std::string> layer_of(std::string_view topic) const;
  std::string target_of(std::string_view layer) const;
  bool has_budget();
  void load_key();
  void use_key();
  std::optional<std::int64_t> now_s() const;

  void take(const std::string& layer, std::string_view payload);
  void take_forged(const std::string& layer, const Refusal& refusal);
  void take_refused(const std::string& layer, std::int64_t sequence, const std::string& reason,
                    const Json& document);
  void take_new(const std::string& layer, SetMessage message, bool is_signed);
  void note_ignored(const std::string& layer, std::int64_t sequence);
  void wait_for(const std::string& layer, std::int64_t offset_s);

  void begin_next();
  void try_waiting(const std::string& layer);
  void begin_trial(const std::string& layer, const Waiting& waiting);
  void begin_roll_back(const Layers& then, std::string why, const std::string& who,
                       std::function<void(Result<std::string>)> done);
  void check(Trial trial);
  std::optional<std::string> fault_of(Trial& trial);
  bool is_all_signed(const Layers& layers) const;
  void probed(const ProbeReport& report);
  void apply();
  void applied(const Result<void>& result);
  void watch();
  void confirm();
  void confirmed();
  void go_back(std::string reason);
  void gone_back(const Result<void>& result, const std::string& reason);
  void refuse(const std::string& reason);
  void finish(Outcome outcome, std::string who, std::string why, HistoryDocument document);
  void end_trial(Result<std::string> outcome);

  void save(std::function<void()> then);
  void run_save();
  void saved(const Result<void>& result, std::vector<std::function<void()>> then);
  void report();
  std::string report_text() const;

  const RemoteOptions options_;
  RemoteParts parts_;
  Log log_{"remote"};
  Json file_;
  ParsedConfiguration running_;
  RemoteState state_;
  std::optional<PublicKey> file_key_, key_;
  std::string key_fault_;

  Stage stage_ = Stage::idle;
  std::optional<Trial> trial_;
  MonoTime deadline_;
  std::map<std::string, MonoTime> due_;             // of what waits; nothing: at once
  std::map<std::string, std::string> last_forged_;  // by layer: digest, so repeats cost nothing
  std::vector<std::function<void()>> after_save_;
  std::vector<HistoryWork> history_work_;  // goes with the next save
  bool is_saving_ = false;
  std::uint64_t reports_ = 0;
  std::uint64_t confirming_report_ = 0;
  std::int64_t ignored_ = 0, forged_ = 0, dropped_ = 0;
  std::string ignored_reason_;
  int going_back_failures_ = 0;
  bool is_stopped_ = false;
  MonoTime budget_second_;
  int budget_used_ = 0;
  hal::Timer due_timer_, watch_timer_, save_timer_, report_timer_, forged_timer_, retry_timer_;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace berm::control
