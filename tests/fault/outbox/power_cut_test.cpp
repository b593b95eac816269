// SPDX-License-Identifier: Apache-2.0
// Promises outbox-1 to 3 under power cuts at any operation of the disk, unsynced sectors lost at
// random: what was acknowledged is there, repeats have the same bytes, sequences have no
// unexplained hole, and an ordinary power cut is never taken for damage.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed * 7919), bed_(seed), account_("flume") {
    bed_.options.keep_delivered_s = 120;
  }

  // One stretch of life that ends with a power cut at an operation within the next `within`.
  void live(std::uint64_t within) {
    bool is_cut = false;
    const std::uint64_t end = bed_.disk().volume().operations() + 1 + random_.below(within);
    bed_.disk().volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
      if (is_cut || number < end) return;
      is_cut = true;
      bed_.disk().volume().power_cut(random_);
    });
    if (bed_.open()) {
      for (int step = 0; step < 400 && !is_cut; ++step) act(is_cut);
    }
    bed_.disk().volume().observe({});
    bed_.power_cut();
  }

  void finish() {
    const auto opened = bed_.open();
    ASSERT_TRUE(opened) << opened.error().text;
    for (const event::Event& event : bed_.drain(0)) receive(event);
    EXPECT_EQ(account_.fault(), "");
    EXPECT_FALSE(bed_.alarms().ever.contains("outbox_damaged/outbox"));
    for (const std::string& lane : acknowledged_) {
      EXPECT_TRUE(received_.contains(lane)) << lane << " was acknowledged and is lost";
    }
  }
  std::size_t acknowledged() const { return acknowledged_.size(); }

 private:
  void act(const bool& is_cut) {
    switch (random_.below(6)) {
      case 0:
      case 1:
      case 2:
        return append();
      case 3:
        bed_.run_for(Milliseconds{static_cast<std::int64_t>(random_.below(70000))});
        return;
      default:
        return deliver(is_cut);
    }
  }

  void append() {
    const auto events = 1 + random_.below(20);
    for (std::uint64_t i = 0; i < events; ++i) {
      const std::string lane = "L" + std::to_string(++lanes_);
      const hal::WallReading wall = bed_.clock().wall();
      bed_.append(drivers::LanePeriod{.start = {bed_.clock().mono(), wall.time, wall.source},
                                      .uid = 1,
                                      .lane = lane,
                                      .count = 1},
                  [this, lane] { acknowledged_.insert(lane); });
    }
    bed_.outbox().checkpoint("e19", std::to_string(lanes_));
    bed_.run_for(Seconds{2});
  }

  void deliver(const bool& is_cut) {
    const auto batch = bed_.take(0, {.max_events = 1 + random_.below(60)});
    // What is taken may have been sent before the power went.
    if (!batch || batch->events.empty()) return;
    for (const event::Event& event : batch->events) receive(event);
    if (!is_cut && random_.below(4) != 0) bed_.settle(0, batch->events);
  }

  void receive(const event::Event& event) {
    account_.receive(event);
    if (event.schema->name == "traffic.lane") received_.insert(field_of(event, "lane"));
  }

  hal::SimRandom random_;
  OutboxBed bed_;
  OutboxAccount account_;
  std::set<std::string> acknowledged_;
  std::set<std::string> received_;
  int lanes_ = 0;
};

TEST(OutboxPowerCut, AtAnyOperationLosesNothingAcknowledged) {
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    for (int cut = 0; cut < 8; ++cut) life.live(cut == 0 ? 1000 : 300);
    life.finish();
    acknowledged += life.acknowledged();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(acknowledged, 2000u) << "the lives were too short to show anything";
}

TEST(OutboxPowerCut, DuringTheVeryFirstOpenLeavesNothingThatStopsTheNext) {
  for (std::uint64_t operation = 0; operation < 120; ++operation) {
    SCOPED_TRACE("operation " + std::to_string(operation));
    OutboxBed bed(operation + 1);
    bool is_cut = false;
    bed.disk().volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
      if (is_cut || number < operation) return;
      is_cut = true;
      bed.disk().volume().power_cut(bed.random());
    });
    const bool was_opened = bed.open().has_value();
    bed.disk().volume().observe({});
    bed.power_cut();
    const auto opened = bed.open();
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_FALSE(bed.alarms().ever.contains("outbox_damaged/outbox"));
    bed.append_lane(1);
    bed.run_for(Seconds{2});
    EXPECT_EQ(only(bed.drain(0), "traffic.lane").size(), 1u);
    if (was_opened && !is_cut) break;  // all operations of an open have had their turn
  }
}

// The process ends because a sync failed. The next one sees what that sync did not bring to the
// medium, and commits behind it.
TEST(OutboxPowerCut, AfterAFailedSyncAndARestartLosesNothingAcknowledged) {
  int met = 0;
  for (std::uint64_t n = 0; n < 24; ++n) {
    SCOPED_TRACE("sync number " + std::to_string(n));
    OutboxBed bed(n + 1);
    ASSERT_TRUE(bed.open());
    std::int64_t acknowledged = 0;
    bed.append_lane(1, [&] { ++acknowledged; });
    bed.run_for(Seconds{2});
    if (n % 2 == 0) bed.close();
    hal::SimVolume& volume = bed.disk().volume();
    const std::uint64_t before = volume.operations(hal::DiskOperation::sync);
    volume.inject({.operation = hal::DiskOperation::sync, .let_pass = n / 2});
    if (n % 2 != 0 || bed.open()) {
      bed.append_lane(1, [&] { ++acknowledged; });
      bed.run_for(Milliseconds{1500});
    }
    if (volume.operations(hal::DiskOperation::sync) - before > n / 2) ++met;
    volume.clear_faults();
    bed.kill();
    ASSERT_TRUE(bed.open());
    for (int i = 0; i < 5; ++i) {
      bed.append_lane(1, [&] { ++acknowledged; });
      bed.run_for(Seconds{2});
    }
    bed.power_cut();
    ASSERT_TRUE(bed.open());
    EXPECT_FALSE(bed.alarms().ever.contains("outbox_damaged/outbox"));
    EXPECT_GE(static_cast<std::int64_t>(only(bed.drain(0), "traffic.lane").size()), acknowledged);
  }
  EXPECT_GT(met, 4) << "the faults came too late";
}

}  // namespace
}  // namespace berm::test
