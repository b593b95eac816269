// SPDX-License-Identifier: Apache-2.0
// What the position contract runs on: a backend's feeds and loop, and something that speaks as
// gpsd does. Linux: a TCP server on loopback, on the same loop. Sim: the scripted feeds.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "hal/loop.hpp"
#include "hal/position_feed.hpp"

namespace berm::hal::contract {

class PositionBench {
 public:
  virtual ~PositionBench() = default;
  virtual Loop& loop() = 0;
  virtual bool run_until(const std::function<bool()>& condition, Seconds limit = Seconds{20}) = 0;
  virtual PositionFeeds& feeds() = 0;
  virtual std::string address() = 0;
  virtual void gpsd_starts() = 0;
  virtual void gpsd_dies() = 0;
  // mode 3, lat, lon and an error of 4 m; nothing else.
  virtual void say_fix(double lat, double lon) = 0;
  virtual void say_no_fix() = 0;
};

struct PositionBackend {
  const char* name;
  std::unique_ptr<PositionBench> (*make)();
};
inline void PrintTo(const PositionBackend& backend, std::ostream* out) {
  *out << backend.name;
}

std::unique_ptr<PositionBench> make_linux_position();
std::unique_ptr<PositionBench> make_sim_position();

}  // namespace berm::hal::contract
