// SPDX-License-Identifier: Apache-2.0
// ServiceNotify: tells whoever supervises the agent that it is ready, alive or about to end.
// linux/: the sd_notify protocol; nobody supervising: nothing happens. Loop thread; never blocks
// for long, never fails to the caller.
#pragma once

#include <string_view>

#include "hal/base/time.hpp"

namespace berm::hal {

class ServiceNotify {
 public:
  virtual ~ServiceNotify() = default;
  // Once, when the agent does its work (configuration applied, sampling).
  virtual void ready() = 0;
  virtual void stopping() = 0;
  // One line for a person.
  virtual void status(std::string_view text) = 0;
  // A sign of life.
  virtual void watchdog() = 0;
  // How often a sign of life is wanted at the latest (give it twice as often); 0: none is.
  virtual Microseconds watchdog_interval() const = 0;
};

}  // namespace berm::hal
