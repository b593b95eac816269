// SPDX-License-Identifier: Apache-2.0
// PeriodGrid: the one place that aligns periods to the wall clock. Used by LaneEngine, one per
// driver.
//
// Periods follow one another without hole in monotonic time; each gets its wall start when it
// begins.
//   - clock known: it ends at the next multiple of period_s since 1970 UTC, by the offset in force;
//   - clock unknown: it has its real length and the flag `unaligned`; so has the shorter one that
//     bridges to the first boundary once the clock is known; the one in which it becomes known is
//     a second longer;
//   - a step forward: the running period keeps its start and length; the next one is such a bridge;
//   - a step backward: the same; where its start lies in time already reported, periods are
//     period_s + n seconds long (n-th such step of this node, 1…60) until fresh time begins: no
//     (start, period_s) is made twice in a node's life (UsedSpans and n are in the checkpoint).
//     A life that begins without a clock after another is such a step: what its time will turn out
//     to be may have been reported;
//   - a drift up to 0.5 s over a period is no step: the period absorbs it;
//   - a restart within the saved period: it goes on, `interrupted`, the hole unseen. Later: it is
//     given back as interrupted, and the stretch up to the first period of this life as missed
//     ones, singly for 24 h, the rest in one record.
// Loop thread; a plain value. All times are µs; at most kMaxOpenPeriods are open (asserted).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drivers/traffic/flags.hpp"
#include "drivers/traffic/limits.hpp"
#include "drivers/traffic/used_spans.hpp"
#include "hal/base/time.hpp"
#include "hal/clock.hpp"

namespace berm::drivers::traffic {

// Both clocks at one instant.
struct Moment {
  std::int64_t mono_us = 0;
  std::int64_t wall_us = 0;  // a best estimate where `source` is none
  ClockSource source = ClockSource::none;

  static Moment of(const hal::Clock& clock) {
    const hal::WallReading wall = clock.wall();
    return {us_of(clock.mono()), us_of(wall.time), wall.source};
  }
  bool is_known() const { return source != ClockSource::none; }
  // By the offset in force now.
  std::int64_t wall_at(std::int64_t mono) const { return wall_us - (mono_us - mono); }
};

struct GridPeriod {
  std::int64_t start_us = 0;  // monotonic
  std::int64_t end_us = 0;
  std::int64_t label_us = 0;  // wall start; an estimate where `source` is none
  std::int64_t label_end_us = 0;
  std::int64_t unseen_us = 0;  // nobody there, or the input down
  ClockSource source = ClockSource::none;
  Flags flags;
  bool is_foreign = false;  // of an earlier boot: its label is final

  std::int64_t length_us() const { return end_us - start_us; }
  std::int64_t period_s() const;
  // µs of it that lie in [from, to).
  std::int64_t overlap_us(std::int64_t from_us, std::int64_t to_us) const;
};

// A stretch of wall time in which nobody was there. `until_s` is empty while the clock is unknown.
struct Missed {
  std::int64_t from_s = 0;
  std::int64_t origin_s = 0;  // where it began; from_s moves on as it is reported
  std::optional<std::int64_t> until_s;
};

class PeriodGrid {
 public:
  // What is left of an earlier life.
  struct Saved {
    std::string boot_id;
    Moment seen;  // until when that life saw
    std::int64_t period_s = 0;
    std::vector<GridPeriod> open;
    UsedSpans used;
    std::uint32_t backward_steps = 0;
    std::vector<Missed> missed;

    void encode(ByteWriter& writer) const;
    bool decode(ByteReader& reader);
  };
  struct Begun {
    std::vector<GridPeriod> interrupted;  // of `Saved::open`, the first ones
    bool is_resumed = false;              // the one after them goes on
  };

  explicit PeriodGrid(std::int64_t period_s) : period_us_(period_s * kSecondUs) {}

  // Once, before all else. `saved` may be null.
  Begun begin(const Moment& now, const std::string& boot_id, const Saved* saved);
  // Opens the period after the newest.
  void open_next(const Moment& now);
  void close_oldest();

  std::size_t size() const { return size_; }
  bool is_full() const { return size_ == kMaxOpenPeriods; }
  // 0 = the oldest open one; `slot` is its place in a lane's array of kMaxOpenPeriods.
  const GridPeriod& at(std::size_t i) const { return open_[(first_ + i) % kMaxOpenPeriods]; }
  std::size_t slot(std::size_t i) const { return (first_ + i) % kMaxOpenPeriods; }
  const GridPeriod& oldest() const { return at(0); }
  const GridPeriod& newest() const { return at(size_ - 1); }
  // The oldest as it is to be reported now. One that ended before the clock was known, and is
  // reported with the true time, could be one that left with an estimate: it is set apart.
  GridPeriod oldest_to_report(const Moment& now) const;
  // Which open period `mono_us` falls in (0 if before all of them).
  std::size_t index_of(std::int64_t mono_us) const;
  void add_unseen(std::int64_t from_us, std::int64_t to_us, Flags why);

  // The wall start of a period about to be reported; empty where nobody vouches for one. Marks it
  // used.
  std::optional<std::int64_t> reported_start_us(const GridPeriod& period, const Moment& now);
  // The next missed period, if any is known to be missed.
  std::optional<GridPeriod> next_missed();
  bool has_missed() const;

  Saved save(const Moment& now, const std::string& boot_id) const;

 private:
  GridPeriod& push(const GridPeriod& period);
  void begin_fresh(const Moment& now);
  bool resume(GridPeriod period, const Moment& now, const Saved& saved, bool is_same_boot);
  GridPeriod interrupted(GridPeriod period, const Moment& now, const Saved& saved,
                         bool is_same_boot) const;
  void miss_after(const GridPeriod& period, bool is_same_boot);
  void add_missed(Missed missed);
  void find_missed_end(const Moment& now);
  std::int64_t floor_to_period(std::int64_t wall_us) const;
  static void set_apart(GridPeriod& period);
  std::int64_t longer_s(std::uint32_t least) const;
  void set_label_end(GridPeriod& period, bool is_known);
  void mark_used(std::int64_t label_us, std::int64_t label_end_us);

  std::int64_t period_us_;
  std::array<GridPeriod, kMaxOpenPeriods> open_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  UsedSpans used_;
  std::uint32_t backward_steps_ = 0;
  std::vector<Missed> missed_;
  std::optional<std::int64_t> missed_from_us_;  // monotonic, this boot; wall time not yet known
  std::int64_t life_start_us_ = 0;              // of this life's first period, monotonic
  std::optional<std::int64_t> life_start_s_;    // its wall start, once known
  ClockSource known_by_ = ClockSource::none;
};

}  // namespace berm::drivers::traffic
