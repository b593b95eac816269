// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "firmware/uplink/limits.hpp"
#include "hal/sim/random.hpp"

namespace berm::uplink {
namespace {

// Always the same number: 0 for the shortest wait, almost 1 for the longest.
class FixedRandom final : public hal::Random {
 public:
  explicit FixedRandom(double unit) : bits_(static_cast<std::uint64_t>(unit * 0x1.0p53) << 11U) {}
  std::uint64_t next_u64() override { return bits_; }

 private:
  std::uint64_t bits_;
};

constexpr MonoTime kStart = mono_us(1'000'000'000);

TEST(Backoff, CeilingDoublesFromTwoSecondsToTheCap) {
  FixedRandom random(0.999999);
  Backoff backoff(random);
  std::vector<std::int64_t> seconds;
  for (int i = 0; i < 12; ++i) {
    const Microseconds wait = backoff.failed(kStart, kBackoffCap, std::nullopt);
    seconds.push_back((wait.count() + 500'000) / 1'000'000);
  }
  const std::vector<std::int64_t> expected = {2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300};
  EXPECT_EQ(seconds, expected);
}

TEST(Backoff, ABusyEndpointHasALowerCap) {
  FixedRandom random(0.999999);
  Backoff backoff(random);
  Microseconds longest{0};
  for (int i = 0; i < 100; ++i) {
    longest = std::max(longest, backoff.failed(kStart, kBusyBackoffCap, std::nullopt));
  }
  EXPECT_LE(longest, kBusyBackoffCap);
  EXPECT_GT(longest, kBusyBackoffCap * 9 / 10);
}

TEST(Backoff, ADeliveryHalvesTheCeilingOfABusyEndpointAndOfNoOther) {
  for (const bool is_busy : {false, true}) {
    FixedRandom random(0.999999);
    Backoff backoff(random);
    const Milliseconds cap = is_busy ? kBusyBackoffCap : kBackoffCap;
    for (int i = 0; i < 5; ++i) static_cast<void>(backoff.failed(kStart, cap, std::nullopt));
    for (int i = 0; i < 3; ++i) backoff.delivered(kStart);
    const Microseconds wait = backoff.failed(kStart, cap, std::nullopt);
    const Microseconds ceiling = kBackoffFirst * (is_busy ? 4 : 32);
    EXPECT_LE(wait, ceiling);
    EXPECT_GT(wait, ceiling * 9 / 10);
    for (int i = 0; i < 9; ++i) backoff.delivered(kStart);  // not below the first
    EXPECT_LE(backoff.failed(kStart, cap, std::nullopt), is_busy ? kBackoffFirst : kBackoffCap);
  }
}

TEST(Backoff, IsNeverShorterThanTheMinimum) {
  FixedRandom random(0.0);
  Backoff backoff(random);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(backoff.failed(kStart, kBackoffCap, std::nullopt), kBackoffMin);
  }
}

TEST(Backoff, StartsAnewAfterAStablePeriodNotAMicrosecondSooner) {
  for (const bool is_stable : {false, true}) {
    FixedRandom random(0.999999);
    Backoff backoff(random);
    for (int i = 0; i < 5; ++i)
      static_cast<void>(backoff.failed(kStart, kBackoffCap, std::nullopt));
    backoff.succeeded(kStart);
    backoff.succeeded(kStart + kStablePeriod / 2);  // the first of the row counts
    const MonoTime again = kStart + kStablePeriod - Microseconds(is_stable ? 0 : 1);
    const Microseconds wait = backoff.failed(again, kBackoffCap, std::nullopt);
    if (is_stable) {
      EXPECT_LE(wait, kBackoffFirst);
    } else {
      EXPECT_GT(wait, kBackoffFirst * 30);
    }
  }
}

TEST(Backoff, OneSuccessBetweenFailuresDoesNotResetIt) {
  FixedRandom random(0.999999);
  Backoff backoff(random);
  Microseconds last{0};
  for (int i = 0; i < 20; ++i) {
    const MonoTime now = kStart + Seconds(10 * i);
    last = backoff.failed(now, kBackoffCap, std::nullopt);
    backoff.succeeded(now + Seconds(1));
  }
  EXPECT_GT(last, Seconds(299));
}

TEST(Backoff, RetryAfterIsKeptAndSpread) {
  hal::SimRandom random(7);
  for (int i = 0; i < 1000; ++i) {
    Backoff backoff(random);
    const Microseconds wait = backoff.failed(kStart, kBackoffCap, Seconds(120));
    EXPECT_GE(wait, Seconds(120));
    EXPECT_LE(wait, Seconds(144));
  }
}

TEST(Backoff, RetryAfterIsBoundedToAnHour) {
  FixedRandom random(0.0);
  Backoff backoff(random);
  EXPECT_EQ(backoff.failed(kStart, kBackoffCap, Seconds(3600)), Seconds(3600));
  EXPECT_EQ(backoff.failed(kStart, kBackoffCap, Seconds(3601)), Seconds(3600));
  EXPECT_EQ(backoff.failed(kStart, kBackoffCap, Seconds(1LL << 60)), Seconds(3600));
}

TEST(Backoff, ANonsenseRetryAfterIsIgnored) {
  FixedRandom random(0.0);
  Backoff backoff(random);
  EXPECT_EQ(backoff.failed(kStart, kBackoffCap, Seconds(0)), kBackoffMin);
  EXPECT_EQ(backoff.failed(kStart, kBackoffCap, Seconds(-5)), kBackoffMin);
}

// A thousand nodes lose one server at one instant and find it gone five times: their sixth attempts
// fall evenly over the ceiling; no tenth of it has more than twice its share.
TEST(Backoff, AThousandNodesDoNotComeBackAsOneWave) {
  constexpr std::size_t kNodes = 1000;
  std::vector<std::size_t> tenths(10);
  for (std::uint64_t node = 0; node < kNodes; ++node) {
    hal::SimRandom random(node);
    Backoff backoff(random);
    Microseconds wait{0};
    for (int i = 0; i < 6; ++i) wait = backoff.failed(kStart, kBackoffCap, std::nullopt);
    ++tenths[static_cast<std::size_t>(wait * 10 / Microseconds(kBackoffFirst * 32))];
  }
  for (const std::size_t nodes : tenths) {
    EXPECT_GT(nodes, kNodes / 20);
    EXPECT_LT(nodes, kNodes / 5);
  }
}

}  // namespace
}  // namespace berm::uplink
