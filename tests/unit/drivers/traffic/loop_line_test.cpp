// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/loop_line.hpp"

#include <gtest/gtest.h>

#include "drivers/traffic/limits.hpp"

namespace berm::drivers::traffic {
namespace {

LoopLine line_from(std::int64_t start_us) {
  LoopLine line;
  line.begin(start_us, start_us - 1);
  return line;
}

TEST(LoopLine, OnThenOffIsOnePulse) {
  LoopLine line = line_from(0);
  EXPECT_TRUE(line.take(100, true, 0).is_begun);
  const LineChange off = line.take(350, false, 0);
  EXPECT_TRUE(off.is_ended);
  EXPECT_EQ(off.pulse_from_us, 100);
  EXPECT_EQ(off.time_us, 350);
  EXPECT_TRUE(off.odd.empty());
}

TEST(LoopLine, OnWhileOnIsOddAndBeginsNothing) {
  LoopLine line = line_from(0);
  line.take(100, true, 0);
  const LineChange again = line.take(200, true, 0);
  EXPECT_EQ(again.odd, Flags(Flag::on_while_on));
  EXPECT_FALSE(again.is_begun);
  EXPECT_EQ(line.take(300, false, 0).pulse_from_us, 100);
}

TEST(LoopLine, OnWhileOnAndOffWithOneStampAreTwoVehicles) {
  LoopLine line = line_from(0);
  line.take(100, true, 0);
  line.take(200, true, 0);
  const LineChange off = line.take(200, false, 0);
  EXPECT_TRUE(off.is_ended);
  EXPECT_TRUE(off.is_begun);
  EXPECT_TRUE(off.is_leading);
  EXPECT_EQ(line.take(300, false, 0).pulse_from_us, 200);
}

TEST(LoopLine, OffWhileOffIsOddAndEndsNothing) {
  LoopLine line = line_from(0);
  const LineChange off = line.take(100, false, 0);
  EXPECT_EQ(off.odd, Flags(Flag::off_while_off));
  EXPECT_FALSE(off.is_ended);
}

TEST(LoopLine, AnEarlierStampTakesTheLastOnesTime) {
  LoopLine line = line_from(0);
  line.take(500, true, 0);
  const LineChange off = line.take(400, false, 0);
  EXPECT_EQ(off.odd, Flags(Flag::out_of_order));
  EXPECT_TRUE(off.is_ended);
  EXPECT_EQ(off.time_us, 500);
  EXPECT_TRUE(line.take(500, true, 0).odd.empty());
}

TEST(LoopLine, LostEdgesAbortThePulseInHand) {
  LoopLine line = line_from(0);
  line.take(100, true, 0);
  const LineChange on = line.take(900, true, 3);
  EXPECT_TRUE(on.is_aborted);
  EXPECT_TRUE(on.is_begun);
  EXPECT_TRUE(on.is_leading);
  EXPECT_EQ(on.unseen_from_us, 100);
  EXPECT_EQ(on.odd, Flags(Flag::lost_edges));
}

TEST(LoopLine, AnOffAfterLostEdgesEndsNothing) {
  LoopLine line = line_from(0);
  line.take(100, true, 0);
  const LineChange off = line.take(900, false, 2);
  EXPECT_TRUE(off.is_aborted);
  EXPECT_FALSE(off.is_ended);
  EXPECT_FALSE(line.is_on());
}

TEST(LoopLine, AnOnThatOnlyTellsTheStateIsNoLeadingEdge) {
  for (const std::int64_t late_us : {kStateEdgeUs, kStateEdgeUs + 1}) {
    LoopLine line;
    line.begin(1000, 1000 + kStateEdgeUs);
    EXPECT_EQ(line.take(1000 + late_us, true, 0).is_leading, late_us > kStateEdgeUs);
  }
  LoopLine line = line_from(1000);
  EXPECT_FALSE(line.take(999, true, 0).is_leading);
}

TEST(LoopLine, OnlyTheFirstEdgeCanTellTheState) {
  LoopLine line;
  line.begin(1000, 1000 + kStateEdgeUs);
  line.take(1100, true, 0);
  line.take(1200, false, 0);
  EXPECT_TRUE(line.take(1300, true, 0).is_leading);
}

TEST(LoopLine, AfterAFailureTheFirstEdgeIsNeverOdd) {
  LoopLine line = line_from(0);
  line.take(100, true, 0);
  EXPECT_TRUE(line.fail(200));
  line.resume(5000);
  const LineChange off = line.take(6000, false, 0);
  EXPECT_TRUE(off.odd.empty());
  EXPECT_FALSE(off.is_ended);
}

}  // namespace
}  // namespace berm::drivers::traffic
