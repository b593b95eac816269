// SPDX-License-Identifier: Apache-2.0
// What every PositionFeed promises, on each backend.
#include <gtest/gtest.h>

#include "tests/contract/position/bench.hpp"

namespace berm::hal::contract {
namespace {

class PositionContract : public testing::TestWithParam<PositionBackend> {
 protected:
  void open() {
    auto feed = bench_->feeds().open(bench_->address());
    ASSERT_TRUE(feed) << feed.error().text;
    feed_ = std::move(*feed);
    feed_->start([this](const PositionFix& fix) { fixes_.push_back(fix); },
                 [this](bool is_up, const std::string& reason) {
                   states_.push_back(is_up);
                   reason_ = reason;
                 });
  }
  bool is_up() const { return !states_.empty() && states_.back(); }
  void connect() {
    bench_->gpsd_starts();
    open();
    ASSERT_TRUE(bench_->run_until([this] { return is_up(); }));
  }

  std::unique_ptr<PositionBench> bench_ = GetParam().make();
  std::unique_ptr<PositionFeed> feed_;
  std::vector<PositionFix> fixes_;
  std::vector<bool> states_;
  std::string reason_;
};

TEST_P(PositionContract, TellsThatItIsUpNeverInsideStart) {
  bench_->gpsd_starts();
  open();
  EXPECT_TRUE(states_.empty());
  EXPECT_TRUE(bench_->run_until([this] { return is_up(); }));
  EXPECT_EQ(states_.size(), 1u);
  EXPECT_EQ(feed_->status().text("state"), "up");
}

TEST_P(PositionContract, HandsReportsOverInTheirOrder) {
  connect();
  const MonoTime before = bench_->loop().now();
  bench_->say_fix(51.25, 4.5);
  bench_->say_no_fix();
  bench_->say_fix(-51.5, -4.75);
  ASSERT_TRUE(bench_->run_until([this] { return fixes_.size() == 3; }));
  EXPECT_EQ(fixes_[0].mode, 3);
  EXPECT_EQ(fixes_[0].lat, 51.25);
  EXPECT_EQ(fixes_[0].lon, 4.5);
  EXPECT_EQ(fixes_[0].error_m, 4.0);
  EXPECT_FALSE(fixes_[0].speed_mps);
  EXPECT_FALSE(fixes_[0].gps_time);
  EXPECT_GE(fixes_[0].time, before);
  EXPECT_EQ(fixes_[1].mode, 1);
  EXPECT_FALSE(fixes_[1].lat);
  EXPECT_EQ(fixes_[2].lon, -4.75);
  EXPECT_GE(fixes_[2].time, fixes_[0].time);
}

TEST_P(PositionContract, TellsThatGpsdIsGoneAndComesBackByItself) {
  connect();
  bench_->gpsd_dies();
  ASSERT_TRUE(bench_->run_until([this] { return !is_up(); }));
  EXPECT_NE(reason_, "");
  EXPECT_EQ(feed_->status().text("state"), "down");
  bench_->gpsd_starts();
  ASSERT_TRUE(bench_->run_until([this] { return is_up(); }));
  EXPECT_EQ(states_, (std::vector<bool>{true, false, true}));
  bench_->say_fix(1.0, 2.0);
  EXPECT_TRUE(bench_->run_until([this] { return fixes_.size() == 1; }));
}

TEST_P(PositionContract, TellsThatGpsdIsNotThere) {
  bench_->gpsd_starts();
  bench_->gpsd_dies();
  open();
  ASSERT_TRUE(bench_->run_until([this] { return !states_.empty(); }));
  EXPECT_FALSE(is_up());
  EXPECT_NE(reason_, "");
}

TEST_P(PositionContract, SaysNothingOnceItIsGone) {
  connect();
  bench_->say_fix(1.0, 2.0);
  feed_.reset();
  bench_->gpsd_dies();
  bench_->run_until([] { return false; }, Seconds{1});
  EXPECT_TRUE(fixes_.empty());
  EXPECT_EQ(states_.size(), 1u);
}

TEST_P(PositionContract, RefusesWhatIsNoAddress) {
  const auto feed = bench_->feeds().open("nonsense");
  ASSERT_FALSE(feed);
  EXPECT_EQ(feed.error().code, ErrorCode::invalid);
}

INSTANTIATE_TEST_SUITE_P(Backends, PositionContract,
                         testing::Values(PositionBackend{"linux", make_linux_position},
                                         PositionBackend{"sim", make_sim_position}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace berm::hal::contract
