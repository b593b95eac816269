// SPDX-License-Identifier: Apache-2.0
// What the forwarder does with each answer: promises uplink 2, 3 and 4.
#include <algorithm>
#include <iterator>
#include <utility>

#include "firmware/uplink/forwarder.hpp"
#include "firmware/uplink/limits.hpp"

namespace berm::uplink {

void Forwarder::on_answer(std::uint64_t number, const Answer& answer) {
  const auto flight = std::find_if(flights_.begin(), flights_.end(),
                                   [&](const Flight& sent) { return sent.number == number; });
  if (flight == flights_.end()) return;
  Piece events = std::move(flight->events);
  flights_.erase(flight);
  if (answer.verdict == Verdict::delivered) {
    on_delivered(events);
  } else {
    ++failures_;
    last_error_ = answer.reason;
    on_not_delivered(std::move(events), answer);
  }
  pump();
}

void Forwarder::on_not_delivered(Piece events, const Answer& answer) {
  if (phase_ != Phase::open) {
    // Another answer has sent us away already; this one only says what to send less of.
    if (answer.verdict == Verdict::too_large) limit_.too_large(events.size());
    return_sent(events);
    return;
  }
  switch (answer.verdict) {
    case Verdict::refused:
      on_refused(std::move(events), answer);
      return;
    case Verdict::too_large:
      on_too_large(std::move(events), answer);
      return;
    case Verdict::busy:
      on_trouble(events, answer, kBusyBackoffCap);
      return;
    case Verdict::failed:
    case Verdict::delivered:
      on_trouble(events, answer, kBackoffCap);
      return;
  }
}

void Forwarder::on_delivered(const Piece& events) {
  delivered_ += static_cast<std::int64_t>(events.size());
  limit_.delivered(events.size());
  backoff_.delivered(parts_.loop.now());
  if (refusals_.has_remembered()) {
    for (const event::Event& event : events) refusals_.forget(ref_of(event));
  }
  refusals_.accepted();
  is_careful_ = false;
  settle(events, outbox::Settlement::delivered, {});
  alarms_.delivered();
  // The suspects are asked once more, now that it is known that this endpoint takes events.
  for (event::Event& suspect : suspects_) push_alone(std::move(suspect));
  suspects_.clear();
}

void Forwarder::on_refused(Piece events, const Answer& answer) {
  if (events.size() == 1) {
    on_refused_single(std::move(events), answer);
    return;
  }
  if (refusals_.refused_batch() == Refusals::Step::stay_away) {
    on_trouble(events, answer, kBackoffCap);
    return;
  }
  is_careful_ = true;
  repeated_ += static_cast<std::int64_t>(events.size());
  const auto middle = events.begin() + static_cast<std::ptrdiff_t>(events.size() / 2);
  Piece second(std::make_move_iterator(middle), std::make_move_iterator(events.end()));
  events.erase(middle, events.end());
  pieces_.push_front(std::move(second));
  pieces_.push_front(std::move(events));
}

void Forwarder::on_refused_single(Piece events, const Answer& answer) {
  is_careful_ = true;
  switch (refusals_.refused_single(ref_of(events.front()), answer.can_set_aside)) {
    case Refusals::Step::set_aside:
      settle(events, outbox::Settlement::refused, answer.reason);
      return;
    case Refusals::Step::suspect:
      suspects_.push_back(std::move(events.front()));
      return;
    case Refusals::Step::stay_away:
    case Refusals::Step::bisect:
      on_trouble(events, answer, kBackoffCap);
      return;
  }
}

void Forwarder::on_too_large(Piece events, const Answer& answer) {
  if (events.size() == 1) {
    if (answer.can_set_aside) {
      on_refused_single(std::move(events), answer);
    } else {
      on_trouble(events, answer, kBusyBackoffCap);
    }
    return;
  }
  is_careful_ = true;
  repeated_ += static_cast<std::int64_t>(events.size());
  limit_.too_large(events.size());
  pieces_.push_front(std::move(events));
}

void Forwarder::on_trouble(const Piece& events, const Answer& answer, Milliseconds cap) {
  if (events.size() == 1) {
    limit_.nothing_fits();
  } else if (answer.timed_out) {
    limit_.too_slow(events.size());
  }
  return_sent(events);
  alarms_.failed(answer.reason, answer.trouble, parts_.outbox.waiting(options_.index));
  if (refusals_.is_rejecting()) alarms_.rejecting(answer.reason);
  enter_backoff(cap, answer.retry_after);
}

}  // namespace berm::uplink
