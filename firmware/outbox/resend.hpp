// SPDX-License-Identifier: Apache-2.0
// Resend: offers events again that were delivered and are still kept, because somebody at the other
// end found them missing. They wait once more (`Track::undelivered`), marked as `Track::resend`, so
// that they can be told from the rest; what became of them is told as of any other event. At
// most kMaxResendRows rows are looked at for one request. Inside an open transaction. Executor
// thread only.
#pragma once

#include "firmware/outbox/core.hpp"
#include "firmware/outbox/outbox.hpp"

namespace berm::outbox {

class Resend {
 public:
  explicit Resend(Core core) : core_(core) {}
  // Error invalid: those are no ranges, or too many rows; not_found: no such stream, epoch or
  // uplink, or the uplink does not take this stream.
  Result<ResendReport> queue(const ResendRequest& request);

 private:
  Result<SeriesIndex> series_of(const ResendRequest& request) const;
  Result<RangeSet> kept(const Series& series, const RangeSet& wanted);
  ResendReport::Uplink add(UplinkIndex uplink, SeriesIndex series, const RangeSet& kept);
  Core core_;
};

}  // namespace berm::outbox
