// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/presence.hpp"

#include <gtest/gtest.h>

#include "firmware/uplink/limits.hpp"

namespace berm::uplink {
namespace {

std::string text(const std::string& instance, int connects) {
  return R"({"instance":")" + instance + R"(","connects":)" + std::to_string(connects) + "}";
}

struct PresenceTest : testing::Test {
  Presence presence{"e19", "mine", "1.0"};
};

TEST_F(PresenceTest, TellsItselfAndCountsItsConnections) {
  EXPECT_EQ(presence.topic(), "berm/e19/info");
  EXPECT_EQ(presence.next_text(), R"({"instance":"mine","connects":1,"version":"1.0"})");
  EXPECT_EQ(presence.next_text(), R"({"instance":"mine","connects":2,"version":"1.0"})");
}

TEST_F(PresenceTest, ItsOwnTextIsNoSign) {
  for (int connects = 1; connects < 5; ++connects) {
    EXPECT_FALSE(presence.is_used_twice(text("mine", connects)));
  }
}

TEST_F(PresenceTest, AnotherThatGoesOnConnectingIsASign) {
  EXPECT_FALSE(presence.is_used_twice(text("other", 1)));
  EXPECT_TRUE(presence.is_used_twice(text("other", 2)));
}

TEST_F(PresenceTest, AnEarlierLifeOfThisNodeIsNone) {
  EXPECT_FALSE(presence.is_used_twice(text("earlier", 7)));
  EXPECT_FALSE(presence.is_used_twice(text("mine", 1)));
  EXPECT_FALSE(presence.is_used_twice(text("earlier", 7)));
  EXPECT_FALSE(presence.is_used_twice(text("earlier", 3)));  // a broker's older store
}

TEST_F(PresenceTest, AfterASignTheOtherHasItsTurn) {
  presence.is_used_twice(text("other", 1));
  EXPECT_TRUE(presence.is_used_twice(text("other", 2)));
  EXPECT_FALSE(presence.is_used_twice(text("other", 5)));
  EXPECT_TRUE(presence.is_used_twice(text("other", 6)));
}

TEST_F(PresenceTest, WhatIsNoSuchTextIsIgnored) {
  for (const char* junk : {"", "offline", "[]", "{}", R"({"instance":5,"connects":1})",
                           R"({"instance":"x"})", R"({"instance":"x","connects":"9"})"}) {
    EXPECT_FALSE(presence.is_used_twice(junk)) << junk;
    EXPECT_FALSE(presence.is_used_twice(junk)) << junk;
  }
}

TEST_F(PresenceTest, RemembersABoundedNumberOfOthers) {
  for (std::size_t i = 0; i <= kMaxForeignInstances; ++i) {
    EXPECT_FALSE(presence.is_used_twice(text("other" + std::to_string(i), 1)));
  }
  EXPECT_FALSE(presence.is_used_twice(text("other0", 2)));  // forgotten
  EXPECT_TRUE(presence.is_used_twice(text("other2", 2)));
}

}  // namespace
}  // namespace berm::uplink
