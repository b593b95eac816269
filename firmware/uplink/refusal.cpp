// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/refusal.hpp"

#include <algorithm>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {

bool Refusals::is_rejecting() const {
  return is_probing_ && in_a_row_ >= kMaxRefusedInARow;
}

Refusals::Step Refusals::refused_batch() {
  if (accepted_ > 0 && !is_probing_) return Step::bisect;
  is_probing_ = true;
  ++in_a_row_;
  return Step::stay_away;
}

Refusals::Step Refusals::refused_single(const outbox::EventRef& event, bool can_set_aside) {
  const auto same = [&](const Known& known) { return known.event == event; };
  const auto known = std::find_if(remembered_.begin(), remembered_.end(), same);
  if (can_set_aside && known != remembered_.end() && accepted_ > known->accepted) {
    remembered_.erase(known);
    return Step::set_aside;
  }
  if (known != remembered_.end()) remembered_.erase(known);
  remember(event);
  // A 500 is no word about the event: hold, and let the others go first next time.
  if (!can_set_aside) return Step::stay_away;
  ++in_a_row_;
  if (in_a_row_ >= kMaxRefusedInARow) is_probing_ = true;
  return is_probing_ ? Step::stay_away : Step::suspect;
}

void Refusals::accepted() {
  ++accepted_;
  in_a_row_ = 0;
  is_probing_ = false;
}

void Refusals::remember(const outbox::EventRef& event) {
  if (remembered_.size() == kMaxRemembered) remembered_.pop_front();
  remembered_.push_back({event, accepted_});
}

void Refusals::forget(const outbox::EventRef& event) {
  std::erase_if(remembered_, [&](const Known& known) { return known.event == event; });
}

bool Refusals::is_remembered(const outbox::EventRef& event) const {
  return std::any_of(remembered_.begin(), remembered_.end(),
                     [&](const Known& known) { return known.event == event; });
}

}  // namespace berm::uplink
