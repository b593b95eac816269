// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/machine.hpp"

#include <algorithm>

#include "hal/base/log.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/edge_input.hpp"
#include "hal/linux/http_client.hpp"
#include "hal/linux/position_feed.hpp"
#include "hal/sim/clock.hpp"
#include "hal/sim/edge_input.hpp"
#include "hal/sim/generated_edges.hpp"

namespace berm::agent {
namespace {

constexpr std::size_t kMaxMachineIdBytes = 256;

bool uses_http(const control::NodeConfiguration& configuration) {
  const bool is_for_driver = std::ranges::any_of(
      configuration.drivers,
      [](const control::DriverConfiguration& driver) { return driver.descriptor->needs_http; });
  return is_for_driver ||
         std::ranges::any_of(configuration.uplinks, [](const control::UplinkConfiguration& uplink) {
           return std::holds_alternative<control::HttpUplinkConfiguration>(uplink.way);
         });
}

bool uses_positions(const control::NodeConfiguration& configuration) {
  return std::ranges::any_of(configuration.drivers, [](const control::DriverConfiguration& driver) {
    return driver.descriptor->needs_positions;
  });
}

bool uses_files(const control::NodeConfiguration& configuration) {
  return std::ranges::any_of(configuration.uplinks, [](const control::UplinkConfiguration& uplink) {
    return std::holds_alternative<control::FileUplinkConfiguration>(uplink.way);
  });
}

std::vector<hal::GeneratedLane> generated_lanes(const control::NodeConfiguration& configuration) {
  std::vector<hal::GeneratedLane> lanes;
  for (const control::DriverConfiguration& driver : configuration.drivers) {
    if (driver.descriptor->loop_lanes == nullptr) continue;
    for (const drivers::LoopLane& lane : driver.descriptor->loop_lanes(driver.options)) {
      lanes.push_back({lane.leading, lane.trailing, lane.spacing_m, lane.loop_length_m});
    }
  }
  return lanes;
}

}  // namespace

Machine::Machine(const Board& board)
    : clock_({.is_rtc_trusted = board.is_rtc_trusted}),
      disk_executor_(loop_, kMaxDiskJobs),
      mqtt_(loop_),
      listeners_(loop_) {}

Result<std::unique_ptr<Machine>> Machine::make(const control::NodeConfiguration& configuration,
                                               const Board& board) {
  std::unique_ptr<Machine> machine(new Machine(board));
  if (uses_files(configuration)) {
    machine->file_executor_ =
        std::make_unique<hal::ThreadExecutor>(machine->loop_, kMaxDiskJobs, "berm-files");
  }
  if (uses_http(configuration)) {
    BERM_TRY(const std::string modules, hal::default_module_directory());
    BERM_TRY(machine->http_, hal::load_http_client(machine->loop_, modules));
  }
  if (uses_positions(configuration)) machine->add_positions();
  if (configuration.simulation) {
    BERM_CHECK(machine->add_simulation(configuration));
  } else {
    BERM_CHECK(machine->add_wires(configuration, board));
  }
  return machine;
}

// A node without its receiver still counts: what is missing here, the driver says at its start.
void Machine::add_positions() {
  const auto modules = hal::default_module_directory();
  auto feeds = modules ? hal::load_position_feeds(loop_, *modules) : fail(modules.error());
  if (!feeds) return Log("gps").error(feeds.error().text);
  positions_ = std::move(*feeds);
}

Result<void> Machine::add_simulation(const control::NodeConfiguration& configuration) {
  const control::SimulationConfiguration& simulation = *configuration.simulation;
  if (simulation.rate != 1.0) {
    const hal::RateScale scale(loop_.now(), simulation.rate);
    rate_loop_ = std::make_unique<hal::RateLoop>(loop_, scale);
    rate_clock_ = std::make_unique<hal::RateClock>(clock_, scale);
  }
  hal::Loop& loop = rate_loop_ ? *rate_loop_ : static_cast<hal::Loop&>(loop_);
  if (!simulation.signals.empty()) {
    BERM_TRY(edges_, hal::RecordedEdgeInputs::create(loop, {.path = simulation.signals}));
    return {};
  }
  hal::GeneratedEdgeOptions options{.lanes = generated_lanes(configuration)};
  options.flow_veh_h = simulation.flow_veh_h;
  options.seed = static_cast<std::uint64_t>(simulation.seed);
  edges_ = std::make_unique<hal::GeneratedEdgeInputs>(loop, std::move(options));
  return {};
}

Result<void> Machine::add_wires(const control::NodeConfiguration& configuration,
                                const Board& board) {
  std::vector<hal::GpioSignal> wires;
  for (const control::SignalConfiguration& signal : configuration.signals) {
    const auto* gpio = std::get_if<control::GpioSignal>(&signal.wire);
    if (gpio == nullptr) continue;
    const auto connector = board.connectors.find(gpio->connector);
    if (connector == board.connectors.end()) {
      return fail(ErrorCode::not_found, "signal " + signal.name + ": board " + board.name +
                                            " has no connector " + gpio->connector);
    }
    hal::GpioSignal wire{.name = signal.name, .chip = connector->second.chip};
    wire.line.offset = connector->second.line;
    wire.line.active_low = gpio->active_low;
    wires.push_back(std::move(wire));
  }
  edges_ = std::make_unique<hal::GpioEdgeInputs>(loop_, chips_, std::move(wires));
  return {};
}

AgentParts Machine::parts() {
  hal::Loop& loop = rate_loop_ ? *rate_loop_ : static_cast<hal::Loop&>(loop_);
  hal::Clock& clock = rate_clock_ ? *rate_clock_ : static_cast<hal::Clock&>(clock_);
  hal::Executor& files = file_executor_ ? *file_executor_ : disk_executor_;
  return {loop,    disk_executor_, files,  clock,       random_,         disk_,
          *edges_, http_.get(),    &mqtt_, &listeners_, positions_.get()};
}

std::string read_machine_id(const hal::Disk& disk) {
  const auto text = disk.read("/etc/machine-id", kMaxMachineIdBytes);
  return text ? std::string(trim(*text)) : "";
}

}  // namespace berm::agent
