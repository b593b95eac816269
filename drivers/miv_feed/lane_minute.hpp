// SPDX-License-Identifier: Apache-2.0
// lane_minute: what the feed said of a point, as a lane period: sentinels become null, ages become
// flags. Pure; any thread.
//
// Age never refuses or alters a value. Flags: `stale` (published more than kStaleAfterS after the
// minute began), `old_document` (published more than kOldDocumentAfterS ago), `ghost` (lane TR),
// `unavailable` (beschikbaar 0), `incomplete` (a class is missing: then there is no total),
// `unplaced` (the points list does not name it).
// Source: miv-verkeersdata.xsd; what it does not say was measured (README.md).
#pragma once

#include <cstdint>
#include <optional>

#include "drivers/api/observation.hpp"
#include "drivers/miv_feed/data_document.hpp"
#include "drivers/miv_feed/points_document.hpp"

namespace berm::drivers::miv_feed {

// A speed is one only if somebody drove by and 0 < harmonic ≤ 200; 251 is an initial value, 252 no
// vehicle, 254 not computable, and where nobody drove by the arithmetic mean is 0.
ClassMeasure class_measure(const MeasuredClass& measured);

// How long before its publication the minute began; nullopt: the document has no publication time.
std::optional<std::int64_t> staleness_s(const DocumentTimes& times, WallTime observed);
// Whether the document is old by a clock that is known (nullopt: it is not).
bool is_old_document(const DocumentTimes& times, std::optional<WallTime> now);

struct LaneMinute {
  LanePeriod period;
  std::uint64_t odd_values = 0;  // set to null: outside what the schema allows
};

// `point`: of the points list, nullptr where it does not name it. `enrich`: with name, road, km and
// position. `now`: of the loop.
LaneMinute lane_minute(const DocumentTimes& times, const MeasuredPoint& measured,
                       const Point* point, bool enrich, bool is_old, MonoTime now);

}  // namespace berm::drivers::miv_feed
