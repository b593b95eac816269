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
#include "firmware/control/remote_boot.hpp"
#include "hal/linux/service_notify.hpp"
#include "hal/linux/start_pages.hpp"

namespace berm::agent {
namespace {

constexpr Seconds kSettled{3};  // from the start: the uplinks are up or wait for their next try

constexpr ArgumentSpec kSpecs[] = {{"--config", true}, {"--state", true}, {"--socket", true, "-S"}};

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

// Ends the agent in order, once, whoever asks.
class Ending {
 public:
  explicit Ending(hal::EpollLoop& loop) : loop_(loop) {}
  void serve(Agent& agent, hal::ServiceNotify& notify) {
    agent_ = &agent;
    notify_ = &notify;
  }
  void end(int code) {
    if (is_ending_ || agent_ == nullptr) return;
    is_ending_ = true;
    code_ = code;
    notify_->stopping();
    agent_->stop([this] { loop_.stop(); });
  }
  int code() const { return code_; }

 private:
  hal::EpollLoop& loop_;
  Agent* agent_ = nullptr;
  hal::ServiceNotify* notify_ = nullptr;
  bool is_ending_ = false;
  int code_ = kDone;
};

int live(Agent& agent, Machine& machine, Ending& ending) {
  hal::SystemdNotify notify(hal::SystemdNotifyOptions::from_environment());
  hal::EpollLoop& loop = machine.loop();
  ending.serve(agent, notify);
  const hal::SignalWatch signals(loop, {SIGTERM, SIGINT}, [&](int) { ending.end(kDone); });
  if (const auto started = agent.start(); !started)
    return complain("run", started.error().text, kFailed);
  notify.ready();
  const LifeSigns life_signs(loop, notify);
  hal::Timer settled(loop);
  settled.after(kSettled, [] { hal::release_start_pages(); });
  loop.run();
  return ending.code();
}

int run_on(control::Boot boot, const std::string& path, const std::string& state,
           const std::string& socket) {
  control::NodeConfiguration configuration = *boot.parsed.configuration;
  hal::SystemDisk disk;
  const auto board = load_board(disk, default_boards_directory(), configuration.board);
  if (!board) return complain("run", board.error().text, kBadUsage);
  auto machine = Machine::make(configuration, *board);
  if (!machine) return complain("run", machine.error().text, kBadUsage);
  AgentOptions options{.state_directory = state, .socket_path = socket};
  options.machine_id = read_machine_id(disk);
  options.version = kVersion;
  options.built = wall_s(kBuildDate);
  options.effective_document = boot.parsed.effective;
  options.config_sha = boot.parsed.sha256;
  options.configuration_fault = boot.file_fault;
  options.check_configuration = [path] {
    return read_configuration(hal::SystemDisk(), path).parsed.faults;
  };
  options.sources = build_sources();
  options.configuration_file = path;
  options.boot = boot;
  Ending ending((*machine)->loop());
  // With an exit code that has the supervisor begin anew.
  options.restart = [&ending](std::string_view reason) {
    std::fprintf(stderr, "<4>restart: %s\n", std::string(reason).c_str());
    ending.end(kFailed);
  };
  auto agent = Agent::create(std::move(configuration), std::move(options), (*machine)->parts());
  if (!agent) return complain("run", agent.error().text, kFailed);
  if (boot.file_fault.empty()) {
    const auto saved = control::save_confirmed(disk, state, boot.file_text);
    if (!saved)
      complain("run", "the confirmed document was not kept: " + saved.error().text, kFailed);
  }
  return live(**agent, **machine, ending);
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
  hal::SystemDisk disk;
  control::Boot boot = control::boot_configuration(disk, state, path, build_sources());
  for (const std::string& fault : boot.parsed.faults)
    std::fprintf(stderr, "<3>%s\n", fault.c_str());
  if (!boot.file_fault.empty()) std::fprintf(stderr, "<3>%s\n", boot.file_fault.c_str());
  if (!boot.parsed.configuration) return kBadUsage;
  return run_on(std::move(boot), path, state, socket);
}

}  // namespace berm::agent
