// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "hal/linux/gpsd_feed.hpp"
#include "hal/linux/position_feed.hpp"

namespace berm::hal {
namespace {

TEST(GpsModule, IsLoadedFromItsFolder) {
  const char* build = std::getenv("BERM_BUILD");
  if (build == nullptr) GTEST_SKIP() << "BERM_BUILD is not set";
  EpollLoop loop;
  const auto feeds = load_position_feeds(loop, std::string(build) + "/lib/berm");
  ASSERT_TRUE(feeds) << feeds.error().text;
  EXPECT_TRUE((*feeds)->open("127.0.0.1:2947"));
}

TEST(GpsModule, SaysThatItIsMissing) {
  EpollLoop loop;
  const auto feeds = load_position_feeds(loop, "/nowhere");
  ASSERT_FALSE(feeds);
  EXPECT_EQ(feeds.error().code, ErrorCode::not_found);
  EXPECT_NE(feeds.error().text.find("/nowhere/berm-gps.so"), std::string::npos);
}

TEST(GpsdAddress, HasAHostAndAPort) {
  const auto plain = parse_gpsd_address("gps.local:1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "gps.local");
  EXPECT_EQ(plain->port, 1);
  const auto six = parse_gpsd_address("[::1]:65535");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 65535);
}

TEST(GpsdAddress, IsRefusedWhereItIsNone) {
  for (const char* text :
       {"", ":", "host", "host:", ":2947", "host:0", "host:65536", "host:x", "::1:2947", "[]:1"}) {
    const auto address = parse_gpsd_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace berm::hal
