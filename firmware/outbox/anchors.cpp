// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/anchors.hpp"

#include <algorithm>

#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/ledger.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/sql.hpp"

namespace berm::outbox {
namespace {

constexpr std::int64_t kUsPerSecond = 1'000'000;

std::int64_t seconds_of(std::int64_t wall_us) {
  return s_of(WallTime{Microseconds{wall_us}});
}
std::int64_t milliseconds_of(std::int64_t wall_us) {
  return ms_of(WallTime{Microseconds{wall_us}});
}

}  // namespace

Timing timing_of(const Record& record, const std::optional<Anchor>& anchor) {
  Timing timing;
  const std::int64_t offset = anchor ? anchor->offset() : 0;
  timing.wall_us = record.wall_us.value_or(record.mono_us + offset);
  timing.clock = record.wall_us ? record.clock : anchor ? anchor->source : ClockSource::none;
  if (record.made_wall_us) {
    timing.made_ms = milliseconds_of(*record.made_wall_us);
  } else if (anchor && anchor->source != ClockSource::none) {
    timing.made_ms = milliseconds_of(record.made_mono_us + offset);
  }
  return timing;
}

std::optional<Anchors::Known> Anchors::known() const {
  const hal::WallReading wall = core_.clock.wall();
  if (wall.source == ClockSource::none) return std::nullopt;
  return Known{us_of(core_.clock.mono()), wall};
}

// The boot's anchor is a known one and still says what the clock says.
bool Anchors::is_fresh(const Known& now) const {
  const auto& anchor = core_.books.anchor;
  if (!anchor || anchor->source == ClockSource::none) return false;
  const std::int64_t error = anchor->offset() - (us_of(now.wall.time) - now.mono_us);
  return std::abs(error) <= kClockStep.count();
}

Result<Anchor> Anchors::store(Anchor anchor) {
  BERM_TRY(const auto id,
           core_.tables.number(sql::kInsertAnchor, anchor.boot, anchor.mono_us, anchor.wall_us,
                               static_cast<std::int64_t>(anchor.source)));
  anchor.id = id.value_or(0);
  if (anchor.boot == core_.books.boot) {
    if (anchor.source == ClockSource::none) core_.books.has_estimate = true;
    core_.books.anchor = anchor;
  }
  return anchor;
}

// The anchor for events of this boot; empty: the clock is not known and nothing was estimated yet.
Result<std::optional<Anchor>> Anchors::usable() {
  if (const auto now = known(); now && !is_fresh(*now)) {
    BERM_TRY(const Anchor anchor, store(Anchor{.boot = core_.books.boot,
                                               .mono_us = now->mono_us,
                                               .wall_us = us_of(now->wall.time),
                                               .source = now->wall.source}));
    return std::optional(anchor);
  }
  return core_.books.anchor;
}

Result<void> Anchors::settle_new(std::span<const Record> records, SegmentRow& row) {
  const bool needs_anchor =
      std::ranges::any_of(records, [](const Record& record) { return !record.wall_us; });
  std::optional<Anchor> anchor;
  row.anchor = 0;
  if (needs_anchor) {
    BERM_TRY(anchor, usable());
    row.anchor = anchor ? std::optional(anchor->id) : std::nullopt;
    if (!anchor) {
      core_.books.has_unsettled = true;
      return {};
    }
  }
  const Record& newest = records.back();
  const Timing timing = timing_of(newest, anchor);
  row.made_s = timing.made_ms ? *timing.made_ms / 1000
               : anchor       ? seconds_of(newest.made_mono_us + anchor->offset())
                              : seconds_of(timing.wall_us);
  return {};
}

// Has the oldest of them waited long enough? Of an earlier boot nobody knows how long; this boot's
// length counts.
bool Anchors::is_held(const UnsettledBoot& waiting) const {
  const std::int64_t since = waiting.boot == core_.books.boot ? waiting.made_first : 0;
  const std::int64_t now = us_of(core_.clock.mono());
  return now - since < core_.options.hold_for_clock_s * kUsPerSecond;
}

Result<bool> Anchors::can_settle() {
  if (!core_.books.has_unsettled) return false;
  if (known()) return true;
  if (core_.books.anchor) return true;
  BERM_TRY(const auto boots, core_.tables.unsettled_boots());
  return std::ranges::any_of(boots, [this](const auto& boot) { return !is_held(boot); });
}

Result<std::int64_t> Anchors::newest_wall_us() {
  BERM_TRY(const auto anchored, core_.tables.number(sql::kSelectNewestWall));
  std::int64_t newest = anchored.value_or(0);
  for (const Series& series : core_.books.series) {
    BERM_TRY(auto last, core_.tables.last_unmerged(series.id));
    // What waits for the clock itself says nothing about it; what came before does.
    while (last && !last->made_s && last->first_seq > 1) {
      BERM_TRY(last, core_.tables.last_segment(series.id, last->first_seq - 1));
    }
    if (last && last->made_s) newest = std::max(newest, *last->made_s * kUsPerSecond);
  }
  return newest;
}

Result<Anchor> Anchors::estimate_now() {
  BERM_TRY(const std::int64_t newest, newest_wall_us());
  const std::int64_t mono = us_of(core_.clock.mono());
  const std::int64_t shown = us_of(core_.clock.wall().time);
  return store(Anchor{.boot = core_.books.boot,
                      .mono_us = mono,
                      .wall_us = std::max(shown, newest + mono),
                      .source = ClockSource::none});
}

// `boot_end_us`: the wall time at which the boot in question ended at the latest, where that is
// known.
Result<std::optional<Anchor>> Anchors::anchor_for(const UnsettledBoot& waiting,
                                                  std::optional<std::int64_t>& boot_end_us) {
  if (waiting.boot == core_.books.boot) {
    BERM_TRY(std::optional<Anchor> anchor, usable());
    if (!anchor && !is_held(waiting)) {
      BERM_TRY(anchor, estimate_now());
    }
    return anchor;
  }
  BERM_TRY(const auto own, core_.tables.anchor(sql::kSelectBootAnchor, waiting.boot));
  if (own) return own;
  Anchor estimate{.boot = waiting.boot, .mono_us = waiting.made_last};
  if (boot_end_us) {
    estimate.wall_us = *boot_end_us;
  } else {
    if (is_held(waiting)) return std::optional<Anchor>();
    BERM_TRY(const std::int64_t newest, newest_wall_us());
    estimate.mono_us = waiting.mono_first;
    estimate.wall_us = newest;
  }
  BERM_TRY(const Anchor stored, store(estimate));
  boot_end_us = stored.offset();  // where that boot began, the one before it had ended
  return std::optional(stored);
}

Result<void> Anchors::settle_waiting() {
  BERM_TRY(const auto boots, core_.tables.unsettled_boots());
  std::optional<std::int64_t> boot_end_us;
  if (const auto now = known()) boot_end_us = us_of(now->wall.time) - now->mono_us;
  core_.books.has_unsettled = false;
  for (const UnsettledBoot& waiting : boots) {  // newest boot first
    BERM_TRY(const auto anchor, anchor_for(waiting, boot_end_us));
    if (!anchor) {
      core_.books.has_unsettled = true;
      continue;
    }
    BERM_CHECK(
        core_.tables.run(sql::kSettleSegments, {}, anchor->id, anchor->offset(), waiting.boot));
  }
  return {};
}

bool Anchors::must_correct() const {
  return core_.books.has_estimate && known().has_value();
}

Result<void> Anchors::correct() {
  BERM_TRY(const auto estimates, core_.tables.estimates(core_.books.boot));
  core_.books.has_estimate = false;
  if (estimates.empty()) return {};
  BERM_TRY(const auto truth, usable());
  if (!truth || truth->source == ClockSource::none) return {};
  for (const Anchor& estimate : estimates) BERM_CHECK(correct(estimate, *truth));
  return {};
}

Result<void> Anchors::correct(const Anchor& estimate, const Anchor& truth) {
  const std::int64_t offset_us = truth.offset() - estimate.offset();
  std::vector<event::Draft> events;
  for (const Series& series : core_.books.series) {
    BERM_TRY(const RangeSet ranges, uses(series, estimate));
    if (ranges.is_empty()) continue;
    events.push_back(clock_event(core_.clock.boot_id(), offset_us / 1000, series.schema->name,
                                 ranges.to_text(), core_.clock));
  }
  BERM_CHECK(Commit(core_).write(events));
  return core_.tables.run(sql::kCorrectAnchor, {}, estimate.id, truth.id);
}

// The sequences of a series whose time comes from this anchor; they are among those of this boot.
Result<RangeSet> Anchors::uses(const Series& series, const Anchor& anchor) {
  RangeSet ranges;
  std::int64_t up_to = series.next_seq - 1;
  while (up_to >= 1) {
    BERM_TRY(const auto row, core_.tables.last_segment(series.id, up_to));
    if (!row || row->boot != anchor.boot) break;
    if (row->anchor == anchor.id) ranges.add(Range{row->first_seq, row->last_seq});
    up_to = row->first_seq - 1;
  }
  return ranges;
}

Result<std::optional<Anchor>> Anchors::find(std::int64_t id) {
  if (id == 0) return std::optional<Anchor>();
  if (core_.books.anchor && core_.books.anchor->id == id) return core_.books.anchor;
  return core_.tables.anchor(sql::kSelectAnchor, id);
}

}  // namespace berm::outbox
