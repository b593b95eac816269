// SPDX-License-Identifier: Apache-2.0
// Offers: which events of a series some uplink may have seen: their bytes are final, they are never
// merged [outbox-3]. A mark may say too much, never too little: it is durable before the offer, and
// it runs ahead so that one write serves many. What was offered from the begin on is one number,
// the rest at most kMaxRanges ranges (live events before the backlog; beyond that the nearest are
// joined). Executor thread only.
#pragma once

#include <cstdint>

#include "firmware/outbox/core.hpp"

namespace berm::outbox {

bool has_offers(const Series& series, const RangeSet& ranges);
// Marks those, and `ahead` more in the direction they are read. Not written yet.
void add_offers(Series& series, const RangeSet& ranges, std::int64_t ahead);
// Events that do not exist yet are not marked any more.
void clip_offers(Series& series);
// With the rest of the series' row. Inside a transaction.
Result<void> save_offers(Tables& tables, const Series& series);
Result<void> load_offers(Tables& tables, Books& books);
// Where a series' newest events are being offered as they come, the mark moves on with the commit
// that brings `count` more, so that their offer needs no commit of its own. Inside a transaction.
Result<void> extend_offer(Core core, SeriesIndex index, std::int64_t count);

}  // namespace berm::outbox
