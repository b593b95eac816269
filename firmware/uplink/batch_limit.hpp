// SPDX-License-Identifier: Apache-2.0
// BatchLimit: how many events one request may hold, learned from the receiver [uplink-4]. Flume's
// channel has a transactionCapacity (default 100): a larger batch is answered 503 for ever, so it
// must be halved; nobody tells the number, so it is probed upward, slowly, and remembered while the
// process lives.
//   - too_large(n): at once at most half of n, or what was last delivered if that is less;
//   - delivered(n): after kGrowAfter full batches a step upward (double while nothing was ever too
//   large,
//     else an eighth); a step to a size that was once too large only after kProbeAfterFirst full
//     batches, which doubles with each failed probe;
//   - nothing_fits(): even one event was not taken, so size was not the reason: with the next
//   delivery
//     everything is as it was before (a load balancer without servers also answers 503 at once).
// Pure; 1 ≤ value() ≤ max; every too_large(n) with n > 1 leaves value() < n, so it cannot livelock.
#pragma once

#include <cstddef>

namespace berm::uplink {

class BatchLimit {
 public:
  explicit BatchLimit(std::size_t max);

  std::size_t value() const { return now_.value; }
  void delivered(std::size_t events);
  void too_large(std::size_t events);
  // No answer in time: perhaps the link is too thin for so many.
  void too_slow(std::size_t events);
  void nothing_fits() { is_blind_ = true; }

 private:
  struct State {
    std::size_t value = 1;
    std::size_t proven = 0;     // largest delivered since it was last too large; 0: none
    std::size_t too_large = 0;  // smallest that was too large; 0: none
    std::size_t full_batches = 0;
    std::size_t probe_after = 0;
  };
  void grow();
  void halve(std::size_t events);

  std::size_t max_;
  State now_;
  State kept_;  // as of the last delivery
  bool is_blind_ = false;
};

}  // namespace berm::uplink
