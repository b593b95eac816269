// SPDX-License-Identifier: Apache-2.0
// Length classes as Meten in Vlaanderen (MIV) counts them: 1 to 1.00 m (motorcycles), 2 to 4.90 m
// (cars), 3 to 6.90 m (vans), 4 to 12.00 m (rigid lorries), 5 above (articulated lorries, buses);
// each bound belongs to the shorter class. Source: miv-verkeersdata.xsd, AWV / Vlaams
// Verkeerscentrum. Pure; any thread.
#pragma once

#include <array>

namespace berm::drivers::traffic {

// 1…5; a length below 0 counts as 0.
constexpr int length_class(double length_m) {
  if (length_m <= 1.00) return 1;
  if (length_m <= 4.90) return 2;
  if (length_m <= 6.90) return 3;
  if (length_m <= 12.00) return 4;
  return 5;
}

// A table of one's own: the upper bounds of classes 1…4, in m, rising.
struct LengthClasses {
  std::array<double, 4> bounds_m{1.00, 4.90, 6.90, 12.00};

  int class_of(double length_m) const {
    int number = 1;
    for (const double bound : bounds_m) number += length_m > bound ? 1 : 0;
    return number;
  }
};

}  // namespace berm::drivers::traffic
