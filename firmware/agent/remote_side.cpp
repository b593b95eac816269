// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/remote_side.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/log.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxDifferences = 200;
constexpr int kFirstRefusal = 128;  // MQTT reason codes

std::string when_text(const control::HistoryEntry& entry) {
  return entry.at_s ? iso8601(*entry.at_s) : "clock unknown";
}

std::string history_line(const control::HistoryEntry& entry) {
  const control::Outcome& outcome = entry.outcome;
  std::string line =
      text_of("%4lld  %-20s  %-11s  %s", static_cast<long long>(entry.number),
              when_text(entry).c_str(), outcome.state.c_str(), outcome.layer.c_str());
  if (outcome.sequence > 0) line += text_of(" %lld", static_cast<long long>(outcome.sequence));
  if (!entry.who.empty()) line += "  by " + entry.who;
  if (!entry.why.empty()) line += "  (" + entry.why + ")";
  if (!outcome.reason.empty()) line += "  " + outcome.reason;
  return line + "\n";
}

Json history_json(const control::HistoryEntry& entry) {
  Json one;
  one.set("number", entry.number);
  one.set("time", entry.at_s ? Json(*entry.at_s) : Json());
  one.set("layer", entry.outcome.layer);
  one.set("sequence", entry.outcome.sequence);
  one.set("outcome", entry.outcome.state);
  one.set("reason", entry.outcome.reason);
  one.set("sha256", entry.outcome.sha256);
  one.set("who", entry.who);
  one.set("why", entry.why);
  return one;
}

}  // namespace

RemoteSide::RemoteSide(Agent& agent) : agent_(agent) {
  const AgentOptions& options = agent.options();
  control::RemoteOptions remote{agent.configuration().node, *agent.configuration().remote,
                                options.state_directory, options.configuration_file,
                                options.sources};
  const AgentParts& parts = agent.parts();
  control_ = std::make_unique<control::RemoteControl>(
      std::move(remote),
      control::RemoteParts{parts.loop, parts.disk_executor, agent.clock(), parts.disk,
                           agent.alarms(), *this, *this},
      options.boot);
  control::CommandParts commands{parts.loop, agent.clock(), parts.disk_executor, parts.disk,
                                 *control_};
  commands.publish = [this](hal::MqttMessage message) {
    auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
    if (channel != nullptr) channel->publish(std::move(message), {});
  };
  commands.commands = [this] { return agent_.commands(); };
  commands.diagnosis = [this] { return diagnosis(); };
  commands.selftest = [this] { return selftest(); };
  commands.restart = options.restart;
  commands_ = std::make_unique<control::RemoteCommands>(
      control::CommandOptions{agent.configuration().node, options.state_directory,
                              agent.configuration().remote->commands},
      commands);
}

RemoteSide::~RemoteSide() = default;

void RemoteSide::start() {
  control_->start();
}

void RemoteSide::stop() {
  control_->stop();
  asked_.clear();
}

std::vector<std::string> RemoteSide::filters() const {
  std::vector<std::string> filters = control_->topics();
  filters.push_back(commands_->filter());
  return filters;
}

void RemoteSide::on_up() {
  control_->on_link_up();
  commands_->on_link_up();
}

bool RemoteSide::on_message(const hal::MqttMessage& message) {
  return control_->on_message(message.topic, message.payload) || commands_->on_message(message);
}

Status RemoteSide::status() const {
  Status status = control_->status();
  status.add(commands_->status());
  return status;
}

// --- what is told from afar

std::string RemoteSide::diagnosis() const {
  Json all;
  const auto status = Json::parse(agent_.status().to_json());
  all.set("status", status ? *status : Json());
  all.set("configuration", control::without_secrets(agent_.effective()));
  Json::Array lines;
  for (std::string& line : Log::recent()) lines.emplace_back(std::move(line));
  all.set("log", Json(std::move(lines)));
  Json::Array history;
  for (const auto& entry : control_->state().history) history.push_back(history_json(entry));
  all.set("history", Json(std::move(history)));
  return all.to_text();
}

// What can be said without touching a wire: it runs on the node while that counts.
std::string RemoteSide::selftest() const {
  const Status root = agent_.status();
  Json checks;
  bool passed = true;
  const auto note = [&](std::string_view name, bool is_well, std::string_view found) {
    Json one;
    one.set("passed", is_well);
    one.set("found", found);
    checks.set(name, std::move(one));
    passed = passed && is_well;
  };
  const Status* const outbox = root.child("outbox");
  const std::string durable = outbox == nullptr ? "" : outbox->text("durable");
  note("state_directory", durable == "yes", durable);
  note("events_lost", outbox != nullptr && outbox->integer("lost_before_commit") == 0,
       std::to_string(outbox == nullptr ? -1 : outbox->integer("lost_before_commit")));
  note("clock", root.text("clock") != "none", root.text("clock"));
  if (const Status* const drivers = root.child("drivers")) {
    for (const Status& driver : drivers->children()) {
      const std::string state = driver.text("state");
      note("drivers/" + driver.name(), !state.starts_with("failed") && state != "stopped", state);
    }
  }
  for (const auto& uplink : agent_.configuration().uplinks) {
    const bool is_there = agent_.uplink(uplink.name) != nullptr;
    note("uplinks/" + uplink.name, is_there && !is_failing(uplink.name),
         is_there ? agent_.uplink(uplink.name)->status().text("state") : "failed");
  }
  Json all;
  all.set("passed", passed);
  all.set("checks", std::move(checks));
  return all.to_text();
}

bool RemoteSide::is_up() const {
  const auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
  return channel != nullptr && channel->is_up();
}

void RemoteSide::publish_retained(const std::string& topic, std::string payload,
                                  std::function<void()> acknowledged) {
  auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
  if (channel == nullptr) return;
  hal::MqttMessage message;
  message.topic = topic;
  message.payload = std::move(payload);
  message.retain = true;
  message.content_type = "application/json";
  channel->publish(std::move(message), [acknowledged = std::move(acknowledged)](int reason) {
    const bool is_taken = reason >= 0 && reason < 128;
    if (is_taken && acknowledged) acknowledged();
  });
}

void RemoteSide::ask_again() {
  auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
  if (channel != nullptr) channel->subscribe_again();
}

void RemoteSide::probe(const control::ParsedConfiguration& next,
                       std::function<void(control::ProbeReport)> done) {
  agent_.probe(next, std::move(done));
}

// --- apply and confirm

bool RemoteSide::is_failing(std::string_view name) const {
  const uplink::Uplink* const uplink = agent_.uplink(name);
  if (uplink == nullptr) return false;
  const std::string state = uplink->status().text("state");
  return state == "backoff" || state == "down" || state == "rejecting" || state == "connecting";
}

// Of the connection before; without one there is nothing to compare with.
void RemoteSide::note_subscriptions() {
  must_hear_.clear();
  const auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
  if (channel == nullptr || !channel->is_up()) return;
  for (std::string& filter : filters()) {
    if (channel->subscription(filter) < kFirstRefusal) must_hear_.push_back(std::move(filter));
  }
}

void RemoteSide::apply(const control::ParsedConfiguration& next,
                       std::function<void(Result<void>)> done) {
  asked_.clear();
  note_subscriptions();
  for (const control::Change& change : agent_.changes_to(next)) {
    if (!change.component.starts_with("uplinks/")) continue;
    const std::string name = change.component.substr(8);
    const auto& uplinks = next.configuration->uplinks;
    const auto configured = std::find_if(uplinks.begin(), uplinks.end(),
                                         [&](const auto& uplink) { return uplink.name == name; });
    if (configured == uplinks.end() || !configured->hold || is_failing(name)) continue;
    auto asked = std::make_shared<Asked>();
    asked->name = name;
    asked->is_mqtt = std::holds_alternative<control::MqttUplinkConfiguration>(configured->way);
    asked->timer = std::make_unique<hal::Timer>(agent_.loop());
    asked_.push_back(std::move(asked));
  }
  agent_.reconfigure(next, [this, done = std::move(done)](const Result<void>& result) {
    for (const auto& asked : asked_) {
      if (!asked->is_mqtt) ask(asked);
    }
    done(result);
  });
}

void RemoteSide::ask(const std::shared_ptr<Asked>& asked) {
  const auto& uplinks = agent_.configuration().uplinks;
  const auto configured = std::find_if(uplinks.begin(), uplinks.end(), [&](const auto& uplink) {
    return uplink.name == asked->name;
  });
  if (configured == uplinks.end()) return;
  const auto again = [this, weak = std::weak_ptr(asked)] {
    if (const auto still = weak.lock()) ask(still);
  };
  auto transport = agent_.trial_transport(agent_.configuration(), *configured);
  if (!transport) {
    asked->reason = transport.error().text;
    return asked->timer->after(control::kProbeAgain, again);
  }
  asked->transport = std::move(*transport);
  asked->transport->probe([weak = std::weak_ptr(asked), again](const uplink::Answer& answer) {
    const auto still = weak.lock();
    if (!still) return;
    still->has_answered = answer.verdict != uplink::Verdict::failed;
    still->reason = answer.reason;
    if (!still->has_answered) still->timer->after(control::kProbeAgain, again);
  });
}

std::vector<std::string> RemoteSide::unconfirmed() {
  std::vector<std::string> missing;
  for (const auto& asked : asked_) {
    if (asked->is_mqtt) {
      const auto* const uplink = agent_.uplink(asked->name);
      const Status status = uplink == nullptr ? Status() : uplink->status();
      const Status* const transport = status.child("transport");
      const Status::Value* const value =
          transport == nullptr ? nullptr : transport->find("connected");
      const bool* const connected = value == nullptr ? nullptr : std::get_if<bool>(value);
      asked->has_answered = connected != nullptr && *connected;
      const std::string error = status.text("last_error");
      if (!error.empty()) asked->reason = error;
    }
    if (!asked->has_answered) missing.push_back("uplink " + asked->name + ": " + asked->reason);
  }
  const auto* const channel = agent_.channel(agent_.configuration().remote->uplink);
  for (const std::string& filter : must_hear_) {
    const int reason = channel == nullptr ? -1 : channel->subscription(filter);
    if (reason >= 0 && reason < kFirstRefusal) continue;
    missing.push_back("uplink " + agent_.configuration().remote->uplink + ": subscription to " +
                      filter + (reason < 0 ? " not answered" : text_of(": MQTT %d", reason)));
  }
  return missing;
}

void RemoteSide::give_up(std::string_view reason) {
  if (agent_.options().restart) agent_.options().restart(reason);
}

// --- the shell's verbs

CommandAnswer RemoteSide::show_history(const CommandRequest& request) const {
  const auto& history = control_->state().history;
  if (request.json) {
    Json::Array all;
    for (const auto& entry : history) all.push_back(history_json(entry));
    return {0, Json(std::move(all)).to_text() + "\n"};
  }
  std::string text;
  for (const auto& entry : history) text += history_line(entry);
  return {0, text.empty() ? "no configuration has come from afar yet\n" : text};
}

// Between a configuration of the history and the one that runs.
void RemoteSide::show_difference(const CommandRequest& request,
                                 const std::shared_ptr<CommandReply>& reply) {
  const auto number = request.words.size() == 1 ? parse_integer(request.words[0]) : std::nullopt;
  if (!number) return reply->end({2, "usage: config diff NUMBER\n"});
  const auto loaded = std::make_shared<Result<control::HistoryDocument>>();
  const AgentParts& parts = agent_.parts();
  const bool is_taken = parts.disk_executor.submit(
      [loaded, &disk = parts.disk, directory = agent_.options().state_directory, number] {
        *loaded = control::load_history(disk, directory, *number);
      },
      [this, loaded, reply] {
        if (!*loaded) return reply->end({1, "no such configuration in the history\n"});
        Json then = (*loaded)->effective;
        // Of one that never ran there is its documents only.
        if (then.is_null()) {
          then = control::merge_layers(control_->file(), agent_.configuration().remote->groups,
                                       (*loaded)->layers);
        }
        std::string text;
        for (const auto& line :
             control::difference(control::without_secrets(then),
                                 control::without_secrets(agent_.effective()), kMaxDifferences)) {
          text += line + "\n";
        }
        reply->end({0, text.empty() ? "no difference\n" : text});
      });
  if (!is_taken) reply->end({1, "the disk is too busy\n"});
}

void RemoteSide::roll_back(const CommandRequest& request,
                           const std::shared_ptr<CommandReply>& reply) {
  const auto number =
      request.words.empty() ? std::optional<std::int64_t>(0) : parse_integer(request.words[0]);
  if (!number || request.words.size() > 1) {
    return reply->end({2, "usage: config rollback [NUMBER]\n"});
  }
  control_->roll_back(*number, "shell", [reply](const Result<std::string>& outcome) {
    if (outcome) return reply->end({0, *outcome + "\n"});
    reply->end({1, outcome.error().text + "\n"});
  });
}

std::vector<Command> RemoteSide::commands() {
  std::vector<Command> all;
  all.push_back({"config history", "config history",
                 "documents that came from afar: when, whose, what became of them", false,
                 [this](const CommandRequest& request) { return show_history(request); }});
  Command diff{"config diff", "config diff NUMBER",
               "how a configuration of the history differs from the one that runs"};
  diff.run_later = [this](const CommandRequest& request,
                          const std::shared_ptr<CommandReply>& reply) {
    show_difference(request, reply);
  };
  all.push_back(std::move(diff));
  Command back{"config rollback", "config rollback [NUMBER]",
               "back to the configuration before, or to one of the history", true};
  back.run_later = [this](const CommandRequest& request,
                          const std::shared_ptr<CommandReply>& reply) {
    roll_back(request, reply);
  };
  all.push_back(std::move(back));
  return all;
}

}  // namespace berm::agent
