// SPDX-License-Identifier: Apache-2.0
// The feed of the real machine against a gpsd that misbehaves.
#include "hal/linux/gpsd_feed.hpp"

#include <gtest/gtest.h>

#include "tests/contract/position/fake_gpsd.hpp"

namespace berm::hal::contract {
namespace {

constexpr std::string_view kFix = R"({"class":"TPV","mode":2,"lat":51.25,"lon":4.5,"eph":4.0})";

class GpsdFeedTest : public testing::Test {
 protected:
  void open(const std::string& address) {
    auto feed = feeds_.open(address);
    ASSERT_TRUE(feed);
    feed_ = std::move(*feed);
    feed_->start([this](const PositionFix& fix) { fixes_.push_back(fix); },
                 [this](bool is_up, const std::string& reason) {
                   is_up_ = is_up;
                   ++told_;
                   reason_ = reason;
                 });
  }
  bool run_until(const std::function<bool()>& condition, Seconds limit = Seconds{20}) {
    return run_loop_until(loop_, condition, limit);
  }
  void connect() {
    gpsd_.start();
    open(gpsd_.address());
    ASSERT_TRUE(run_until([this] { return is_up_; }));
  }

  EpollLoop loop_;
  GpsdFeeds feeds_{loop_};
  FakeGpsd gpsd_{loop_};
  std::unique_ptr<PositionFeed> feed_;
  std::vector<PositionFix> fixes_;
  bool is_up_ = false;
  int told_ = 0;
  std::string reason_;
};

TEST_F(GpsdFeedTest, JoinsWhatComesInPieces) {
  connect();
  for (const char c : kFix) gpsd_.say({&c, 1});
  gpsd_.say("\n");
  gpsd_.say(std::string(kFix) + "\r\n" + std::string(kFix) + "\n" + std::string(kFix));
  ASSERT_TRUE(run_until([this] { return fixes_.size() == 3; }));
  gpsd_.say("\n");
  EXPECT_TRUE(run_until([this] { return fixes_.size() == 4; }));
}

TEST_F(GpsdFeedTest, HalfALineBeforeTheEndIsNoFix) {
  connect();
  gpsd_.say(kFix.substr(0, kFix.size() - 20));
  gpsd_.hang_up();
  ASSERT_TRUE(run_until([this] { return !is_up_; }));
  EXPECT_NE(reason_.find("closed"), std::string::npos) << reason_;
  // The rest is not joined to the next connection's first line.
  ASSERT_TRUE(run_until([this] { return is_up_; }));
  gpsd_.say(std::string(kFix) + "\n");
  ASSERT_TRUE(run_until([this] { return !fixes_.empty(); }));
  EXPECT_EQ(fixes_.size(), 1u);
  EXPECT_EQ(feed_->status().integer("connects"), 2);
}

TEST_F(GpsdFeedTest, CountsNonsenseAndGoesOn) {
  connect();
  gpsd_.say("\x01\x02garbage\n\n{\"class\":\"TPV\",\"mode\":3,\"lat\":5\n");
  gpsd_.say(std::string(kFix) + "\n");
  ASSERT_TRUE(run_until([this] { return !fixes_.empty(); }));
  EXPECT_EQ(fixes_.size(), 1u);
  EXPECT_EQ(feed_->status().integer("malformed"), 3);
  EXPECT_TRUE(is_up_);
}

TEST_F(GpsdFeedTest, LetsGoOfALineWithoutEnd) {
  connect();
  gpsd_.say(std::string(kMaxGpsdLine, 'x'));
  gpsd_.say("y");
  ASSERT_TRUE(run_until([this] { return !is_up_; }));
  EXPECT_NE(reason_.find("without end"), std::string::npos) << reason_;
}

TEST_F(GpsdFeedTest, IsDownWhereNobodyGreets) {
  gpsd_.greets = false;
  gpsd_.start();
  open(gpsd_.address());
  ASSERT_TRUE(run_until([this] { return told_ > 0; }));
  EXPECT_FALSE(is_up_);
  EXPECT_NE(reason_.find("no greeting"), std::string::npos) << reason_;
}

TEST_F(GpsdFeedTest, TellsAnOutageOnceHoweverOftenItTries) {
  connect();
  gpsd_.greets = false;
  gpsd_.hang_up();
  gpsd_.stop();
  run_until([] { return false; }, Seconds{4});
  EXPECT_EQ(told_, 2);
}

TEST_F(GpsdFeedTest, ResolvesNames) {
  gpsd_.start();
  const std::string address = gpsd_.address();
  open("localhost" + address.substr(address.rfind(':')));
  EXPECT_TRUE(run_until([this] { return is_up_; }));
}

TEST_F(GpsdFeedTest, IsDownWhereTheNameIsNone) {
  open("no-such-host.invalid:2947");
  ASSERT_TRUE(run_until([this] { return told_ > 0; }));
  EXPECT_FALSE(is_up_);
  EXPECT_NE(reason_, "");
}

}  // namespace
}  // namespace berm::hal::contract
