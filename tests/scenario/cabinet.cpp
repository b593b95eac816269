// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/cabinet.hpp"

#include <cstdio>
#include <utility>

#include "firmware/control/configuration_document.hpp"
#include "firmware/control/remote_boot.hpp"
#include "firmware/event/schema.hpp"
#include "hal/base/assert.hpp"

namespace berm::scenario {
namespace {

control::WhenFull when_full_of(event::WhenFull when_full) {
  switch (when_full) {
    case event::WhenFull::conserve:
      return control::WhenFull::conserve;
    case event::WhenFull::refuse:
      return control::WhenFull::refuse;
    case event::WhenFull::oldest:
      break;
  }
  return control::WhenFull::oldest;
}

constexpr const char* kFile = "/etc/berm/berm.json";

std::vector<control::KnownStream> known_streams() {
  std::vector<control::KnownStream> streams;
  for (const event::StreamSchema& schema : event::stream_schemas()) {
    streams.push_back({schema.name, schema.topic, schema.group_ms, when_full_of(schema.when_full)});
  }
  return streams;
}

std::span<const control::KnownStream> streams_of_build() {
  static const std::vector<control::KnownStream> kStreams = known_streams();
  return kStreams;
}

// What the configuration's drivers would watch.
struct Lanes {
  std::vector<hal::GeneratedLane> lanes;
  std::vector<std::int64_t> uids;
};
Lanes lanes_of(const control::NodeConfiguration& configuration) {
  Lanes all;
  for (const control::DriverConfiguration& driver : configuration.drivers) {
    if (driver.descriptor->loop_lanes == nullptr) continue;
    for (const drivers::LoopLane& lane : driver.descriptor->loop_lanes(driver.options)) {
      all.lanes.push_back({lane.leading, lane.trailing, lane.spacing_m, lane.loop_length_m});
    }
    for (const std::int64_t uid : driver.descriptor->uids(driver.options)) all.uids.push_back(uid);
  }
  BERM_ASSERT(all.lanes.size() == all.uids.size());
  return all;
}

}  // namespace

Cabinet::Cabinet(hal::SimLoop& world, hal::SimNetwork& network, Witness& witness,
                 CabinetOptions options)
    : world_(world),
      network_(network),
      witness_(witness),
      sources_{table_, streams_of_build()},
      options_(std::move(options)),
      random_(options_.seed),
      disk_(std::make_unique<hal::SimDisk>(
          hal::SimVolumeOptions{.capacity_bytes = options_.card_bytes})),
      boot_(std::make_unique<BootLoop>(world, witness)),
      clock_(*boot_, {.start = options_.start}),
      next_(world),
      known_(world) {
  disk_->prepare_directory("/var/lib");
  disk_->prepare_directory(kStickDirectory);
  disk_->set_mount_point(kStickDirectory, true);
  const auto parsed = control::parse_configuration(options_.configuration, kFile, sources_);
  for (const std::string& fault : parsed.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  BERM_ASSERT(parsed.configuration.has_value());
  const Lanes lanes = lanes_of(*parsed.configuration);
  hal::GeneratedEdgeOptions traffic{.lanes = lanes.lanes, .flow_veh_h = options_.flow_veh_h};
  traffic.seed = options_.seed;
  traffic.on_vehicle = [this, uids = lanes.uids](const hal::GeneratedVehicle& vehicle) {
    witness_.passed(uids[vehicle.lane], vehicle.time);
  };
  wires_ = std::make_unique<hal::GeneratedEdgeInputs>(world, std::move(traffic));
}

Cabinet::~Cabinet() {
  boot_->end();
  end_process(false);
}

void Cabinet::power_on() {
  BERM_ASSERT(phase_ == Phase::off);
  boot();
}

void Cabinet::boot() {
  ++boots_;
  disk_->volume().power_on();
  auto next = std::make_unique<BootLoop>(world_, witness_);
  clock_.reboot(*next, random_);
  boot_ = std::move(next);
  known_.cancel();
  if (boot_clock.has_rtc) {
    // A boot without one, and whatever was set wrong in it, left the other's time alone.
    if (!std::exchange(had_rtc_, true)) clock_.set_wall(clock_.exact());
    clock_.set_source(ClockSource::ntp);
  } else {
    had_rtc_ = false;
    clock_.set_source(ClockSource::none);
    clock_.set_wall(wall_s(25));
    known_.after(boot_clock.known_after, [this] { set_clock_known(); });
  }
  start_process();
}

void Cabinet::set_clock_known() {
  known_.cancel();
  clock_.set_wall(clock_.exact());
  // A network tells it soon; hours later it was a satellite.
  const bool is_late = !boot_clock.has_rtc && boot_clock.known_after > Seconds{3600};
  clock_.set_source(is_late ? ClockSource::gps : ClockSource::ntp);
}

void Cabinet::start_process() {
  phase_ = Phase::down;
  witness_.begin_life();
  process_ = std::make_unique<Process>(*boot_, network_, *wires_);
  hal::SimExecutor& executor = process_->disk_executor;
  executor.set_latency(kDiskLatency);
  process_->file_executor.set_latency(kDiskLatency);
  disk_->volume().on_latency([&executor](Microseconds extra) { executor.add_latency(extra); });
  const std::uint64_t power_life = power_life_;
  const auto created = create_agent();
  if (power_life != power_life_) return;  // the power went meanwhile; lose_power does the rest
  if (created) {
    phase_ = Phase::running;
    if (on_started_) on_started_();
    return;
  }
  // Others may have taken what the ballast gave: without any room nobody can begin a log.
  if (created.error().code != ErrorCode::full) ++failed_starts_;
  last_start_error_ = created.error().text;
  end_process(false);
  if (power_life != power_life_) return;
  phase_ = Phase::down;
  next_.after(kRestartPause, [this] { start_process(); });
}

Result<void> Cabinet::create_agent() {
  control::Boot boot =
      control::boot_with(*disk_, kStateDirectory, kFile, options_.configuration, sources_);
  control::NodeConfiguration configuration = *boot.parsed.configuration;
  agent::AgentOptions options{.state_directory = kStateDirectory};
  options.machine_id = options_.machine_id;
  options.version = "0.0.0-scenario";
  options.effective_document = boot.parsed.effective;
  options.config_sha = boot.parsed.sha256;
  options.sources = sources_;
  options.configuration_file = kFile;
  options.boot = std::move(boot);
  options.restart = [this](std::string_view) { restart(kRestartPause); };
  const agent::AgentParts parts{
      *boot_, process_->disk_executor, process_->file_executor, clock_,         random_,
      *disk_, process_->edges,         &process_->http,         &process_->mqtt};
  BERM_TRY(agent_, agent::Agent::create(std::move(configuration), options, parts));
  return agent_->start();
}

// Not orderly: the files stay as they are at this instant, whatever destructors do to them.
void Cabinet::end_process(bool is_orderly) {
  if (!process_) return;
  std::unique_ptr<hal::SimDisk> card;
  if (!is_orderly) {
    process_->disk_executor.power_cut();
    process_->file_executor.power_cut();
    if (agent_ && !disk_->volume().is_off()) card = disk_->clone();
  }
  agent_.reset();
  disk_->volume().on_latency(nullptr);
  process_.reset();
  if (card) disk_->restore(*card, false);
}

void Cabinet::kill(Microseconds pause) {
  if (phase_ != Phase::running && phase_ != Phase::stopping) return;
  const std::uint64_t power_life = power_life_;
  end_process(false);
  if (power_life != power_life_) return;  // its last operations met the power cut
  phase_ = Phase::down;
  next_.after(pause, [this] { start_process(); });
}

void Cabinet::restart(Microseconds pause) {
  if (phase_ != Phase::running) return;
  phase_ = Phase::stopping;
  next_.after(kStopTimeout, [this, pause] { kill(pause); });
  agent_->stop([this, pause] {
    // The process ends once it is off the agent's stack.
    next_.after(Microseconds{1}, [this, pause] {
      const std::uint64_t power_life = power_life_;
      end_process(true);
      if (power_life != power_life_) return;
      phase_ = Phase::down;
      next_.after(pause, [this] { start_process(); });
    });
  });
}

void Cabinet::stall_disk(bool is_stalled) {
  if (!process_) return;
  if (is_stalled) {
    process_->disk_executor.stall();
  } else {
    process_->disk_executor.release();
  }
}

void Cabinet::power_cut(Microseconds off) {
  if (phase_ == Phase::off) return;
  disk_->power_cut(random_);
  lose_power(off);
}

void Cabinet::power_cut_at_operation(std::uint64_t operations, Microseconds off) {
  const std::uint64_t last = disk_->volume().operations() + operations;
  disk_->volume().observe(
      [this, last, off](std::uint64_t number, hal::DiskOperation, std::string_view) {
        if (number < last || phase_ == Phase::off) return;
        disk_->power_cut(random_);
        if (process_) {
          process_->disk_executor.power_cut();
          process_->file_executor.power_cut();
        }
        boot_->end();
        ++power_life_;
        phase_ = Phase::off;
        // The agent may be on the stack below.
        next_.after(Microseconds{0}, [this, off] { lose_power(off); });
      });
}

void Cabinet::lose_power(Microseconds off) {
  ++power_life_;
  boot_->end();
  disk_->volume().observe(nullptr);
  end_process(false);
  phase_ = Phase::off;
  known_.cancel();
  next_.after(off, [this] { boot(); });
}

void Cabinet::move_card(const std::string& machine_id, Microseconds off) {
  power_cut(off);
  options_.machine_id = machine_id;
}

void Cabinet::back_up() {
  backup_ = disk_->clone();
  backup_->volume().make_all_durable();
}

void Cabinet::restore_backup(Microseconds off) {
  BERM_ASSERT(backup_ != nullptr);
  power_cut(off);
  disk_->restore(*backup_, true);
}

void Cabinet::insert_card(std::unique_ptr<hal::SimDisk> card) {
  BERM_ASSERT(phase_ == Phase::off && !process_);
  disk_ = std::move(card);
}

}  // namespace berm::scenario
