// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/feed_memory.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace berm::drivers::miv_feed {
namespace {

constexpr std::int64_t kNow = 1493300280;
constexpr std::size_t kRoom = kMaxCheckpointBytes - 17;

TEST(FeedMemory, TakesEachMinuteOfAPointOnce) {
  FeedMemory memory;
  EXPECT_EQ(memory.take(29, kNow), Seen::fresh);
  EXPECT_EQ(memory.take(29, kNow), Seen::repeated);
  EXPECT_EQ(memory.take(30, kNow), Seen::fresh);
  memory.begin_document();
  EXPECT_EQ(memory.take(29, kNow), Seen::before);
  EXPECT_EQ(memory.take(29, kNow + 60), Seen::fresh);
}

TEST(FeedMemory, TakesALateMinuteWhenItComes) {
  FeedMemory memory;
  EXPECT_EQ(memory.take(29, kNow), Seen::fresh);
  memory.begin_document();
  EXPECT_EQ(memory.take(29, kNow - 60), Seen::fresh);
  EXPECT_EQ(memory.take(29, kNow - 60 * 63), Seen::fresh);
  memory.begin_document();
  EXPECT_EQ(memory.take(29, kNow - 60), Seen::before);
  EXPECT_EQ(memory.take(29, kNow - 60 * 63), Seen::before);
  EXPECT_EQ(memory.take(29, kNow), Seen::before);
}

TEST(FeedMemory, TellsSecondsApart) {
  FeedMemory memory;
  EXPECT_EQ(memory.take(29, kNow), Seen::fresh);
  EXPECT_EQ(memory.take(29, kNow + 1), Seen::fresh);
  EXPECT_EQ(memory.take(29, kNow), Seen::before);
  EXPECT_EQ(memory.take(29, -kNow), Seen::fresh);
  EXPECT_EQ(memory.take(29, -kNow), Seen::repeated);
}

TEST(FeedMemory, KnowsADeviceWhoseClockIsYearsOffBesideTheRightOne) {
  FeedMemory memory;
  for (std::int64_t minute = 0; minute < 300; ++minute) {
    memory.begin_document();
    ASSERT_EQ(memory.take(29, kNow), minute == 0 ? Seen::fresh : Seen::before) << minute;
    ASSERT_EQ(memory.take(29, 946684800 + minute * 60), Seen::fresh) << minute;
  }
}

TEST(FeedMemory, KeepsAllOverARestartAlsoInTheMiddleOfADocument) {
  FeedMemory memory;
  std::mt19937 random(7);
  std::set<std::pair<std::int64_t, std::int64_t>> taken;
  for (int document = 0; document < 20; ++document) {
    memory.begin_document();
    for (std::int64_t uid = 1; uid <= 500; ++uid) {
      const auto late = static_cast<std::int64_t>(random() % 10 == 0 ? 60 * (random() % 5) : 0);
      const std::int64_t time = kNow + 60 * document - late;
      taken.emplace(uid, time);
      static_cast<void>(memory.take(uid, time));
      if (uid % 100 == 0) static_cast<void>(memory.save(kRoom));
    }
  }
  const std::string saved = memory.save(kRoom);
  FeedMemory again;
  ASSERT_TRUE(again.restore(saved));
  EXPECT_EQ(again.size(), 500U);
  for (const auto& [uid, time] : taken) ASSERT_EQ(again.take(uid, time), Seen::before) << uid;
  EXPECT_EQ(again.take(1, kNow + 60 * 20), Seen::fresh);
  // And once more, out of what was restored.
  FeedMemory third;
  ASSERT_TRUE(third.restore(again.save(kRoom)));
  for (const auto& [uid, time] : taken) ASSERT_EQ(third.take(uid, time), Seen::before) << uid;
}

TEST(FeedMemory, SavesTheLastMinuteOfEveryPointOfADisorderlyFeedInItsRoom) {
  FeedMemory memory;
  std::mt19937 random(11);
  constexpr std::int64_t kPoints = 6000;
  for (int document = 0; document < 90; ++document) {
    memory.begin_document();
    for (std::int64_t uid = 0; uid < kPoints; ++uid) {
      if (random() % 3 != 0) static_cast<void>(memory.take(uid * 7, kNow + 60 * document));
    }
  }
  memory.begin_document();
  for (std::int64_t uid = 0; uid < kPoints; ++uid) {
    static_cast<void>(memory.take(uid * 7, kNow + 6000));
    if (uid % 10 != 0) continue;
    ASSERT_LE(memory.save(kRoom).size(), kRoom);
  }
  const std::string saved = memory.save(kRoom);
  ASSERT_LE(saved.size(), kRoom);
  FeedMemory again;
  ASSERT_TRUE(again.restore(saved));
  for (std::int64_t uid = 0; uid < kPoints; ++uid) {
    ASSERT_EQ(again.take(uid * 7, kNow + 6000), Seen::before) << uid;
  }
  // Saved anew without a new minute it still knows them.
  FeedMemory third;
  ASSERT_TRUE(third.restore(again.save(kRoom)));
  for (std::int64_t uid = 0; uid < kPoints; ++uid) {
    ASSERT_EQ(third.take(uid * 7, kNow + 6000), Seen::before) << uid;
  }
}

TEST(FeedMemory, NeedsAThirdOfItsRoomForTheRealFeed) {
  FeedMemory memory;
  for (int document = 0; document < 200; ++document) {
    memory.begin_document();
    for (std::int64_t uid = 29; uid < 29 + 4254; ++uid) {
      static_cast<void>(memory.take(uid, uid % 55 == 0 ? kNow - 86400 : kNow + 60 * document));
    }
  }
  EXPECT_LT(memory.save(kRoom).size(), kMaxCheckpointBytes / 3);
}

TEST(FeedMemory, HoldsTheNumberOfPointsAndMakesRoomOfThoseThatAreGone) {
  FeedMemory memory;
  const auto count = static_cast<std::int64_t>(kMaxPoints);
  for (std::int64_t uid = 0; uid < count; ++uid) ASSERT_EQ(memory.take(uid, kNow), Seen::fresh);
  EXPECT_EQ(memory.take(count, kNow), Seen::full);
  EXPECT_EQ(memory.take(count, kNow), Seen::full);
  for (int document = 0; document < 3; ++document) {
    memory.begin_document();
    for (std::int64_t uid = 1; uid < count; ++uid) static_cast<void>(memory.take(uid, kNow));
    EXPECT_EQ(memory.take(count, kNow), document < 2 ? Seen::full : Seen::fresh) << document;
  }
  EXPECT_EQ(memory.size(), kMaxPoints);
}

TEST(FeedMemory, IsEmptyAfterWhatItDidNotSave) {
  FeedMemory memory;
  for (std::int64_t uid = 0; uid < 50; ++uid) static_cast<void>(memory.take(uid * uid, kNow + uid));
  const std::string saved = memory.save(kRoom);
  for (std::size_t length = 0; length < saved.size(); ++length) {
    FeedMemory half;
    const bool is_read = half.restore(saved.substr(0, length));
    EXPECT_TRUE(is_read || half.size() == 0);
  }
  std::mt19937 random(3);
  for (int run = 0; run < 2000; ++run) {
    std::string garbage = saved;
    for (int i = 0; i < 4; ++i) garbage[random() % garbage.size()] = static_cast<char>(random());
    FeedMemory other;
    static_cast<void>(other.restore(garbage));
    static_cast<void>(other.take(1, kNow));
    ASSERT_LE(other.save(kRoom).size(), kRoom);
  }
}

}  // namespace
}  // namespace berm::drivers::miv_feed
