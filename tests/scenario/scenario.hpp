// SPDX-License-Identifier: Apache-2.0
// What every numbered scenario begins with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/scenario/bed.hpp"

namespace berm::scenario {

// Ends the scenario: everything heals and drains, then the oracle speaks.
#define EXPECT_SOUND(bed) EXPECT_THAT((bed).finish(), ::testing::IsEmpty()) << (bed).report()

// A period is emitted, committed and delivered by then.
inline constexpr Seconds kCommitted{10};

inline constexpr Seconds minutes(std::int64_t n) {
  return Seconds{60 * n};
}
inline constexpr Seconds hours(std::int64_t n) {
  return Seconds{3600 * n};
}

}  // namespace berm::scenario
