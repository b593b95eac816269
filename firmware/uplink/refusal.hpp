// SPDX-License-Identifier: Apache-2.0
// Refusals: who is at fault when the other side refuses, the event or the endpoint? [uplink-3]
// A proxy that answers 400 to everything must never cost an event, and one broken event must not
// stop the others. So nothing is believed at once:
//   - a refused batch is bisected only where this endpoint has accepted something before;
//   otherwise, and
//     while probing, the endpoint is held for faulty: stay away, then probe;
//   - a refused single event is suspected. Once another event was accepted after that it is asked
//   again,
//     and only if it is refused again it is set aside (refused, another accepted, refused);
//   - kMaxRefusedInARow refusals with nothing accepted between: the endpoint is rejecting. The
//   suspects go
//     back into the queue, and from then on a single event probes it, any but those already
//     refused.
// Remembers at most kMaxRemembered refused events by name (the oldest is forgotten: asked again,
// never set aside). In memory only: a new process suspects anew. Pure; used by one forwarder.
#pragma once

#include <cstdint>
#include <deque>

#include "firmware/outbox/outbox.hpp"

namespace berm::uplink {

class Refusals {
 public:
  enum class Step {
    bisect,     // send it in halves
    suspect,    // hold this event, go on with the others
    set_aside,  // the event itself is at fault
    stay_away,  // the endpoint is at fault: return everything, back off
  };

  // More than one event was refused together.
  Step refused_batch();
  // One event alone was refused; `can_set_aside`: the answer speaks of the message itself.
  Step refused_single(const outbox::EventRef& event, bool can_set_aside);
  void accepted();
  // This event was delivered or set aside: nothing is held against it any more.
  void forget(const outbox::EventRef& event);

  bool is_remembered(const outbox::EventRef& event) const;
  bool has_remembered() const { return !remembered_.empty(); }
  // The next request must be one event, not a remembered one if there is another.
  bool is_probing() const { return is_probing_; }
  bool is_rejecting() const;

 private:
  struct Known {
    outbox::EventRef event;
    std::uint64_t accepted = 0;  // acceptances before its last refusal
  };
  void remember(const outbox::EventRef& event);

  std::deque<Known> remembered_;
  std::uint64_t accepted_ = 0;
  std::size_t in_a_row_ = 0;
  bool is_probing_ = false;
};

}  // namespace berm::uplink
