// SPDX-License-Identifier: Apache-2.0
// Anchors: how events without wall time get it [outbox-7]. An anchor says that at `mono` of a boot
// it was `wall`; it is stored before the first event that uses it is offered.
//   - the clock becomes known: every waiting event of this boot takes the boot's anchor;
//   - hold_for_clock_s after the oldest waiting event was made: a best estimate, source none: the
//   later of
//     what the system's clock shows and the newest stored time + this boot's length; from then on
//     this boot's events do not wait any more;
//   - waiting events of an earlier boot: its own anchor; else, once the clock is known, as if that
//   boot
//     ended where the next one began (source none); else, after the hold, from the newest stored
//     time;
//   - the clock becomes known after an estimate was used: a node.clock event per stream with the
//   offset;
//     no byte changes.
// A step of the clock by more than kClockStep makes a new anchor for events to come.
// All calls inside an open transaction. Executor thread only.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "firmware/outbox/core.hpp"

namespace berm::outbox {

// An event's time as its line and headers have it.
struct Timing {
  std::int64_t wall_us = 0;
  ClockSource clock = ClockSource::none;
  std::optional<std::int64_t> made_ms;
};
Timing timing_of(const Record& record, const std::optional<Anchor>& anchor);

class Anchors {
 public:
  explicit Anchors(Core core) : core_(core) {}

  // Fills in `anchor` and `made_s` of a segment about to be written.
  Result<void> settle_new(std::span<const Record> records, SegmentRow& row);
  // Whether settle_waiting would change anything now. No transaction needed.
  Result<bool> can_settle();
  Result<void> settle_waiting();
  // Whether correct() has something to say. No transaction needed.
  bool must_correct() const;
  Result<void> correct();
  Result<std::optional<Anchor>> find(std::int64_t id);

 private:
  struct Known {
    std::int64_t mono_us;
    hal::WallReading wall;
  };
  std::optional<Known> known() const;
  bool is_fresh(const Known& now) const;
  Result<Anchor> store(Anchor anchor);
  Result<std::optional<Anchor>> usable();
  bool is_held(const UnsettledBoot& waiting) const;
  Result<std::optional<Anchor>> anchor_for(const UnsettledBoot& waiting,
                                           std::optional<std::int64_t>& boot_end_us);
  Result<Anchor> estimate_now();
  Result<std::int64_t> newest_wall_us();
  Result<void> correct(const Anchor& estimate, const Anchor& truth);
  Result<RangeSet> uses(const Series& series, const Anchor& anchor);
  Core core_;
};

}  // namespace berm::outbox
