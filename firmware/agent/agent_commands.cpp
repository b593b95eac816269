// SPDX-License-Identifier: Apache-2.0
// The commands of the local socket: the agent's own, and those its drivers bring.
#include <algorithm>
#include <map>

#include "firmware/agent/agent.hpp"
#include "firmware/shell/status_view.hpp"
#include "hal/base/json_writer.hpp"

namespace berm::agent {
namespace {

CommandAnswer answer_status(const Status& root, const CommandRequest& request) {
  if (request.json) return {0, root.to_json() + "\n"};
  const bool summary = !request.words.empty() && request.words[0] == "--summary";
  return {0, summary ? shell::status_summary(root) : shell::status_text(root)};
}

CommandAnswer set_log_level(const CommandRequest& request) {
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"error", LogLevel::error},
                                                               {"warning", LogLevel::warning},
                                                               {"notice", LogLevel::notice},
                                                               {"info", LogLevel::info},
                                                               {"debug", LogLevel::debug}};
  for (const auto& [name, level] : kLevels) {
    if (request.words.size() != 1 || request.words[0] != name) continue;
    Log::set_level(level);
    return {0, "log level is " + std::string(name) + "\n"};
  }
  return {2, "usage: loglevel error|warning|notice|info|debug\n"};
}

// The verb of a driver that this node does not have.
Command no_gps() {
  return {"gps", "gps [--json]", "where the node is", false,
          [](const CommandRequest& request) -> CommandAnswer {
            return {0, request.json ? "{}\n" : "no GPS configured\n"};
          }};
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
    return {0, shell::section_text(root, name)};
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
    const Command& first = commands.front().command;
    Command command{verb, first.usage, first.help, first.changes, {}};
    command.run = [commands](const CommandRequest& request) {
      return ask_drivers(commands, request);
    };
    all.push_back(std::move(command));
  }
  return all;
}

std::vector<Command> Agent::commands() {
  std::vector<Command> all;
  all.push_back(
      {"status", "status [--json]", "one snapshot of the node", false,
       [this](const CommandRequest& request) { return answer_status(status(), request); }});
  all.push_back(section_command("outbox", "what is stored and what waits"));
  all.push_back(section_command("uplinks", "state, delivered and waiting of each way out"));
  all.push_back(section_command("alarms", "what is wrong now"));
  all.push_back({"config show", "config show", "the configuration that runs, with all defaults",
                 false, [this](const CommandRequest&) -> CommandAnswer {
                   return {0, options_.effective_document + "\n"};
                 }});
  all.push_back(
      {"loglevel", "loglevel LEVEL", "error, warning, notice, info or debug", true, set_log_level});
  for (Command& command : driver_commands()) all.push_back(std::move(command));
  if (std::ranges::find(all, "gps", &Command::verb) == all.end()) all.push_back(no_gps());
  return all;
}

}  // namespace berm::agent
