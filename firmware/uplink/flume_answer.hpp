// SPDX-License-Identifier: Apache-2.0
// What an answer of Flume's HTTP source (1.11, JSONHandler), or of whatever stands in its place,
// means for the batch that was sent [uplink-2, 3, 4]. A table, as a pure function:
//   200, empty body            delivered          every required channel has committed the batch
//   200 with a body            failed             no Flume: a captive portal, a proxy's own page
//   other 2xx, 3xx             failed             redirects are never followed
//   400                        refused, may be set aside
//   401 403 407                failed, not authorized
//   404, other 4xx             failed
//   413                        too large; a single event may be set aside
//   431                        too large          headers over 8 kB: not the event's fault
//   429                        busy               with Retry-After
//   500                        refused, never set aside (Flume: `[null]`, empty body, unknown
//   charset) 503 naming the put queue   too large          transactionCapacity: for ever 503 in
//   under 1 s, more than one event, no Retry-After    too large (a full channel takes 3 s) other
//   503                  busy other 5xx                  failed
// The reason is Jetty's MESSAGE row where there is one: printable ASCII, at most kMaxReasonLength.
#pragma once

#include <cstddef>

#include "firmware/uplink/uplink.hpp"
#include "hal/http_client.hpp"

namespace berm::uplink {

Answer read_flume_answer(const hal::HttpAnswer& answer, std::size_t events_in_batch);

// Retry-After in seconds: a number, or a date less the answer's own `date`. Empty: none that makes
// sense.
std::optional<Seconds> read_retry_after(const hal::HttpAnswer& answer);

}  // namespace berm::uplink
