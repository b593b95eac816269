// SPDX-License-Identifier: Apache-2.0
// Promise outbox-5: periods become longer ones before a vehicle is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

constexpr std::int64_t kVeryFull = 256 << 10;  // two thirds of a day of four lanes

struct Period {
  std::int64_t begin_s = 0, length_s = 0, count = 0;
};

// A road with lanes that end their minutes together, and what became of them.
class Road {
 public:
  explicit Road(std::uint64_t seed = 1) : bed(seed) {
    bed.options.max_bytes = kVeryFull;
    bed.clock().set_source(ClockSource::ntp);
  }
  void minutes(int many, int lanes = 4) {
    for (int i = 0; i < many; ++i) {
      for (int lane = 0; lane < lanes; ++lane) append(lane);
      bed.run_for(Seconds{period_s});
    }
  }
  void days(int many, int lanes = 4) { minutes(many * 86400 / static_cast<int>(period_s), lanes); }
  void append(int lane) {
    const hal::WallReading wall = bed.clock().wall();
    drivers::LanePeriod period{.start = {bed.clock().mono(), wall.time, wall.source},
                               .uid = 92301 + lane,
                               .lane = "R1" + std::to_string(lane),
                               .period_s = period_s};
    if (!bed.does_know_time) period.start.wall.reset();
    const auto draw = [this](std::uint64_t end) {
      return static_cast<std::int64_t>(bed.random().below(end));
    };
    period.count = 0;
    period.unclassified_count = 0;
    for (auto& one : period.classes) {
      one.count = one.speed_count = draw(4) == 0 ? draw(12) : 0;
      *period.count += *one.count;
      if (*one.count == 0) continue;
      one.speed_kmh = static_cast<double>(7000 + draw(5000)) / 100;
      one.speed_harmonic_kmh = *one.speed_kmh - 1;
    }
    period.occupancy_percent = static_cast<double>(draw(3000)) / 100;
    period.availability_percent = 100.0;
    period.coverage = 1.0;
    period.valid = 0;
    period.defect = 0;
    const std::int64_t count = *period.count;
    if (bed.append(period, [this, count] { acknowledged += count; })) produced += count;
    truth[92301 + lane][s_of(wall.time)] = count;
  }
  // Takes everything and looks at it as a consumer would.
  void drain(outbox::UplinkIndex uplink = 0) {
    for (const event::Event& event : bed.drain(uplink)) receive(event);
  }
  void receive(const event::Event& event) {
    account.receive(event);
    if (event.schema->name == "node.gap" && field_of(event, "cause") == "merged") {
      merged_of.insert(field_of(event, "of"));
      EXPECT_EQ(field_of(event, "vehicles"), "0");
    }
    if (event.schema->name == "node.gap" && field_of(event, "cause") == "full") {
      ++drops[field_of(event, "of")];
    }
    if (event.schema->name != "traffic.lane") return;
    const Period period{event.time_s, std::stoll(field_of(event, "period_s")),
                        std::stoll(field_of(event, "count"))};
    periods[std::stoll(field_of(event, "uid"))].push_back(period);
  }
  // Each lane's periods follow one another, and each counts what its minutes counted.
  void expect_exact() {
    EXPECT_EQ(account.fault(), "");
    EXPECT_EQ(account.vehicles_received(), produced);
    EXPECT_EQ(account.vehicles_in_gaps(), 0);
    for (auto& [uid, all] : periods) {
      std::ranges::sort(all, {}, &Period::begin_s);
      const auto& minutes = truth[uid];
      ASSERT_FALSE(minutes.empty());
      std::int64_t next_s = minutes.begin()->first;
      for (const Period& period : all) {
        ASSERT_EQ(period.begin_s, next_s) << "uid " << uid;
        next_s += period.length_s;
        std::int64_t count = 0;
        for (auto it = minutes.lower_bound(period.begin_s);
             it != minutes.end() && it->first < next_s; ++it) {
          count += it->second;
        }
        ASSERT_EQ(period.count, count) << "uid " << uid << " at " << period.begin_s;
      }
      EXPECT_EQ(next_s, minutes.rbegin()->first + period_s);
    }
  }
  std::int64_t longest() const {
    std::int64_t longest = 0;
    for (const auto& [uid, all] : periods) {
      for (const Period& one : all) longest = std::max(longest, one.length_s);
    }
    return longest;
  }
  std::size_t rows() const {
    std::size_t rows = 0;
    for (const auto& [uid, all] : periods) rows += all.size();
    return rows;
  }
  OutboxBed bed;
  OutboxAccount account{"flume"};
  std::int64_t period_s = 60;
  std::int64_t produced = 0;
  std::int64_t acknowledged = 0;
  std::map<std::int64_t, std::map<std::int64_t, std::int64_t>> truth;  // [uid][begin]: count
  std::map<std::int64_t, std::vector<Period>> periods;                 // received, [uid]
  std::set<std::string> merged_of;
  std::map<std::string, int> drops;
};

TEST(OutboxConserve, MinutesBecomeQuarterHoursAndEveryVehicleIsStillCounted) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  road.days(2);
  const Status status = road.bed.outbox().status();
  EXPECT_LE(status.integer("disk_bytes"), kVeryFull);
  EXPECT_GT(status.integer("merged_events"), 0);
  EXPECT_GT(status.integer("merged_events"), 10 * status.integer("merged_into"));
  road.drain();
  road.expect_exact();
  EXPECT_TRUE(road.merged_of.contains("traffic.lane"));
  EXPECT_GE(road.longest(), 900);
  for (auto& [uid, all] : road.periods) EXPECT_EQ(all.back().length_s, 60) << "the newest stay";
  EXPECT_EQ(road.bed.outbox().waiting(0), 0);
}

TEST(OutboxConserve, CivilDaysOfTheZoneComeLastAndHave23HoursInSpring) {
  Road road;
  auto zone = TimeZone::from_rule("CET-1CEST,M3.5.0,M10.5.0/3");
  ASSERT_TRUE(zone);
  road.bed.options.zone = *zone;
  road.period_s = 900;
  road.bed.clock().step(Seconds{62 * 86400});  // 18 March 2027
  ASSERT_TRUE(road.bed.open());
  road.days(25, 4);
  road.drain();
  road.expect_exact();
  std::set<std::int64_t> lengths;
  for (const Period& one : road.periods[92301]) {
    lengths.insert(one.length_s);
    if (one.length_s < 80000) continue;
    EXPECT_EQ(zone->part_begin_s(one.begin_s, 86400), one.begin_s);
  }
  EXPECT_TRUE(lengths.contains(86400));
  EXPECT_TRUE(lengths.contains(82800)) << "28 March 2027";
}

TEST(OutboxConserve, WhatWasOfferedIsNeverMerged) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  road.minutes(600);
  const auto batch = road.bed.take(0, {.max_events = 50});
  ASSERT_TRUE(batch);
  std::map<std::string, std::string> lines;
  for (const event::Event& event : batch->events) lines[id_of(event)] = event.line;
  road.bed.settle(0, batch->events, outbox::Settlement::returned);
  road.days(2);
  for (const event::Event& event : road.bed.drain(0)) {
    road.receive(event);
    const std::string id = id_of(event);
    if (lines.contains(id)) {
      EXPECT_EQ(lines[id], event.line);
    }
  }
  EXPECT_TRUE(road.merged_of.contains("traffic.lane"));
  road.expect_exact();
  for (const auto& [id, line] : lines) EXPECT_TRUE(road.account.has(id)) << id;
}

TEST(OutboxConserve, AnUplinkThatHearsEverythingLeavesNothingToMerge) {
  Road road;
  road.bed.options.uplinks = {{.name = "flume"}, {.name = "broker"}};
  ASSERT_TRUE(road.bed.open());
  for (int hour = 0; hour < 24; ++hour) {
    road.minutes(60);
    road.drain();
  }
  road.expect_exact();
  EXPECT_EQ(road.merged_of.size(), 0u);
  EXPECT_EQ(road.longest(), 60);
}

TEST(OutboxConserve, NewestFirstLeavesTheBacklogMergeable) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  road.minutes(300);
  const auto batch = road.bed.take(0, {.max_events = 4});
  ASSERT_TRUE(batch);
  for (const event::Event& event : batch->events) road.receive(event);
  road.bed.settle(0, batch->events);
  road.days(2);
  road.drain();
  road.expect_exact();
  EXPECT_GE(road.longest(), 900);
}

TEST(OutboxConserve, PassagesFoldIntoNothingBeforeAnyPeriodIsTouched) {
  for (const auto policy : {event::WhenFull::oldest, event::WhenFull::conserve}) {
    Road road;
    road.bed.options.policies = {
        {.stream = "traffic.vehicle", .group_ms = 60000, .when_full = policy}};
    ASSERT_TRUE(road.bed.open());
    for (int i = 0; i < 720; ++i) {
      for (int n = 0; n < 20; ++n) {
        const hal::WallReading wall = road.bed.clock().wall();
        const auto draw = [&](std::uint64_t end) {
          return static_cast<double>(road.bed.random().below(end));
        };
        road.bed.append(drivers::VehiclePassage{
            .leading_edge = {road.bed.clock().mono(), wall.time, wall.source},
            .uid = 92301,
            .lane = "R10",
            .speed_kmh = draw(20000) / 100,
            .length_m = draw(2000) / 100,
            .length_class = 2,
            .on_ms = static_cast<std::int64_t>(draw(5000)),
            .headway_ms = static_cast<std::int64_t>(draw(90000)),
            .gap_ms = static_cast<std::int64_t>(draw(90000))});
      }
      road.minutes(1, 1);
    }
    road.drain();
    road.expect_exact();
    EXPECT_EQ(road.longest(), 60) << "no period was touched";
    EXPECT_EQ(road.drops.contains("traffic.lane"), false);
    const bool is_conserved = policy == event::WhenFull::conserve;
    EXPECT_EQ(road.merged_of.contains("traffic.vehicle"), is_conserved);
    EXPECT_EQ(road.drops.contains("traffic.vehicle"), !is_conserved);
  }
}

TEST(OutboxConserve, StreamsThatAreNotConservedLoseWhatIsOlderThanTheMinutes) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  for (int i = 0; i < 3 * 1440; ++i) {
    road.bed.append_row("position");
    road.minutes(1, 2);
  }
  road.drain();
  road.expect_exact();
  EXPECT_TRUE(road.drops.contains("position"));
  EXPECT_TRUE(road.merged_of.contains("traffic.lane"));
}

TEST(OutboxConserve, NullIsMergedAsNullAndAMissedMinuteLowersTheCoverage) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  for (int day = 0; day < 2; ++day) {
    for (int i = 0; i < 1440; ++i) {
      const hal::WallReading wall = road.bed.clock().wall();
      drivers::LanePeriod missed{.start = {road.bed.clock().mono(), wall.time, wall.source},
                                 .uid = 5,
                                 .lane = "X",
                                 .coverage = 0.0,
                                 .flags = "missed"};
      drivers::LanePeriod seen = missed;
      seen.uid = 6;
      if (i % 15 != 3) {
        seen.count = 2;
        seen.coverage = 1.0;
        seen.flags = "";
      }
      road.bed.append(missed);
      road.bed.append(seen);
      road.minutes(1, 2);
    }
  }
  int nulls = 0;
  int quarters = 0;
  for (const event::Event& event : road.bed.drain(0)) {
    if (field_of(event, "period_s") != "900") continue;
    if (field_of(event, "uid") == "5") {
      EXPECT_EQ(field_of(event, "count"), "null");
      EXPECT_EQ(std::stod(field_of(event, "coverage")), 0.0);
      ++nulls;
    } else if (field_of(event, "uid") == "6") {
      EXPECT_EQ(field_of(event, "count"), "28");
      EXPECT_NEAR(std::stod(field_of(event, "coverage")), 14.0 / 15, 0.0001);
      EXPECT_EQ(field_of(event, "flags"), "missed");
      ++quarters;
    }
  }
  EXPECT_GT(nulls, 10);
  EXPECT_GT(quarters, 10);
}

TEST(OutboxConserve, AHoleInTimeIsNeverCoveredByAMergedPeriod) {
  Road road;
  ASSERT_TRUE(road.bed.open());
  for (int i = 0; i < 2 * 1440; ++i) {
    if (i % 100 == 50) {
      road.bed.run_for(Seconds{60});
    } else {
      road.minutes(1);
    }
  }
  road.drain();
  EXPECT_EQ(road.account.fault(), "");
  EXPECT_EQ(road.account.vehicles_received(), road.produced);
  for (auto& [uid, all] : road.periods) {
    for (const Period& period : all) {
      const auto& minutes = road.truth[uid];
      for (std::int64_t s = period.begin_s; s < period.begin_s + period.length_s; s += 60) {
        ASSERT_TRUE(minutes.contains(s)) << s;
      }
    }
  }
}

TEST(OutboxConserve, WithoutAClockItMergesByItsEstimate) {
  Road road;
  road.bed.options.hold_for_clock_s = 600;
  road.bed.does_know_time = false;
  road.bed.clock().set_source(ClockSource::none);
  ASSERT_TRUE(road.bed.open());
  road.days(2);
  road.bed.clock().set_source(ClockSource::ntp);
  road.bed.run_for(Seconds{120});
  road.drain();
  EXPECT_EQ(road.account.fault(), "");
  EXPECT_EQ(road.account.vehicles_received(), road.produced);
  EXPECT_GE(road.longest(), 900);
}

TEST(OutboxConserve, OldSmallRowsAreJoinedAndNoByteChanges) {
  Road road;
  Road other;  // delivers at once: what the lines are
  road.bed.options.max_bytes = other.bed.options.max_bytes = 1 << 26;
  ASSERT_TRUE(road.bed.open());
  ASSERT_TRUE(other.bed.open());
  std::vector<std::string> tails;
  const auto tail_of = [](const event::Event& event) {
    return event.line.substr(event.line.find("\"stream\""));
  };
  for (int hour = 0; hour < 12; ++hour) {
    road.minutes(60);
    other.minutes(60);
    for (const event::Event& event : only(other.bed.drain(0), "traffic.lane")) {
      tails.push_back(tail_of(event));
    }
  }
  std::vector<std::string> joined;
  const std::int64_t disk = road.bed.outbox().status().integer("disk_bytes");
  for (const event::Event& event : only(road.bed.drain(0), "traffic.lane")) {
    joined.push_back(tail_of(event));
  }
  EXPECT_EQ(joined, tails);
  EXPECT_LT(disk - other.bed.outbox().status().integer("disk_bytes"), 0)
      << "rows of what was delivered are not joined";
}

TEST(OutboxConserve, APowerCutAtAnyTimeLosesNoVehicle) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Road road(seed);
    hal::SimRandom random(seed * 31);
    ASSERT_TRUE(road.bed.open());
    for (int life = 0; life < 8; ++life) {
      bool is_cut = false;
      const std::uint64_t end = road.bed.disk().volume().operations() + 1 + random.below(20000);
      road.bed.disk().volume().observe([&](std::uint64_t n, hal::DiskOperation, std::string_view) {
        if (is_cut || n < end) return;
        is_cut = true;
        road.bed.disk().volume().power_cut(random);
      });
      for (int i = 0; i < 1000 && !is_cut; ++i) road.minutes(1);
      road.bed.disk().volume().observe({});
      road.bed.power_cut();
      const auto opened = road.bed.open();
      ASSERT_TRUE(opened) << opened.error().text;
    }
    road.drain();
    EXPECT_EQ(road.account.fault(), "");
    EXPECT_TRUE(road.merged_of.contains("traffic.lane"));
    EXPECT_GE(road.account.vehicles_received(), road.acknowledged);
    EXPECT_LE(road.account.vehicles_received(), road.produced);
    EXPECT_EQ(road.account.vehicles_in_gaps(), 0);
    EXPECT_FALSE(road.bed.alarms().ever.contains("outbox_damaged/outbox"));
  }
}

TEST(OutboxConserve, OnAFileSystemThatIsReallyFullItMergesToo) {
  Road road;
  road.bed.options.max_bytes = 1 << 26;
  ASSERT_TRUE(road.bed.open());
  road.days(1);
  road.bed.disk().volume().set_capacity(road.bed.disk().volume().used() + 50'000);
  road.days(1);
  EXPECT_EQ(road.acknowledged, road.produced) << "it goes on committing";
  EXPECT_GT(road.bed.outbox().status().integer("merged_events"), 0);
  road.bed.disk().volume().set_capacity(std::uint64_t{1} << 30);
  road.bed.run_for(Seconds{120});
  road.drain();
  road.expect_exact();
}

TEST(OutboxConserve, GroupsWithARangeAreStretchedWithinItBeyondTheBudgetOfWrites) {
  std::int64_t commits[2] = {0, 0};
  for (const bool has_budget : {false, true}) {
    Road road;
    road.bed.options.max_bytes = 1 << 26;
    if (has_budget) road.bed.options.write_budget_day_bytes = 4 << 20;
    road.bed.options.policies = {
        {.stream = "position", .group_ms = 1000, .stretched_ms = 30000},
        {.stream = "weather", .group_ms = 1000},
    };
    ASSERT_TRUE(road.bed.open());
    for (int second = 0; second < 3600; ++second) {
      road.bed.append_row("position");
      road.bed.run_for(Seconds{1});
    }
    const Status status = road.bed.outbox().status();
    commits[has_budget ? 1 : 0] = status.integer("commits");
    EXPECT_EQ(status.integer("write_stretch") > 1, has_budget);
    EXPECT_GT(status.integer("written_bytes_day"), 0);
    // Not beyond what the policy allows a power cut to take.
    const std::int64_t before = status.integer("commits");
    road.bed.append_row("position");
    road.bed.run_for(Seconds{31});
    EXPECT_GT(road.bed.outbox().status().integer("commits"), before);
  }
  EXPECT_LT(commits[1] * 5, commits[0]);
}

// With BERM_SLOW in the environment the year and the 20 MB of the promise; else three days in
// proportion.
TEST(OutboxConserve, AYearWithoutAnybodyListeningStillHasEveryVehicleCounted) {
  const bool is_whole = std::getenv("BERM_SLOW") != nullptr;
  Road road;
  road.bed.options.max_bytes = is_whole ? 20 << 20 : 256 << 10;
  ASSERT_TRUE(road.bed.open());
  road.days(is_whole ? 365 : 3);
  EXPECT_LE(road.bed.outbox().status().integer("disk_bytes"), road.bed.options.max_bytes);
  EXPECT_EQ(road.acknowledged, road.produced);
  road.drain();
  road.expect_exact();
  EXPECT_EQ(road.drops.size(), 0u) << "nothing was dropped";
  RecordProperty("rows", static_cast<int>(road.rows()));
  RecordProperty("longest_s", static_cast<int>(road.longest()));
}

}  // namespace
}  // namespace berm::test
