// SPDX-License-Identifier: Apache-2.0
// Reported values are rounded once, where they leave the engine, so that the same edges give the
// same bytes everywhere and no digit is shown that no loop can measure. Pure; any thread.
#pragma once

#include <cmath>

namespace berm::drivers::traffic {

inline double hundredths(double value) {
  return std::round(value * 100.0) / 100.0;
}
inline double ten_thousandths(double value) {
  return std::round(value * 10'000.0) / 10'000.0;
}

}  // namespace berm::drivers::traffic
