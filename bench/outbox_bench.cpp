// SPDX-License-Identifier: Apache-2.0
// outbox_bench --append lanes|vehicles GROUP EVENTS DIRECTORY: only that, for bench/device_bytes
// (what reaches the device; take off what it is with EVENTS 0). outbox_bench [DIRECTORY [EVENTS]]:
// what the outbox's store does alone, on the disk under DIRECTORY (default: a new one in the
// working directory). Prints: append at groups of 1, 10, 100, 1000 (events a second, bytes in the
// database per event), memory with EVENTS (default 1,000,000) waiting against an empty outbox, time
// from a kill to the first take over them, and the drain rate at batches of 1000. Written bytes are
// SQLite's own count (log + copied back); for what reaches the device run it under
// bench/device_bytes.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "firmware/outbox/store.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/disk.hpp"
#include "hal/linux/random.hpp"

namespace {

using namespace berm;

struct Machine {
  hal::SystemClock clock{hal::SystemClockOptions{.is_rtc_trusted = true}};
  hal::SystemRandom random;
  hal::SystemDisk disk;
  outbox::OutboxOptions options;

  std::unique_ptr<outbox::Store> open() {
    auto store = outbox::Store::open(options, {clock, random, disk});
    if (!store) {
      std::fprintf(stderr, "outbox_bench: %s\n", store.error().text.c_str());
      std::exit(1);
    }
    return std::move(*store);
  }
};

double seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  long size = 0;
  long resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / 1e6;
}

// Lane minutes of a motorway at about 900 vehicles an hour: few classes, all fields, one decimal.
std::vector<event::Draft> make_drafts(Machine& machine, std::size_t count) {
  constexpr double kShares[drivers::kClasses] = {0.02, 0.78, 0.05, 0.05, 0.10};
  std::vector<event::Draft> drafts;
  const hal::WallReading wall = machine.clock.wall();
  const MonoTime mono = machine.clock.mono();
  for (std::size_t i = 0; i < count; ++i) {
    drivers::LanePeriod period{.start = {mono, wall.time, wall.source},
                               .uid = static_cast<std::int64_t>(92301 + i % 4),
                               .lane = "R1" + std::to_string(i % 4),
                               .count = static_cast<std::int64_t>(8 + machine.random.below(15))};
    const double mean = 85.0 + 20.0 * machine.random.unit();
    for (std::size_t n = 0; n < drivers::kClasses; ++n) {
      drivers::ClassMeasure& measure = period.classes[n];
      const double expected = kShares[n] * static_cast<double>(*period.count);
      measure.count = static_cast<std::int64_t>(expected + machine.random.unit());
      measure.speed_count = measure.count;
      if (*measure.count == 0) continue;
      measure.speed_kmh = mean + 8.0 * machine.random.unit();
      measure.speed_harmonic_kmh = *measure.speed_kmh - machine.random.unit();
    }
    period.occupancy_percent = 5.0 + 5.0 * machine.random.unit();
    period.availability_percent = 100.0;
    period.coverage = 1.0;
    period.valid = 0;
    period.defect = 0;
    auto draft = event::write_draft(period, "e19", {mono, wall.time});
    drafts.push_back(std::move(*draft));
  }
  return drafts;
}

// Passages of the same lanes.
std::vector<event::Draft> make_passages(Machine& machine, std::size_t count) {
  std::vector<event::Draft> drafts;
  const hal::WallReading wall = machine.clock.wall();
  MonoTime mono = machine.clock.mono();
  const auto some = [&](std::uint64_t from, std::uint64_t to) {
    return static_cast<std::int64_t>(from + machine.random.below(to - from));
  };
  for (std::size_t i = 0; i < count; ++i) {
    mono += Milliseconds{some(200, 2000)};
    drivers::VehiclePassage passage{.leading_edge = {mono, wall.time, wall.source},
                                    .uid = static_cast<std::int64_t>(92301 + i % 4),
                                    .lane = "R1" + std::to_string(i % 4),
                                    .speed_kmh = static_cast<double>(some(800, 1200)) / 10,
                                    .length_m = static_cast<double>(some(35, 60)) / 10,
                                    .length_class = 2,
                                    .on_ms = some(150, 300),
                                    .headway_ms = some(900, 9000),
                                    .gap_ms = some(700, 8700)};
    drafts.push_back(std::move(*event::write_draft(passage, "e19", {mono, wall.time})));
  }
  return drafts;
}

void append(outbox::Store& store, std::vector<event::Draft>& drafts) {
  const auto committed = store.commit(drafts, {});
  if (!committed) {
    std::fprintf(stderr, "outbox_bench: %s\n", committed.error().text.c_str());
    std::exit(1);
  }
}

using Make = std::vector<event::Draft> (*)(Machine& machine, std::size_t count);

void bench_append(Machine& machine, const std::string& base, const char* what, Make make,
                  std::size_t group) {
  machine.options.directory = base + "/" + what + std::to_string(group);
  if (!machine.disk.make_directory(machine.options.directory)) std::exit(1);
  const auto store = machine.open();
  auto drafts = make(machine, group);
  const outbox::Counters before = store->counters();
  const double begin = seconds();
  std::size_t events = 0;
  while (seconds() - begin < 2.0) {
    append(*store, drafts);
    events += group;
  }
  const double took = seconds() - begin;
  const outbox::Counters after = store->counters();
  const double written = static_cast<double>(after.written_bytes - before.written_bytes);
  std::printf("append %s, groups of %4zu: %9.0f events/s, %7.0f bytes written per event\n", what,
              group, static_cast<double>(events) / took, written / static_cast<double>(events));
}

// In a process of its own, which ends without closing anything, as after kill -9.
void fill(Machine& machine, std::size_t events) {
  const pid_t child = fork();
  if (child == 0) {
    const auto store = machine.open();
    for (std::size_t done = 0; done < events; done += 100) {
      auto drafts = make_drafts(machine, 100);
      append(*store, drafts);
    }
    std::printf("filled: %lld events, %.1f MB on disk\n",
                static_cast<long long>(store->counters().events),
                static_cast<double>(store->counters().disk_bytes) / 1e6);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) std::exit(1);
}

double resident_while_reading(Machine& machine) {
  const auto store = machine.open();
  const auto batch = store->take(0, {.max_events = 100});
  if (!batch) std::exit(1);
  store->return_all(0);
  return resident_mb();
}

void bench_backlog(Machine& machine, const std::string& base, std::size_t events) {
  machine.options.directory = base + "/backlog";
  if (!machine.disk.make_directory(machine.options.directory)) std::exit(1);
  const double empty = resident_while_reading(machine);
  fill(machine, events);
  const double begin = seconds();
  const auto store = machine.open();
  auto batch = store->take(0, {.max_events = 100});
  std::printf("restart with them waiting: first take after %.0f ms\n", 1e3 * (seconds() - begin));
  if (!batch || batch->events.empty()) std::exit(1);
  store->return_all(0);
  std::printf("resident memory: %.1f MB empty, %.1f MB with them waiting\n", empty, resident_mb());
  const double drain_begin = seconds();
  std::size_t drained = 0;
  while (true) {
    batch = store->take(0, {.max_events = 1000, .max_bytes = 4u << 20});
    if (!batch || batch->events.empty()) break;
    drained += batch->events.size();
    std::vector<outbox::Settled> settled;
    settled.reserve(batch->events.size());
    for (const event::Event& event : batch->events) {
      settled.push_back({{std::string(event.schema->name), event.epoch, event.seq}, {}, {}});
    }
    if (!store->settle(0, settled)) std::exit(1);
  }
  if (!store->save()) std::exit(1);
  std::printf("drain, batches of 1000: %.0f events/s\n",
              static_cast<double>(drained) / (seconds() - drain_begin));
}

int append_only(Machine& machine, const std::string& what, std::size_t group, std::size_t events,
                const std::string& directory) {
  machine.options.directory = directory;
  const auto store = machine.open();
  for (std::size_t done = 0; done < events; done += group) {
    auto drafts = (what == "lanes" ? make_drafts : make_passages)(machine, group);
    append(*store, drafts);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string base = argc > 1 ? argv[1] : "";
  char made[] = "outbox_bench.XXXXXX";
  if (base.empty()) {
    char here[4096];
    if (mkdtemp(made) == nullptr || getcwd(here, sizeof here) == nullptr) return 1;
    base = std::string(here) + "/" + made;
  }
  const auto events = argc > 2 ? berm::parse_integer(argv[2]).value_or(0) : 1'000'000;
  Machine machine;
  machine.options.node = "bench";
  machine.options.machine_id = "bench";
  machine.options.uplinks = {{.name = "flume"}};
  machine.options.max_bytes = std::int64_t{4} << 30;
  if (base == "--append") {
    if (argc != 6) return 2;
    const auto number = [&](int i) {
      return static_cast<std::size_t>(berm::parse_integer(argv[i]).value_or(0));
    };
    return append_only(machine, argv[2], number(3), number(4), argv[5]);
  }
  for (const std::size_t group : {1u, 10u, 100u, 1000u}) {
    bench_append(machine, base, "lanes", make_drafts, group);
    bench_append(machine, base, "vehicles", make_passages, group);
  }
  bench_backlog(machine, base, static_cast<std::size_t>(events));
  std::printf("left for a look: %s\n", base.c_str());
  return 0;
}
