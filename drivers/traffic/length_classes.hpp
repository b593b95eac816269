// SPDX-License-Identifier: Apache-2.0
// Length classes as Meten in Vlaanderen (MIV) counts them: 1 to 1.00 m (motorcycles), 2 to 4.90 m
// (cars), 3 to 6.90 m (vans), 4 to 12.00 m (rigid lorries), 5 above (articulated lorries, buses);
// each bound belongs to the shorter class. Source: miv-verkeersdata.xsd, AWV / Vlaams
// Verkeerscentrum. Pure; any thread.
#pragma once

namespace berm::drivers::traffic {

// 1…5; a length below 0 counts as 0.
constexpr int length_class(double length_m) {
  if (length_m <= 1.00) return 1;
  if (length_m <= 4.90) return 2;
  if (length_m <= 6.90) return 3;
  if (length_m <= 12.00) return 4;
  return 5;
}

}  // namespace berm::drivers::traffic
