// SPDX-License-Identifier: Apache-2.0
// Forwarder: the one Uplink there is; everything that differs between ways out is its Transport.
// Holds the rules of promises uplink 1–5 and 7 (firmware/spec/uplink.md); the decisions are in pure
// parts: Backoff, BatchLimit, Refusals, UplinkAlarms.
//   - takes from the outbox only what it may send now: an idle uplink at once, a busy one when a
//   full batch
//     waits or `linger` is over; at most one batch more than is in flight is in memory;
//   - in backoff it holds no event: all are returned, and come back first from the next take;
//   - after any failure one request at a time, until one is delivered;
//   - a batch that was refused is sent in halves, one that was too large in smaller pieces, both
//   from
//     memory, without waiting: every such step is smaller than the one before, so it ends;
//   - a suspected event waits aside in memory (at most kMaxRefusedInARow) until others were
//   accepted.
// No periodic timer: a timer runs only in backoff, while lingering, or while something is wrong.
// Loop thread. Lifetime: loop, clock, random, outbox and alarms outlive it. The transport is its
// own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firmware/uplink/backoff.hpp"
#include "firmware/uplink/batch_limit.hpp"
#include "firmware/uplink/refusal.hpp"
#include "firmware/uplink/uplink.hpp"
#include "firmware/uplink/uplink_alarms.hpp"
#include "hal/base/log.hpp"

namespace berm::uplink {

class Forwarder final : public Uplink {
 public:
  Forwarder(ForwarderOptions options, std::unique_ptr<Transport> transport,
            const UplinkParts& parts);
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;
  ~Forwarder() override;
  void start() override;
  void stop(Milliseconds grace, std::function<void()> done) override;
  Status status() const override;

 private:
  enum class Phase { stopped, connecting, open, backoff };
  using Piece = std::vector<event::Event>;  // sent together, in order; never empty
  struct Flight {
    std::uint64_t number = 0;
    Piece events;
    bool is_alone = false;  // refused before: nothing else is sent beside it
  };

  // --- connection ---
  void connect();
  void on_ready();
  void on_lost(const Loss& loss);
  void suspect_cause_of(const Loss& loss);
  void enter_backoff(Milliseconds cap, std::optional<Seconds> at_least);

  // --- outbox → pieces ---
  bool wants_events() const;
  bool is_full_batch_waiting() const;
  std::size_t events_held() const;
  void take();
  void on_taken(Result<outbox::Batch> taken);
  void set_aside_faulty(Piece& events);
  void arrange(Piece events);
  void push_alone(event::Event event);
  void linger();

  // --- pieces → transport ---
  void pump();
  void pump_soon();
  bool may_send_front() const;
  bool is_accused(const Piece& events) const;
  std::size_t window() const;
  std::size_t piece_events() const;
  Piece cut_front_piece();
  void send_next();
  std::string_view queue_of(const event::Event& event) const;

  // --- answers ---
  void on_answer(std::uint64_t number, const Answer& answer);
  void on_delivered(const Piece& events);
  void on_not_delivered(Piece events, const Answer& answer);
  void on_refused(Piece events, const Answer& answer);
  void on_refused_single(Piece events, const Answer& answer);
  void on_too_large(Piece events, const Answer& answer);
  void on_trouble(const Piece& events, const Answer& answer, Milliseconds cap);

  // --- settling ---
  outbox::EventRef ref_of(const event::Event& event) const;
  void settle(const Piece& events, outbox::Settlement how, const std::string& reason);
  void return_sent(const Piece& events);
  void return_held();

  void end_if_drained();
  void end();

  const ForwarderOptions options_;
  UplinkParts parts_;
  Log log_;
  UplinkAlarms alarms_;
  Backoff backoff_;
  BatchLimit limit_;
  Refusals refusals_;

  Phase phase_ = Phase::stopped;
  std::deque<Piece> pieces_;   // taken, to be sent next, in order
  std::list<Flight> flights_;  // sent, not answered; at most the transport's max_in_flight
  Piece suspects_;             // refused alone; wait for others to be accepted
  std::vector<Outgoing> outgoing_;
  std::uint64_t next_flight_ = 1;
  bool is_taking_ = false;
  bool is_take_stale_ = false;  // the take under way began before the last failure
  bool is_waiting_there_ = true;  // the outbox may have something for us
  bool was_signalled_ = false;    // … since the take that is under way began
  bool is_linger_over_ = false;
  bool is_careful_ = true;  // one request at a time until one is delivered
  bool is_pump_posted_ = false;
  bool is_grace_over_ = false;
  hal::Timer backoff_timer_;
  hal::Timer linger_timer_;
  hal::Timer outbox_timer_;
  hal::Timer grace_timer_;
  MonoTime retry_at_;
  std::function<void()> on_stopped_;

  std::int64_t delivered_ = 0;
  std::int64_t repeated_ = 0;  // sent, not delivered, so to be sent again
  std::int64_t set_aside_ = 0;
  std::int64_t failures_ = 0;
  std::string last_error_;
  std::unique_ptr<Transport> transport_;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // watched by callbacks of the outbox
};

}  // namespace berm::uplink
