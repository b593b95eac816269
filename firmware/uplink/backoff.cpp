// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/backoff.hpp"

#include <algorithm>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

constexpr int kMaxDoublings = 16;

}  // namespace

Microseconds Backoff::below(Microseconds ceiling) {
  return Microseconds(
      static_cast<std::int64_t>(random_.unit() * static_cast<double>(ceiling.count())));
}

Microseconds Backoff::failed(MonoTime now, Milliseconds cap, std::optional<Seconds> asked_for) {
  if (healthy_since_ && now - *healthy_since_ >= kStablePeriod) failures_ = 0;
  healthy_since_.reset();
  is_busy_ = cap <= kBusyBackoffCap;
  const Microseconds doubled = kBackoffFirst * (1LL << std::min(failures_, kMaxDoublings));
  const Microseconds ceiling = std::min<Microseconds>(cap, doubled);
  ++failures_;
  Microseconds wait = std::max<Microseconds>(kBackoffMin, below(ceiling));
  if (asked_for && asked_for->count() > 0) {
    const Microseconds asked = std::min(*asked_for, kMaxRetryAfter);
    wait = std::max(wait, asked + below(std::max<Microseconds>(kBackoffFirst, asked / 5)));
  }
  return wait;
}

void Backoff::succeeded(MonoTime now) {
  if (!healthy_since_) healthy_since_ = now;
}

void Backoff::delivered(MonoTime now) {
  succeeded(now);
  if (is_busy_ && failures_ > 0) --failures_;
}

}  // namespace berm::uplink
