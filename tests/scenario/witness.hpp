// SPDX-License-Identifier: Apache-2.0
// Witness: stands beside the drivers and writes down, independently of the outbox, what they
// emitted, what of it was acknowledged as durable, and every vehicle that really passed. Each
// observation gets a serial number dyed into a text field that nothing interprets (a lane period's
// `name`, a passage's `lane`: "R10#17"), so that it is known again wherever it arrives. Used by the
// Oracle. Memory: 64 bytes an observation, 8 a vehicle. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "hal/base/time.hpp"

namespace berm::scenario {

struct Emission {
  MonoTime start;             // in the world's time; of a passage: its leading edge
  std::int64_t label_s = -1;  // a period's start as its row will say; −1: not known yet
  std::int64_t uid = 0;
  std::int64_t count = -1;  // −1: null, or a passage
  double coverage = 1.0;
  std::int32_t period_s = 0;  // 0: a passage
  std::int32_t life = 0;      // of the agent's process
  bool is_durable = false;
  bool is_partial = false;  // interrupted, missed or foreign: not seen whole by this life
  bool is_feed = false;     // of the feed: `start` is wall time since 1970
  bool is_period() const { return period_s != 0; }
};

class Witness {
 public:
  // A new process of the agent.
  void begin_life() { ++life_; }
  std::int32_t life() const { return life_; }
  // Dyes the observation; the serial number, from 0. −1: of no interest.
  std::int64_t emitted(drivers::Observation& observation, Microseconds ahead);
  void durable(std::int64_t serial);
  void passed(std::int64_t uid, MonoTime time) { passed_[uid].push_back(time); }

  const std::vector<Emission>& emissions() const { return emissions_; }
  // Times of the leading edges, by uid, in the world's time and order.
  const std::map<std::int64_t, std::vector<MonoTime>>& vehicles() const { return passed_; }
  std::int64_t vehicles_passed() const;

 private:
  std::int32_t life_ = 0;
  std::vector<Emission> emissions_;
  std::map<std::int64_t, std::vector<MonoTime>> passed_;
};

// The drivers of this build, with a Witness between each and the node. It finds the Witness by the
// node's loop, which must be a BootLoop.
drivers::DriverDescriptor witnessed_loop_detector();
drivers::DriverDescriptor witnessed_miv_feed();

}  // namespace berm::scenario
