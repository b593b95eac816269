// SPDX-License-Identifier: Apache-2.0
// TimeOffer: a driver that hears the time from a trustworthy source (a satellite receiver) offers
// it to the node, which judges it (DriverContext::offer_time): drivers report, the node decides.
// Plain values; any thread.
#pragma once

#include <cstdint>

#include "hal/base/time.hpp"

namespace berm::drivers {

struct TimeOffer {
  WallTime time;          // it was this time …
  MonoTime at;            // … at this instant
  Microseconds error{0};  // either way, all told
};

enum class TimeVerdict : std::uint8_t {
  ignored,       // this node takes no time from drivers (replay, a simulation that runs faster)
  used,          // agrees; the node's clock follows it where the kernel's is not synchronised
  waiting,       // not enough of them have agreed yet
  uncertain,     // the error is too large
  before_build,  // before the program was built: cannot be
  jumped_back,   // earlier than one before
  late,          // came far later than those before
  ahead,         // far ahead of those before; believed once many agree
};
inline constexpr std::size_t kTimeVerdicts = 8;

constexpr const char* name_of(TimeVerdict verdict) {
  constexpr const char* kNames[kTimeVerdicts] = {
      "ignored", "used", "waiting", "uncertain", "before_build", "jumped_back", "late", "ahead"};
  return kNames[static_cast<std::size_t>(verdict)];
}

}  // namespace berm::drivers
