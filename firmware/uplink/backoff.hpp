// SPDX-License-Identifier: Apache-2.0
// Backoff: how long to stay away after a failure [uplink-1]. Full jitter: the wait is drawn evenly
// from 0 … ceiling (at least kBackoffMin), and the ceiling doubles from kBackoffFirst to the given
// cap with each failure. It starts anew only after kStablePeriod of success without a failure, so
// an endpoint that takes one batch and fails again is not asked twice a second. One that is only
// busy (kBusyBackoffCap) and takes something in between is not at fault: each delivery halves the
// ceiling again, so that it is asked as often as it takes about half of what it is asked; else a
// channel as small as a batch would never be caught up with. What a server asks
// for (Retry-After) is kept, up to kMaxRetryAfter, plus a jitter of a fifth: a thousand nodes told
// "120" do not come back in one second. Randomness comes from the node's Random, time from the
// caller. Used by one forwarder, on its thread. Source: M. Brooker, "Exponential Backoff and
// Jitter" (2015): full jitter has the fewest calls.
#pragma once

#include <optional>

#include "hal/base/time.hpp"
#include "hal/random.hpp"

namespace berm::uplink {

class Backoff {
 public:
  explicit Backoff(hal::Random& random) : random_(random) {}

  // A failure at `now`: the wait until the next attempt. `cap` bounds the ceiling.
  Microseconds failed(MonoTime now, Milliseconds cap, std::optional<Seconds> asked_for);
  // Something worked at `now`; the first of an unbroken row counts.
  void succeeded(MonoTime now);
  // The same, and it was a delivery.
  void delivered(MonoTime now);

 private:
  Microseconds below(Microseconds ceiling);

  hal::Random& random_;
  int failures_ = 0;      // doublings of the ceiling
  bool is_busy_ = false;  // the last failure was no fault
  std::optional<MonoTime> healthy_since_;
};

}  // namespace berm::uplink
