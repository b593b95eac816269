// SPDX-License-Identifier: Apache-2.0
// Machine: the parts of a real node (hal/linux; on board sim the wires of hal/sim), made for a
// configuration and owned in the right order. Used by `berm run` alone.
#pragma once

#include <memory>
#include <string>

#include "firmware/agent/agent.hpp"
#include "firmware/agent/board.hpp"
#include "firmware/control/configuration.hpp"
#include "hal/linux/child_process.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/disk.hpp"
#include "hal/linux/executor.hpp"
#include "hal/linux/gpio_chip.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/mqtt_client.hpp"
#include "hal/linux/random.hpp"
#include "hal/linux/stream_listener.hpp"
#include "hal/position_feed.hpp"

namespace berm::agent {

inline constexpr std::size_t kMaxDiskJobs = 1024;

// The wires of now, whichever they are: drivers keep no more than this.
class PresentEdgeInputs final : public hal::EdgeInputs {
 public:
  void replace(std::unique_ptr<hal::EdgeInputs> wires) { wires_ = std::move(wires); }
  Result<std::unique_ptr<hal::EdgeInput>> open(const std::vector<std::string>& signals) override {
    return wires_->open(signals);
  }

 private:
  std::unique_ptr<hal::EdgeInputs> wires_;
};

class Machine {
 public:
  // Error: the recording of the simulation, a signal's connector, a module that cannot be loaded.
  static Result<std::unique_ptr<Machine>> make(const control::NodeConfiguration& configuration,
                                               const Board& board);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  hal::EpollLoop& loop() { return loop_; }
  // Lives as long as the machine: the agent has it adapted to each configuration.
  AgentParts parts();

 private:
  explicit Machine(const Board& board);
  Result<void> add_clients(const control::NodeConfiguration& configuration);
  void add_positions();
  Result<void> make_wires(const control::NodeConfiguration& configuration);
  Result<void> add_simulation(const control::NodeConfiguration& configuration);
  Result<void> add_wires(const control::NodeConfiguration& configuration);

  const Board board_;
  hal::EpollLoop loop_;
  hal::SystemClock clock_;
  hal::SystemRandom random_;
  hal::SystemDisk disk_;
  hal::ThreadExecutor disk_executor_;
  std::unique_ptr<hal::ThreadExecutor> file_executor_;
  hal::KernelGpioChips chips_;
  // Board sim with a rate: the agent lives on a faster clock over the same loop.
  std::unique_ptr<hal::Loop> rate_loop_;
  std::unique_ptr<hal::Clock> rate_clock_;
  PresentEdgeInputs edges_;
  std::unique_ptr<hal::HttpClient> http_;
  std::unique_ptr<hal::PositionFeeds> positions_;
  hal::MosquittoClients mqtt_;
  hal::SocketStreamListeners listeners_;
  hal::SpawnedProcesses children_;
};

std::string read_machine_id(const hal::Disk& disk);

}  // namespace berm::agent
