// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/loop_line.hpp"

#include <gtest/gtest.h>

namespace berm::drivers::traffic {
namespace {

LoopLine line_from(std::int64_t start_us) {
  LoopLine line;
  line.begin(start_us);
  return line;
}

LineChange take(LoopLine& line, std::int64_t time_us, bool on, std::uint32_t lost_before = 0) {
  return line.take(time_us, {.lost_before = lost_before, .on = on});
}

LineChange take_state(LoopLine& line, std::int64_t time_us, bool on) {
  return line.take(time_us, {.on = on, .tells_state = true});
}

TEST(LoopLine, OnThenOffIsOnePulse) {
  LoopLine line = line_from(0);
  EXPECT_TRUE(take(line, 100, true).is_begun);
  const LineChange off = take(line, 350, false);
  EXPECT_TRUE(off.is_ended);
  EXPECT_EQ(off.pulse_from_us, 100);
  EXPECT_EQ(off.time_us, 350);
  EXPECT_TRUE(off.odd.empty());
}

TEST(LoopLine, OnWhileOnIsOddAndBeginsNothing) {
  LoopLine line = line_from(0);
  take(line, 100, true);
  const LineChange again = take(line, 200, true);
  EXPECT_EQ(again.odd, Flags(Flag::on_while_on));
  EXPECT_FALSE(again.is_begun);
  EXPECT_EQ(take(line, 300, false).pulse_from_us, 100);
}

TEST(LoopLine, OnWhileOnAndOffWithOneStampAreTwoVehicles) {
  LoopLine line = line_from(0);
  take(line, 100, true);
  take(line, 200, true);
  const LineChange off = take(line, 200, false);
  EXPECT_TRUE(off.is_ended);
  EXPECT_TRUE(off.is_begun);
  EXPECT_TRUE(off.is_leading);
  EXPECT_EQ(take(line, 300, false).pulse_from_us, 200);
}

TEST(LoopLine, OffWhileOffIsOddAndEndsNothing) {
  LoopLine line = line_from(0);
  const LineChange off = take(line, 100, false);
  EXPECT_EQ(off.odd, Flags(Flag::off_while_off));
  EXPECT_FALSE(off.is_ended);
}

TEST(LoopLine, AnEarlierStampTakesTheLastOnesTime) {
  LoopLine line = line_from(0);
  take(line, 500, true);
  const LineChange off = take(line, 400, false);
  EXPECT_EQ(off.odd, Flags(Flag::out_of_order));
  EXPECT_TRUE(off.is_ended);
  EXPECT_EQ(off.time_us, 500);
  EXPECT_TRUE(take(line, 500, true).odd.empty());
}

TEST(LoopLine, LostEdgesAbortThePulseInHand) {
  LoopLine line = line_from(0);
  take(line, 100, true);
  const LineChange on = take(line, 900, true, 3);
  EXPECT_TRUE(on.is_aborted);
  EXPECT_TRUE(on.is_begun);
  EXPECT_TRUE(on.is_leading);
  EXPECT_EQ(on.unseen_from_us, 100);
  EXPECT_EQ(on.odd, Flags(Flag::lost_edges));
}

TEST(LoopLine, AnOffAfterLostEdgesEndsNothing) {
  LoopLine line = line_from(0);
  take(line, 100, true);
  const LineChange off = take(line, 900, false, 2);
  EXPECT_TRUE(off.is_aborted);
  EXPECT_FALSE(off.is_ended);
  EXPECT_FALSE(line.is_on());
}

TEST(LoopLine, AnOnThatOnlyTellsTheStateIsNoLeadingEdge) {
  LoopLine line = line_from(1000);
  const LineChange on = take_state(line, 1000, true);
  EXPECT_TRUE(on.is_begun);
  EXPECT_FALSE(on.is_leading);
  LoopLine other = line_from(1000);
  EXPECT_TRUE(take(other, 1000, true).is_leading);
  LoopLine older = line_from(1000);
  EXPECT_FALSE(take(older, 999, true).is_leading);
}

TEST(LoopLine, OnlyTheFirstEdgeCanBeOfAVehicleThatCameBefore) {
  LoopLine line = line_from(1000);
  take_state(line, 1000, true);
  take(line, 1200, false);
  EXPECT_TRUE(take_state(line, 1300, true).is_leading);
}

TEST(LoopLine, AfterAFailureTheFirstEdgeIsNeverOdd) {
  LoopLine line = line_from(0);
  take(line, 100, true);
  EXPECT_TRUE(line.fail(200));
  line.resume(5000);
  const LineChange off = take(line, 6000, false);
  EXPECT_TRUE(off.odd.empty());
  EXPECT_FALSE(off.is_ended);
}

}  // namespace
}  // namespace berm::drivers::traffic
