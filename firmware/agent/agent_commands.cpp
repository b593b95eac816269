// SPDX-License-Identifier: Apache-2.0
// The commands of the local socket: the agent's own, and those its drivers bring.
#include <algorithm>
#include <map>

#include "firmware/agent/agent.hpp"
#include "firmware/agent/remote_side.hpp"
#include "firmware/outbox/outbox_commands.hpp"
#include "firmware/shell/help.hpp"
#include "firmware/shell/status_view.hpp"
#include "hal/base/json_writer.hpp"

namespace berm::agent {
namespace {

CommandAnswer answer_status(const Status& root, const CommandRequest& request) {
  if (request.json) return {0, root.to_json() + "\n"};
  const bool summary = !request.words.empty() && request.words[0] == "--summary";
  return {0, summary ? shell::status_summary(root) : shell::status_text(root)};
}

constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"error", LogLevel::error},
                                                             {"warning", LogLevel::warning},
                                                             {"notice", LogLevel::notice},
                                                             {"info", LogLevel::info},
                                                             {"debug", LogLevel::debug}};

std::string_view name_of(LogLevel level) {
  return std::ranges::find(kLevels, level, &std::pair<std::string_view, LogLevel>::second)->first;
}

// Anybody may see it, an admin may change it.
CommandAnswer log_level(const CommandRequest& request) {
  if (request.words.size() > 1) return {2, "usage: loglevel [LEVEL]\n"};
  if (!request.words.empty()) {
    const auto* const chosen =
        std::ranges::find(kLevels, request.words[0], &std::pair<std::string_view, LogLevel>::first);
    if (chosen == std::end(kLevels)) {
      return {2, "a level is error, warning, notice, info or debug\n"};
    }
    if (!request.is_admin) return {1, shell::needs_admin("loglevel LEVEL")};
    Log::set_level(chosen->second);
  }
  const std::string name(name_of(Log::level()));
  return {0, request.json ? "{\"level\":\"" + name + "\"}\n" : "log level is " + name + "\n"};
}

Command log_level_command() {
  Command command{"loglevel", "loglevel [LEVEL]", "error, warning, notice, info or debug", false,
                  log_level};
  command.choices = [] {
    std::vector<std::string> names;
    for (const auto& [name, level] : kLevels) names.emplace_back(name);
    return names;
  };
  return command;
}

// The verb of a module that this node does not use.
Command absent(std::string_view verb, std::string_view help, std::string_view text) {
  return {std::string(verb), std::string(verb), std::string(help), false,
          [text = std::string(text)](const CommandRequest& request) -> CommandAnswer {
            return {0, request.json ? "{}\n" : text + "\n"};
          }};
}

CommandAnswer faults_answer(const std::vector<std::string>& faults, bool json) {
  std::string text = json ? "{\"faults\":[" : "";
  for (const std::string& fault : faults) {
    if (json && !text.ends_with('[')) text += ",";
    if (json) append_json_string(text, fault);
    if (!json) text += fault + "\n";
  }
  if (json) text += "]}\n";
  if (text.empty()) text = "the configuration file is valid\n";
  return {faults.empty() ? 0 : 2, text};
}

struct DriverCommand {
  std::string instance;
  Command command;
};

// Asks every driver that knows the verb; JSON is keyed by the driver's name.
CommandAnswer ask_drivers(const std::vector<DriverCommand>& commands,
                          const CommandRequest& request) {
  CommandAnswer all;
  for (const DriverCommand& each : commands) {
    const CommandAnswer answer = each.command.run(request);
    all.exit_code = std::max(all.exit_code, answer.exit_code);
    if (request.json) {
      all.text += all.text.empty() ? "{" : ",";
      append_json_string(all.text, each.instance);
      all.text += ":" + answer.text;
    } else {
      if (commands.size() > 1) all.text += "[" + each.instance + "]\n";
      all.text += answer.text;
    }
  }
  if (request.json) all.text += "}\n";
  return all;
}

}  // namespace

Command Agent::section_command(std::string_view section, std::string_view help) {
  Command command{std::string(section), std::string(section), std::string(help), false, {}};
  command.run = [this,
                 name = std::string(section)](const CommandRequest& request) -> CommandAnswer {
    const Status root = status();
    const Status* child = root.child(name);
    if (request.json) return {0, (child == nullptr ? Status(name) : *child).to_json() + "\n"};
    const std::string text = shell::section_text(root, name);
    return {0, text.empty() ? "no " + name + " configured\n" : text};
  };
  return command;
}

std::vector<Command> Agent::driver_commands() {
  std::map<std::string, std::vector<DriverCommand>> by_verb;
  for (const Instance& instance : drivers_) {
    for (Command& command : instance.host->driver().commands()) {
      by_verb[command.verb].push_back({instance.host->instance(), std::move(command)});
    }
  }
  std::vector<Command> all;
  for (auto& [verb, commands] : by_verb) {
    Command& first = commands.front().command;
    if (first.run_later) {
      all.push_back(std::move(first));
      continue;
    }
    Command command{verb, first.usage, first.help, first.changes, {}};
    command.run = [commands](const CommandRequest& request) {
      return ask_drivers(commands, request);
    };
    all.push_back(std::move(command));
  }
  return all;
}

Command Agent::tail_command() {
  Command command{"tail", "tail STREAM", "events as they are committed; traffic.* for several"};
  command.run_later = [this](const CommandRequest& request, std::shared_ptr<CommandReply> reply) {
    outbox_->on_committed([this](const event::Draft& draft, std::int64_t seq) {
      tails_.take(draft, outbox_->epoch(), seq);
    });
    tails_.add(request, std::move(reply));
  };
  command.choices = [] {
    std::vector<std::string> names;
    for (const event::StreamSchema& schema : event::stream_schemas()) {
      if (!schema.is_ledger) names.emplace_back(schema.name);
    }
    return names;
  };
  return command;
}

Command Agent::export_command() {
  Command command{"export", "export [STREAM] [SINCE]", "what is kept, as JSON lines"};
  command.run_later = [this](const CommandRequest& request, std::shared_ptr<CommandReply> reply) {
    exports_->add(request, std::move(reply));
  };
  command.choices = [] {
    const auto names = event::stream_names();
    return std::vector<std::string>(names.begin(), names.end());
  };
  return command;
}

// The file is read on the executor: a slow card must not hold the loop.
Command Agent::config_check_command() {
  Command command{"config check", "config check", "whether the configuration file is valid now"};
  command.run_later = [this](const CommandRequest& request,
                             const std::shared_ptr<CommandReply>& reply) {
    if (!options_.check_configuration) return reply->end({0, "there is no configuration file\n"});
    const auto faults = std::make_shared<std::vector<std::string>>();
    const bool is_taken = parts_.file_executor.submit(
        [faults, check = options_.check_configuration] { *faults = check(); },
        [faults, reply, json = request.json] { reply->end(faults_answer(*faults, json)); });
    if (!is_taken) reply->end({1, "the disk is too busy to read the file\n"});
  };
  return command;
}

std::vector<Command> Agent::own_commands() {
  const auto show_status = [this](const CommandRequest& request) {
    return answer_status(status(), request);
  };
  std::vector<Command> all;
  all.push_back({"status", "status", "one snapshot of the node", false, show_status});
  all.push_back({"top", "top", "the same, drawn anew each second until q", false, show_status});
  all.push_back(section_command("outbox", "what is stored and what waits"));
  all.push_back(section_command("uplinks", "state, delivered and waiting of each way out"));
  all.push_back(section_command("alarms", "what is wrong now"));
  all.push_back(tail_command());
  all.push_back(export_command());
  all.push_back({"config show", "config show", "the configuration that runs, with all defaults",
                 false, [this](const CommandRequest&) -> CommandAnswer {
                   return {0, effective_.to_text(true) + "\n"};
                 }});
  all.push_back(config_check_command());
  all.push_back(log_level_command());
  if (remote_) {
    for (Command& command : remote_->commands()) all.push_back(std::move(command));
  }
  return all;
}

std::vector<Command> Agent::commands() {
  std::vector<Command> all = own_commands();
  for (Command& command : outbox::outbox_commands(*outbox_)) all.push_back(std::move(command));
  for (Command& command : driver_commands()) all.push_back(std::move(command));
  const auto is_there = [&](std::string_view verb) {
    return std::ranges::find(all, verb, &Command::verb) != all.end();
  };
  if (!is_there("lanes")) {
    all.push_back(absent("lanes", "the last period of each lane", "no lanes configured"));
  }
  if (!is_there("gps")) all.push_back(absent("gps", "where the node is", "no GPS configured"));
  return all;
}

}  // namespace berm::agent
