// SPDX-License-Identifier: Apache-2.0
// Clock: the only reader of clocks. `wall()` says what the system's clock shows and who vouches for
// it: ntp = the kernel says it is synchronised; rtc = the board declares its clock right; gps = a
// fix set it; none = a best estimate. Called on the loop or the executor; cheap. A step may come at
// any time.
#pragma once

#include <cstdint>
#include <string>

#include "hal/base/time.hpp"

namespace berm::hal {

struct WallReading {
  WallTime time;
  ClockSource source = ClockSource::none;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime mono() const = 0;
  virtual WallReading wall() const = 0;
  // One value per boot of the machine (random UUID of the kernel), stable while it runs.
  virtual const std::string& boot_id() const = 0;
};

}  // namespace berm::hal
