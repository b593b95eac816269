// SPDX-License-Identifier: Apache-2.0
// Faults: what goes wrong in a life, drawn from its seed: the servers, the network between, the
// disk, the clock, the power, the process, the card. One after another at random instants, each for
// a second to hours, so that they overlap. What the oracle must then overlook, and only that, it is
// told here: the order of arrivals where some of what was sent was given back; rows that do not
// follow one another where wall time was wrong; what a restored backup does not know. `end` plans
// no more; healing is the Bed's. Lifetime: bed > faults. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hal/sim/random.hpp"
#include "tests/scenario/bed.hpp"

namespace berm::scenario {

// What may happen in this life at all: lives differ, and some kinds hide others.
struct FaultMix {
  Microseconds mean_between = Seconds{2 * 3600};
  bool servers = true;
  bool refusals = true;  // answers that speak of the events themselves
  bool disk = true;
  bool read_errors = false;  // a database that cannot be read back is set aside whole
  bool clock = true;
  bool power = true;
  bool processes = true;
  bool cards = false;      // moved, restored
  bool feed = false;       // of the site that is polled
  bool documents = false;  // new configurations, good and bad
  bool outages = false;    // of a server, for longer than the outbox can bear
};

class Faults {
 public:
  Faults(Bed& bed, std::uint64_t seed, FaultMix mix);
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  void end();
  // One line per fault, for whoever looks at a seed.
  const std::vector<std::string>& log() const { return log_; }
  std::size_t count() const { return count_; }

 private:
  struct Kind {
    int weight;
    const char* name;
    void (Faults::*strike)();
  };
  void plan();
  void strike();
  void note(const std::string& what);
  Microseconds duration(std::int64_t most_s = 3 * 3600);
  void later(Microseconds delay, std::function<void()> what);
  bool chance(double share) { return random_.between(0, 1) < share; }

  void flume_mood();
  void flume_refuses();
  void flume_away();
  void outage();
  void flume_loses_answers();
  void flume_replicates();
  void feed_mood();
  void link_trouble();
  void broker_away();
  void broker_frozen();
  void broker_refuses_events();
  void broker_refuses_connections();
  void broker_throws_out();
  void nobody_subscribed();
  void slow_disk();
  void stalled_disk();
  void disk_error();
  void disk_read_error();
  void full_disk();
  void clock_step();
  void clock_drift();
  void power_cut();
  void power_cut_at_operation();
  void kill();
  void restart();
  void move_card();
  void backup();
  void document();

  Bed& bed_;
  hal::SimRandom random_;
  const FaultMix mix_;
  std::vector<Kind> kinds_;
  int weights_ = 0;
  hal::Timer next_;
  std::vector<std::unique_ptr<hal::Timer>> pending_;
  bool has_ended_ = false;
  std::size_t count_ = 0;
  int machines_ = 1;
  std::vector<std::string> log_;
};

}  // namespace berm::scenario
