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
#include "firmware/event/event.hpp"
#include "firmware/outbox/outbox.hpp"
#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/clock.hpp"
#include "hal/loop.hpp"
#include "hal/random.hpp"

namespace berm::uplink {

// What the other side said of one batch.
enum class Verdict {
  delivered,  // all of it is the receiver's now; nothing else moves anything
  refused,    // the message itself is at fault (HTTP 400, 500; MQTT 144, 149, 153)
  too_large,  // 413, 431, a 503 that is the batch limit: halve
  busy,       // 503, 429: the same batch again, after backoff
  failed,     // everything else: hold, back off, alarm
};

struct Answer {
  Verdict verdict = Verdict::failed;
  std::string reason;                  // for status, alarm, set-aside list: "HTTP 400: bad JSON"
  std::optional<Seconds> retry_after;  // what the server asked for
  bool can_set_aside = false;  // of `refused`: 400/413 or the MQTT codes (a 500 only bisects)
};

// One batch on its way: events in order, and which queue each was in ("live", "backfill",
// "resend").
struct Outgoing {
  const event::Event* event = nullptr;
  std::string_view queue;
};

class Transport {
 public:
  virtual ~Transport() = default;
  struct Limits {
    std::size_t max_in_flight = 1;     // batches
    std::size_t max_events = 100;      // per batch
    std::size_t max_bytes = 1u << 20;  // of lines per batch
    bool one_stream = false;
  };
  virtual Limits limits() const = 0;
  // Connects if need be. `on_ready` may come many times; after `on_lost` nothing sent is answered
  // any more.
  struct Events {
    std::function<void()> on_ready;
    std::function<void(const std::string& reason)> on_lost;
  };
  virtual void open(Events events) = 0;
  virtual bool is_ready() const = 0;
  // Precondition: is_ready, fewer than max_in_flight under way. `done` exactly once, never inside
  // the call, unless on_lost comes first.
  virtual void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) = 0;
  virtual void close() = 0;
  virtual Status status() const = 0;
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
  // Ends sending; what is in flight may still be answered until `grace` is over, then `done`.
  virtual void stop(Milliseconds grace, std::function<void()> done) = 0;
  // state (idle, sending, backoff, connecting, rejecting, down), delivered, waiting, in_flight,
  // repeated, refused, failures, last_error, retry_in_s, batch_limit, oldest_unsent_s.
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
