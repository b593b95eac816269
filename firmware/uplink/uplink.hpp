// SPDX-License-Identifier: Apache-2.0
// Uplink: one way out. Takes batches from the outbox at its own pace, sends them over its
// transport, and tells the outbox what became of them. Independent of the others: one that is down
// delays no other. The forwarder (firmware/uplink/forwarder) holds the rules of promises uplink
// 1–5; a Transport only says what the other side answered. Loop thread only. Destruction returns
// everything in flight.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/alarm.hpp"
#include "firmware/codec/event_headers.hpp"
#include "firmware/event/event.hpp"
#include "firmware/outbox/outbox.hpp"
#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/clock.hpp"
#include "hal/loop.hpp"
#include "hal/random.hpp"

namespace berm::uplink {

// One event on its way and its queue ("live", "backfill", "resend").
using Outgoing = codec::Outgoing;

// What the other side said of one batch.
enum class Verdict {
  delivered,  // all of it is the receiver's now; nothing else moves anything
  refused,    // the message itself is at fault (HTTP 400, 500; MQTT 144, 149, 153)
  too_large,  // 413, 431, a 503 that is the batch limit: halve
  busy,       // 503, 429: the same batch again, after backoff
  failed,     // everything else: hold, back off, alarm
};

// A trouble that has a name of its own for the technician, beside `uplink_down`.
enum class Trouble {
  none,
  not_authorized,       // alarm uplink_not_authorized: 401, 403, 407; MQTT 134, 135 …
  certificate,          // alarm uplink_certificate: TLS said no
  no_subscriber,        // alarm no_subscriber: MQTT 16
  identity_used_twice,  // alarm identity_used_twice: MQTT 142
};

struct Answer {
  Verdict verdict = Verdict::failed;
  std::string reason;                  // for status, alarm, set-aside list: "HTTP 400: bad JSON"
  std::optional<Seconds> retry_after;  // what the server asked for
  // Of `refused` and of `too_large` for a single event: the event itself may be at fault (HTTP 400
  // and 413, MQTT 144, 149, 153). Otherwise (a 500, a 431) it never is.
  bool can_set_aside = false;
  bool timed_out =
      false;  // of `failed`: the request was on its way, its answer did not come in time
  Trouble trouble = Trouble::none;
};

// Why a connection ended or did not come to be.
struct Loss {
  std::string reason;
  Trouble trouble = Trouble::none;
  std::optional<Seconds> wait;  // not sooner than this
  bool too_large = false;       // the peer closed because of what was sent (MQTT DISCONNECT 149)
};

class Transport {
 public:
  virtual ~Transport() = default;
  struct Limits {
    std::size_t max_in_flight = 1;     // batches
    std::size_t max_events = 100;      // per batch
    std::size_t max_bytes = 1u << 20;  // of lines per batch, each with its newline
    bool one_stream = false;           // all of one stream and epoch
  };
  virtual Limits limits() const = 0;
  // Why this event must never be sent this way (over a size, a topic Kafka refuses); empty:
  // nothing.
  virtual std::string fault_of(const event::Event& event) const = 0;
  // Connects if need be: then is_ready() is true at once, or on_ready or on_lost comes later, never
  // inside a call. After `on_lost` nothing sent is answered any more and is_ready() is false until
  // another open().
  struct Events {
    std::function<void()> on_ready;
    std::function<void(const Loss& loss)> on_lost;
  };
  virtual void open(Events events) = 0;
  virtual bool is_ready() const = 0;
  // Precondition: is_ready, fewer than max_in_flight under way, within limits(). The events are
  // borrowed during the call only. `done` exactly once, never inside the call, unless on_lost or
  // close() comes first.
  virtual void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) = 0;
  virtual void close() = 0;
  virtual Status status() const = 0;
  // Whether the other side answers, without sending it any event: a transport of its own, made for
  // this, connects or asks, and `done` is called once, later; `failed`: no answer, or one that says
  // that this node may not send here. Closing or destroying it ends the probe without a word.
  virtual void probe(std::function<void(Answer)> done) = 0;
};

struct ForwarderOptions {
  std::string name;
  outbox::UplinkIndex index = 0;
  std::size_t batch_events = 100;
  std::size_t batch_bytes = 1u << 20;
  Milliseconds linger{1000};  // only while something is in flight: an idle uplink sends at once
  Seconds live{120};          // events younger than this are `live`
};

class Uplink {
 public:
  virtual ~Uplink() = default;
  virtual void start() = 0;
  // Sends what fits into `grace`, while the other side takes it; then everything else is returned,
  // the transport closed and `done` called (on the loop, never inside the call).
  virtual void stop(Milliseconds grace, std::function<void()> done) = 0;
  // state (idle, sending, backoff, connecting, rejecting, down, stopped), delivered, waiting,
  // in_flight, repeated, refused, failures, last_error, retry_in_s, batch_limit; child `transport`.
  virtual Status status() const = 0;
};

struct UplinkParts {
  hal::Loop& loop;
  hal::Clock& clock;
  hal::Random& random;
  outbox::Outbox& outbox;
  drivers::AlarmSink& alarms;
};

std::unique_ptr<Uplink> make_forwarder(const ForwarderOptions& options,
                                       std::unique_ptr<Transport> transport,
                                       const UplinkParts& parts);

}  // namespace berm::uplink
