// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/machine.hpp"

#include <algorithm>

#include "hal/base/log.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/edge_input.hpp"
#include "hal/linux/http_client.hpp"
#include "hal/linux/position_feed.hpp"
#include "hal/linux/time_zone.hpp"
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

bool differ_in_wires(const control::NodeConfiguration& before,
                     const control::NodeConfiguration& next) {
  if (before.signals != next.signals || before.simulation != next.simulation) return true;
  // Where traffic is made up, it is made up for the loops that there are.
  const bool is_generated = next.simulation && next.simulation->signals.empty();
  return is_generated && generated_lanes(before) != generated_lanes(next);
}

}  // namespace

Machine::Machine(const Board& board)
    : board_(board),
      clock_({.is_rtc_trusted = board.is_rtc_trusted}),
      disk_executor_(loop_, kMaxDiskJobs),
      mqtt_(loop_),
      listeners_(loop_),
      children_(loop_) {}

Result<std::unique_ptr<Machine>> Machine::make(const control::NodeConfiguration& configuration,
                                               const Board& board) {
  std::unique_ptr<Machine> machine(new Machine(board));
  if (uses_files(configuration)) {
    machine->file_executor_ =
        std::make_unique<hal::ThreadExecutor>(machine->loop_, kMaxDiskJobs, "berm-files");
  }
  BERM_CHECK(machine->add_clients(configuration));
  BERM_CHECK(machine->make_wires(configuration));
  return machine;
}

Result<void> Machine::add_clients(const control::NodeConfiguration& configuration) {
  if (uses_http(configuration) && !http_) {
    BERM_TRY(const std::string modules, hal::default_module_directory());
    BERM_TRY(http_, hal::load_http_client(loop_, modules));
  }
  if (uses_positions(configuration) && !positions_) add_positions();
  return {};
}

Result<void> Machine::make_wires(const control::NodeConfiguration& configuration) {
  return configuration.simulation ? add_simulation(configuration) : add_wires(configuration);
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
  // The pace of a life is its first configuration's: a clock cannot be changed under the drivers.
  if (simulation.rate != 1.0 && !rate_loop_) {
    const hal::RateScale scale(loop_.now(), simulation.rate);
    rate_loop_ = std::make_unique<hal::RateLoop>(loop_, scale);
    rate_clock_ = std::make_unique<hal::RateClock>(clock_, scale);
  }
  hal::Loop& loop = rate_loop_ ? *rate_loop_ : static_cast<hal::Loop&>(loop_);
  if (!simulation.signals.empty()) {
    BERM_TRY(auto recorded, hal::RecordedEdgeInputs::create(loop, {.path = simulation.signals}));
    edges_.replace(std::move(recorded));
    return {};
  }
  hal::GeneratedEdgeOptions options{.lanes = generated_lanes(configuration)};
  options.flow_veh_h = simulation.flow_veh_h;
  options.seed = static_cast<std::uint64_t>(simulation.seed);
  edges_.replace(std::make_unique<hal::GeneratedEdgeInputs>(loop, std::move(options)));
  return {};
}

Result<void> Machine::add_wires(const control::NodeConfiguration& configuration) {
  std::vector<hal::GpioSignal> wires;
  for (const control::SignalConfiguration& signal : configuration.signals) {
    const auto* gpio = std::get_if<control::GpioSignal>(&signal.wire);
    if (gpio == nullptr) continue;
    const auto connector = board_.connectors.find(gpio->connector);
    if (connector == board_.connectors.end()) {
      return fail(ErrorCode::not_found, "signal " + signal.name + ": board " + board_.name +
                                            " has no connector " + gpio->connector);
    }
    hal::GpioSignal wire{.name = signal.name, .chip = connector->second.chip};
    wire.line.offset = connector->second.line;
    wire.line.active_low = gpio->active_low;
    wires.push_back(std::move(wire));
  }
  edges_.replace(std::make_unique<hal::GpioEdgeInputs>(loop_, chips_, std::move(wires)));
  return {};
}

AgentParts Machine::parts() {
  hal::Loop& loop = rate_loop_ ? *rate_loop_ : static_cast<hal::Loop&>(loop_);
  hal::Clock& clock = rate_clock_ ? *rate_clock_ : static_cast<hal::Clock&>(clock_);
  hal::Executor& files = file_executor_ ? *file_executor_ : disk_executor_;
  AgentParts parts{loop,   disk_executor_, files,  clock,       random_,         disk_,
                   edges_, http_.get(),    &mqtt_, &listeners_, positions_.get(), &children_};
  parts.read_zone = hal::read_time_zone;
  parts.changes_wires = differ_in_wires;
  parts.adapt = [this](const control::NodeConfiguration& next, bool wires,
                       AgentParts& adapted) -> Result<void> {
    BERM_CHECK(add_clients(next));
    adapted.http = http_.get();
    adapted.positions = positions_.get();
    if (wires) BERM_CHECK(make_wires(next));
    return {};
  };
  return parts;
}

std::string read_machine_id(const hal::Disk& disk) {
  const auto text = disk.read("/etc/machine-id", kMaxMachineIdBytes);
  return text ? std::string(trim(*text)) : "";
}

}  // namespace berm::agent
