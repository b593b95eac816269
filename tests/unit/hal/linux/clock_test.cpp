// SPDX-License-Identifier: Apache-2.0
// What SystemClock has beyond the contract: who vouches for the time, and the boot's name.
#include "hal/linux/clock.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/hal/linux/scratch_directory.hpp"

namespace berm::hal {
namespace {

TEST(SystemClock, TheBoardsWordCountsOnlyWhereTheKernelIsNotSynchronised) {
  const ClockSource without = SystemClock({}).wall().source;
  const ClockSource with = SystemClock({.is_rtc_trusted = true}).wall().source;
  if (without == ClockSource::ntp) {
    EXPECT_EQ(with, ClockSource::ntp);
  } else {
    EXPECT_EQ(without, ClockSource::none);
    EXPECT_EQ(with, ClockSource::rtc);
  }
}

TEST(SystemClock, TheBootIdIsTheKernelsWithoutItsNewline) {
  const ScratchDirectory scratch;
  std::ofstream(scratch / "boot_id") << "5e2b4a1c-0000-4000-8000-000000000001\n";
  EXPECT_EQ(SystemClock({.boot_id_path = scratch / "boot_id"}).boot_id(),
            "5e2b4a1c-0000-4000-8000-000000000001");
}

TEST(SystemClock, TwoClocksOfOneBootAgree) {
  EXPECT_EQ(SystemClock({}).boot_id(), SystemClock({}).boot_id());
}

TEST(SystemClock, WithoutTheKernelsFileTheBootStillHasAName) {
  const SystemClock clock({.boot_id_path = "/nonexistent/boot_id"});
  EXPECT_TRUE(clock.boot_id().starts_with("boot-")) << clock.boot_id();
}

}  // namespace
}  // namespace berm::hal
