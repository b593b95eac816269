// SPDX-License-Identifier: Apache-2.0
// RemoteCommands: what is asked on `berm/{node}/cmd/{id}` and answered on `…/{id}/result`, and to
// the response topic with its correlation data where the message names one. The verbs are the
// shell's own Commands; this says who may ask, how often, and that a repeat is no second time.
//
//   - an id is done once: a repeat gets the last answer again. The ids of commands that change
//     something are stored before they are done, so also after a restart;
//   - `not_after` is over: failed. Longer than `timeout_s` (60): failed, its answer is dropped;
//   - not in the configuration's list: failed. More than kMaxCommandsPerMinute: the first beyond is
//     told so, the rest of that minute is dropped unread. At most kMaxCommandsRunning at once;
//   - with a public key, what changes something (resend, record, loglevel LEVEL, restart, rollback)
//     must be signed for the target `cmd/{node}/{id}`; ping, status, diag, selftest need not.
//
// Answers are JSON: `state` executing, successful or failed; `result`, or `text`; one that does not
// fit kChunkBytes comes as `executing` pieces (`chunk`, `data` in base64) and ends with `chunks`,
// `bytes` and `sha256` of the whole. Loop thread; everything handed in outlives it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/control/remote_control.hpp"
#include "hal/base/command.hpp"
#include "hal/mqtt_client.hpp"

namespace berm::control {

struct CommandParts {
  hal::Loop& loop;
  hal::Clock& clock;
  hal::Executor& executor;
  hal::Disk& disk;
  RemoteControl& control;
  std::function<void(hal::MqttMessage message)> publish;
  std::function<std::vector<Command>()> commands;        // the shell's
  std::function<std::string()> diagnosis;                // what `diag` sends: JSON without secrets
  std::function<std::string()> selftest;                 // JSON; `"passed": false` makes it fail
  std::function<void(std::string_view reason)> restart;  // ends this process; empty: cannot
};

struct CommandOptions {
  std::string node;
  std::string state_directory;
  std::vector<std::string> allowed;
};

class RemoteCommands {
 public:
  // Blocking: reads the ids that are done.
  RemoteCommands(CommandOptions options, const CommandParts& parts);
  RemoteCommands(const RemoteCommands&) = delete;
  RemoteCommands& operator=(const RemoteCommands&) = delete;
  ~RemoteCommands();

  std::string filter() const { return prefix_ + "+"; }
  // False: none of its topics.
  bool on_message(const hal::MqttMessage& message);
  // Says what became of a command that ended the life before.
  void on_link_up();
  Status status() const;

 private:
  class Reply;
  struct Asked {
    std::string id;
    std::string command;
    std::string response_topic, correlation_data;
    std::vector<std::string> words;
    std::int64_t not_after_s = 0;  // 0: it does not say
    bool has_ended = false;
    std::string pieces;
    std::unique_ptr<hal::Timer> timer;
  };
  using AskedPtr = std::shared_ptr<Asked>;
  struct Done {
    std::string id;
    std::string answer;    // the last one; empty: under way
    bool is_kept = false;  // also on disk
    std::int64_t not_after_s = 0;
  };

  void take(const std::string& id, const hal::MqttMessage& message);
  std::expected<Json, std::string> read(const std::string& id, std::string_view payload) const;
  std::string fault_of(const Json& body, Asked& asked) const;
  bool has_budget(const AskedPtr& asked);
  bool is_too_old(const Asked& asked) const;
  void remember(const Asked& asked, bool is_kept);
  void begin(const AskedPtr& asked);
  void run(const AskedPtr& asked);
  void run_verb(const AskedPtr& asked, const std::string& verb);
  void end(const AskedPtr& asked, const CommandAnswer& answer);
  void finish(const AskedPtr& asked, Json answer);
  void send(const Asked& asked, const Json& answer);
  std::size_t send_chunks(const Asked& asked, std::string_view bytes);
  void store(std::function<void(bool stored)> then);
  Done* find(std::string_view id);

  const CommandOptions options_;
  CommandParts parts_;
  const std::string prefix_;
  Log log_{"command"};
  std::deque<Done> done_;
  std::int64_t forgotten_s_ = 0;  // the latest not_after of a kept one that was forgotten
  std::map<std::string, AskedPtr> running_;
  std::string restarted_;  // id of the command that ended the life before
  MonoTime minute_;
  int in_minute_ = 0;
  std::int64_t answered_ = 0, failed_ = 0, dropped_ = 0;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace berm::control
