// SPDX-License-Identifier: Apache-2.0
// `berm run`: the agent in the foreground, until SIGTERM or SIGINT.
#include <signal.h>

#include <csignal>
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/configuration_file.hpp"
#include "firmware/agent/machine.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/agent/version.hpp"
#include "firmware/control/confirmed_document.hpp"
#include "hal/linux/service_notify.hpp"
#include "hal/linux/start_pages.hpp"

namespace berm::agent {
namespace {

constexpr Seconds kSettled{3};  // from the start: the uplinks are up or wait for their next try

constexpr ArgumentSpec kSpecs[] = {{"--config", true}, {"--state", true}, {"--socket", true, "-S"}};

// The configuration to run on: the file, or where that is bad the last confirmed document.
struct Chosen {
  std::string path;
  ConfigurationFile file;
  std::string fault;  // why the file is not what runs; empty: it is
};

Chosen choose_configuration(const hal::Disk& disk, const std::string& path,
                            const std::string& state) {
  Chosen chosen{path, read_configuration(disk, path), ""};
  if (chosen.file.parsed.configuration) return chosen;
  for (const std::string& fault : chosen.file.parsed.faults)
    std::fprintf(stderr, "<3>%s\n", fault.c_str());
  const auto confirmed = control::load_confirmed(disk, state);
  if (!confirmed) return chosen;
  chosen.fault = chosen.file.parsed.faults.front();
  chosen.file.text = *confirmed;
  chosen.file.parsed = control::parse_configuration(*confirmed, path, build_sources());
  return chosen;
}

// Before the first thread is made, so that every thread inherits it and only the loop takes them.
void block_ending_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

// Signs of life for whoever supervises us, twice as often as wanted; no timer where nobody does.
class LifeSigns {
 public:
  LifeSigns(hal::Loop& loop, hal::ServiceNotify& notify) : notify_(notify), timer_(loop) { give(); }

 private:
  void give() {
    if (notify_.watchdog_interval() == Microseconds{0}) return;
    notify_.watchdog();
    timer_.after(notify_.watchdog_interval() / 2, [this] { give(); });
  }
  hal::ServiceNotify& notify_;
  hal::Timer timer_;
};

int live(Agent& agent, Machine& machine) {
  hal::SystemdNotify notify(hal::SystemdNotifyOptions::from_environment());
  hal::EpollLoop& loop = machine.loop();
  bool is_stopping = false;
  const hal::SignalWatch signals(loop, {SIGTERM, SIGINT}, [&](int) {
    if (is_stopping) return;
    is_stopping = true;
    notify.stopping();
    agent.stop([&] { loop.stop(); });
  });
  if (const auto started = agent.start(); !started)
    return complain("run", started.error().text, kFailed);
  notify.ready();
  const LifeSigns life_signs(loop, notify);
  hal::Timer settled(loop);
  settled.after(kSettled, [] { hal::release_start_pages(); });
  loop.run();
  return kDone;
}

int run_on(Chosen chosen, const std::string& state, const std::string& socket) {
  control::NodeConfiguration configuration = *std::move(chosen.file.parsed.configuration);
  hal::SystemDisk disk;
  const auto board = load_board(disk, default_boards_directory(), configuration.board);
  if (!board) return complain("run", board.error().text, kBadUsage);
  auto machine = Machine::make(configuration, *board);
  if (!machine) return complain("run", machine.error().text, kBadUsage);
  AgentOptions options{.state_directory = state, .socket_path = socket};
  options.machine_id = read_machine_id(disk);
  options.version = kVersion;
  options.built = wall_s(kBuildDate);
  options.effective_document = chosen.file.parsed.effective.to_text(true);
  options.config_sha = chosen.file.parsed.sha256;
  options.configuration_fault = chosen.fault;
  options.check_configuration = [path = chosen.path] {
    return read_configuration(hal::SystemDisk(), path).parsed.faults;
  };
  auto agent = Agent::create(std::move(configuration), std::move(options), (*machine)->parts());
  if (!agent) return complain("run", agent.error().text, kFailed);
  if (chosen.fault.empty()) {
    const auto saved = control::save_confirmed(disk, state, chosen.file.text);
    if (!saved)
      complain("run", "the confirmed document was not kept: " + saved.error().text, kFailed);
  }
  return live(**agent, **machine);
}

}  // namespace

int run_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain("run", arguments.error().text, kBadUsage);
  const std::string path =
      absolute_path(arguments->value("--config", "BERM_CONFIG", kDefaultConfig));
  const std::string state = absolute_path(arguments->value("--state", "BERM_STATE", kDefaultState));
  const std::string socket =
      absolute_path(arguments->value("--socket", "BERM_SOCKET", kDefaultSocket));
  std::signal(SIGPIPE, SIG_IGN);
  block_ending_signals();
  const hal::SystemDisk disk;
  Chosen chosen = choose_configuration(disk, path, state);
  if (!chosen.file.parsed.configuration) return kBadUsage;
  return run_on(std::move(chosen), state, socket);
}

}  // namespace berm::agent
