// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/batch_limit.hpp"

#include <algorithm>

#include "firmware/uplink/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::uplink {

BatchLimit::BatchLimit(std::size_t max) : max_(max) {
  BERM_ASSERT(max > 0);
  now_.value = max;
  now_.probe_after = kProbeAfterFirst;
  kept_ = now_;
}

void BatchLimit::delivered(std::size_t events) {
  if (is_blind_) {
    now_ = kept_;
    is_blind_ = false;
  }
  now_.proven = std::max(now_.proven, events);
  if (now_.too_large != 0 && events >= now_.too_large) now_.too_large = 0;
  if (events >= now_.value && now_.value < max_) grow();
  kept_ = now_;
}

void BatchLimit::grow() {
  const std::size_t step =
      now_.too_large == 0 ? now_.value : std::max<std::size_t>(1, now_.value / 8);
  const std::size_t next = std::min(max_, now_.value + step);
  const bool is_probe = now_.too_large != 0 && next >= now_.too_large;
  if (++now_.full_batches < (is_probe ? now_.probe_after : kGrowAfter)) return;
  now_.full_batches = 0;
  now_.value = next;
}

void BatchLimit::halve(std::size_t events) {
  const std::size_t half = std::max<std::size_t>(1, events / 2);
  const bool was_probe = now_.proven != 0 && now_.proven < events;
  now_.value = std::min(now_.value, was_probe ? now_.proven : half);
  if (!was_probe) now_.proven = 0;
  now_.full_batches = 0;
}

void BatchLimit::too_large(std::size_t events) {
  if (events <= 1) return;
  const bool is_probe = now_.too_large != 0 && events >= now_.too_large;
  if (is_probe && now_.proven != 0) {
    now_.probe_after = std::min(kProbeAfterMax, now_.probe_after * 2);
  }
  halve(events);
  now_.too_large = now_.too_large == 0 ? events : std::min(now_.too_large, events);
}

void BatchLimit::too_slow(std::size_t events) {
  if (events > 1) halve(events);
}

}  // namespace berm::uplink
