// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/forwarder.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "firmware/uplink/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::uplink {

std::unique_ptr<Uplink> make_forwarder(const ForwarderOptions& options,
                                       std::unique_ptr<Transport> transport,
                                       const UplinkParts& parts) {
  return std::make_unique<Forwarder>(options, std::move(transport), parts);
}

Forwarder::Forwarder(ForwarderOptions options, std::unique_ptr<Transport> transport,
                     const UplinkParts& parts)
    : options_(std::move(options)),
      parts_(parts),
      log_("uplink"),
      alarms_(options_.name, parts.loop, parts.alarms),
      backoff_(parts.random),
      limit_(std::min(options_.batch_events, transport->limits().max_events)),
      backoff_timer_(parts.loop),
      linger_timer_(parts.loop),
      outbox_timer_(parts.loop),
      grace_timer_(parts.loop),
      transport_(std::move(transport)) {}

Forwarder::~Forwarder() {
  if (phase_ == Phase::stopped) return;
  parts_.outbox.on_available(options_.index, {});
  parts_.outbox.return_all(options_.index);
  transport_->close();
}

// --- life
// -------------------------------------------------------------------------------------------

void Forwarder::start() {
  BERM_ASSERT(phase_ == Phase::stopped && !on_stopped_);
  parts_.outbox.return_all(options_.index);
  parts_.outbox.on_available(options_.index, [this] {
    was_signalled_ = true;
    is_waiting_there_ = true;
    pump_soon();
  });
  connect();
}

void Forwarder::stop(Milliseconds grace, std::function<void()> done) {
  on_stopped_ = std::move(done);
  if (phase_ == Phase::stopped) {
    parts_.loop.post(std::exchange(on_stopped_, {}));
    return;
  }
  grace_timer_.after(grace, [this] {
    is_grace_over_ = true;
    end_if_drained();
  });
  pump();
}

void Forwarder::end_if_drained() {
  if (!on_stopped_ || phase_ == Phase::stopped || is_taking_) return;
  const bool is_drained = flights_.empty() && pieces_.empty() && !is_waiting_there_;
  if (is_grace_over_ || is_drained || phase_ != Phase::open) end();
}

void Forwarder::end() {
  phase_ = Phase::stopped;
  return_held();
  for (const Flight& flight : flights_) return_sent(flight.events);
  flights_.clear();
  for (hal::Timer* timer : {&backoff_timer_, &linger_timer_, &outbox_timer_, &grace_timer_}) {
    timer->cancel();
  }
  parts_.outbox.on_available(options_.index, {});
  transport_->close();
  parts_.loop.post(std::exchange(on_stopped_, {}));
}

// --- connection
// -------------------------------------------------------------------------------------

void Forwarder::connect() {
  phase_ = Phase::connecting;
  if (!transport_->is_ready()) {
    transport_->open({.on_ready = [this] { on_ready(); },
                      .on_lost = [this](const Loss& loss) { on_lost(loss); }});
  }
  if (transport_->is_ready()) {
    phase_ = Phase::open;
    pump();
  }
}

void Forwarder::on_ready() {
  if (phase_ != Phase::connecting) return;
  phase_ = Phase::open;
  backoff_.succeeded(parts_.loop.now());
  alarms_.connected();
  pump();
}

void Forwarder::on_lost(const Loss& loss) {
  if (phase_ == Phase::stopped) return;
  ++failures_;
  last_error_ = loss.reason;
  if (loss.too_large) suspect_cause_of(loss);
  for (const Flight& flight : flights_) return_sent(flight.events);
  flights_.clear();
  alarms_.lost(loss.reason, loss.trouble, parts_.outbox.waiting(options_.index));
  // In backoff already because of an answer: the connection is made again when that is over.
  if (phase_ != Phase::backoff || loss.wait) enter_backoff(kBackoffCap, loss.wait);
  end_if_drained();
}

// The peer closed because of what it was sent. Only where one request was under way is it known
// which.
void Forwarder::suspect_cause_of(const Loss& loss) {
  if (flights_.size() != 1) return;
  Piece& events = flights_.front().events;
  if (events.size() > 1) {
    limit_.too_large(events.size());
    return;
  }
  if (refusals_.refused_single(ref_of(events.front()), true) == Refusals::Step::set_aside) {
    settle(events, outbox::Settlement::refused, loss.reason);
    flights_.clear();
  }
}

void Forwarder::enter_backoff(Milliseconds cap, std::optional<Seconds> at_least) {
  phase_ = Phase::backoff;
  is_careful_ = true;
  is_take_stale_ = is_taking_;
  return_held();
  linger_timer_.cancel();
  const MonoTime now = parts_.loop.now();
  const Microseconds wait = backoff_.failed(now, cap, at_least);
  retry_at_ = now + wait;
  backoff_timer_.at(retry_at_, [this] { connect(); });
}

// --- outbox → pieces
// --------------------------------------------------------------------------------

bool Forwarder::wants_events() const {
  if (is_taking_ || !is_waiting_there_ || !pieces_.empty() || outbox_timer_.is_set()) return false;
  if (flights_.empty() || is_full_batch_waiting()) return true;
  return flights_.size() < window() && (is_linger_over_ || on_stopped_);
}

std::size_t Forwarder::events_held() const {
  std::size_t held = suspects_.size();
  for (const Flight& flight : flights_) held += flight.events.size();
  for (const Piece& piece : pieces_) held += piece.size();
  return held;
}

bool Forwarder::is_full_batch_waiting() const {
  const auto free =
      parts_.outbox.waiting(options_.index) - static_cast<std::int64_t>(events_held());
  return free >= static_cast<std::int64_t>(piece_events());
}

void Forwarder::take() {
  is_taking_ = true;
  is_take_stale_ = false;
  was_signalled_ = false;
  is_linger_over_ = false;
  linger_timer_.cancel();
  const Transport::Limits limits = transport_->limits();
  const std::size_t several =
      std::min(options_.batch_events, piece_events() * limits.max_in_flight);
  outbox::TakeRequest request;
  request.max_events = std::max(piece_events(), several);
  request.max_bytes = std::min(options_.batch_bytes, limits.max_bytes);
  request.one_stream = limits.one_stream;
  if (refusals_.is_probing() || refusals_.has_remembered()) {
    // The refused stand in front: look past them for others, of whatever stream.
    request = {.max_events = kProbeEvents, .max_bytes = kProbeBytes, .one_stream = false};
  }
  parts_.outbox.take(options_.index, request,
                     [this, life = std::weak_ptr(life_)](Result<outbox::Batch> taken) {
                       if (!life.expired()) on_taken(std::move(taken));
                     });
}

void Forwarder::on_taken(Result<outbox::Batch> taken) {
  is_taking_ = false;
  if (!taken) {
    last_error_ = taken.error().text;
    log_.warning(options_.name + ": nothing can be read from the outbox: " + last_error_);
    outbox_timer_.after(kOutboxRetry, [this] { pump(); });
    is_waiting_there_ = !on_stopped_;
    end_if_drained();
    return;
  }
  is_waiting_there_ = was_signalled_ || (taken->more && !taken->events.empty());
  // Taken before a failure, they would go ahead of what was returned after it.
  if (phase_ == Phase::open && !is_take_stale_) {
    set_aside_faulty(taken->events);
    arrange(std::move(taken->events));
    pump();
  } else {
    settle(taken->events, outbox::Settlement::returned, {});
    pump_soon();
    end_if_drained();
  }
}

void Forwarder::set_aside_faulty(Piece& events) {
  std::vector<outbox::Settled> faulty;
  const auto is_faulty = [&](const event::Event& event) {
    std::string fault = transport_->fault_of(event);
    if (fault.empty()) return false;
    faulty.push_back({ref_of(event), outbox::Settlement::refused, std::move(fault)});
    return true;
  };
  std::erase_if(events, is_faulty);
  if (faulty.empty()) return;
  set_aside_ += static_cast<std::int64_t>(faulty.size());
  alarms_.set_aside(faulty.back().reason);
  parts_.outbox.settle(options_.index, std::move(faulty));
}

// Those refused before are asked last, each alone. While probing, one of the others goes first,
// alone (any, so that a row of broken events at the front does not keep the probe from ever finding
// a sound one), and then they: if the probe is accepted, their next refusal settles it.
void Forwarder::arrange(Piece events) {
  Piece accused;
  if (refusals_.has_remembered()) {
    const auto first = std::stable_partition(
        events.begin(), events.end(),
        [this](const event::Event& event) { return !refusals_.is_remembered(ref_of(event)); });
    std::move(first, events.end(), std::back_inserter(accused));
    events.erase(first, events.end());
  }
  const bool is_probing = refusals_.is_probing() && !events.empty();
  if (is_probing) {
    const auto chosen =
        events.begin() + static_cast<std::ptrdiff_t>(parts_.random.below(events.size()));
    push_alone(std::move(*chosen));
    events.erase(chosen);
  } else if (!events.empty()) {
    pieces_.push_back(std::exchange(events, {}));
  }
  for (event::Event& event : accused) push_alone(std::move(event));
  if (!events.empty()) pieces_.push_back(std::move(events));
}

void Forwarder::push_alone(event::Event event) {
  Piece alone;
  alone.push_back(std::move(event));
  pieces_.push_back(std::move(alone));
}

// Something waits, but no full batch, and a request is under way: give it time to become more.
void Forwarder::linger() {
  if (is_taking_ || !is_waiting_there_ || !pieces_.empty() || linger_timer_.is_set()) return;
  if (flights_.empty() || flights_.size() >= window()) return;
  linger_timer_.after(options_.linger, [this] {
    is_linger_over_ = true;
    pump();
  });
}

// --- pieces → transport
// -----------------------------------------------------------------------------

void Forwarder::pump_soon() {
  if (is_pump_posted_) return;
  is_pump_posted_ = true;
  parts_.loop.post([this, life = std::weak_ptr(life_)] {
    if (life.expired()) return;
    is_pump_posted_ = false;
    pump();
  });
}

void Forwarder::pump() {
  if (phase_ == Phase::open) {
    while (may_send_front()) send_next();
    if (wants_events()) {
      take();
    } else {
      linger();
    }
  }
  end_if_drained();
}

std::size_t Forwarder::window() const {
  return is_careful_ ? 1 : transport_->limits().max_in_flight;
}

bool Forwarder::is_accused(const Piece& events) const {
  return events.size() == 1 && refusals_.has_remembered() &&
         refusals_.is_remembered(ref_of(events.front()));
}

bool Forwarder::may_send_front() const {
  if (pieces_.empty()) return false;
  if (flights_.empty()) return true;
  if (flights_.front().is_alone || is_accused(pieces_.front())) return false;
  return flights_.size() < window();
}

std::size_t Forwarder::piece_events() const {
  return std::min(limit_.value(), transport_->limits().max_events);
}

Forwarder::Piece Forwarder::cut_front_piece() {
  Piece& front = pieces_.front();
  const Transport::Limits limits = transport_->limits();
  const std::size_t max_events = piece_events();
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < front.size() && count < max_events) {
    const event::Event& event = front[count];
    bytes += event.line.size() + 1;
    const bool is_other = limits.one_stream && (event.schema != front.front().schema ||
                                                event.epoch != front.front().epoch);
    if (count > 0 && (is_other || bytes > limits.max_bytes)) break;
    ++count;
  }
  Piece piece;
  if (count == front.size()) {
    piece = std::move(front);
    pieces_.pop_front();
    return piece;
  }
  const auto end = front.begin() + static_cast<std::ptrdiff_t>(count);
  std::move(front.begin(), end, std::back_inserter(piece));
  front.erase(front.begin(), end);
  return piece;
}

void Forwarder::send_next() {
  const bool is_alone = is_accused(pieces_.front());
  Flight& flight = flights_.emplace_back(Flight{next_flight_++, cut_front_piece(), is_alone});
  outgoing_.clear();
  for (const event::Event& event : flight.events) outgoing_.push_back({&event, queue_of(event)});
  transport_->send(outgoing_, [this, number = flight.number](const Answer& answer) {
    on_answer(number, answer);
  });
}

std::string_view Forwarder::queue_of(const event::Event& event) const {
  if (!event.made_ms) return "live";
  const std::int64_t age_ms = ms_of(parts_.clock.wall().time) - *event.made_ms;
  return age_ms <= Milliseconds(options_.live).count() ? "live" : "backfill";
}

// --- settling
// ---------------------------------------------------------------------------------------

outbox::EventRef Forwarder::ref_of(const event::Event& event) const {
  return {std::string(event.schema->name), event.epoch, event.seq};
}

void Forwarder::settle(const Piece& events, outbox::Settlement how, const std::string& reason) {
  if (events.empty()) return;
  std::vector<outbox::Settled> settled;
  settled.reserve(events.size());
  for (const event::Event& event : events) settled.push_back({ref_of(event), how, reason});
  if (how == outbox::Settlement::returned) is_waiting_there_ = true;
  if (how == outbox::Settlement::refused) {
    set_aside_ += static_cast<std::int64_t>(events.size());
    alarms_.set_aside(reason);
  }
  parts_.outbox.settle(options_.index, std::move(settled));
}

void Forwarder::return_sent(const Piece& events) {
  repeated_ += static_cast<std::int64_t>(events.size());
  settle(events, outbox::Settlement::returned, {});
}

void Forwarder::return_held() {
  for (const Piece& piece : pieces_) settle(piece, outbox::Settlement::returned, {});
  pieces_.clear();
  settle(suspects_, outbox::Settlement::returned, {});
  suspects_.clear();
}

// --- status
// -----------------------------------------------------------------------------------------

Status Forwarder::status() const {
  const auto state = [this]() -> const char* {
    if (phase_ == Phase::stopped) return "stopped";
    if (refusals_.is_rejecting()) return "rejecting";
    if (alarms_.is_down()) return "down";
    if (phase_ == Phase::backoff) return "backoff";
    if (phase_ == Phase::connecting) return "connecting";
    return flights_.empty() ? "idle" : "sending";
  };
  Status status(options_.name);
  status.set("state", state())
      .set("delivered", delivered_)
      .set("waiting", parts_.outbox.waiting(options_.index))
      .set("in_flight", events_held())
      .set("repeated", repeated_)
      .set("refused", set_aside_)
      .set("failures", failures_)
      .set("batch_limit", piece_events())
      .set("last_error", last_error_);
  if (phase_ == Phase::backoff) {
    const Microseconds left = std::max(Microseconds(0), retry_at_ - parts_.loop.now());
    status.set("retry_in_s", std::chrono::ceil<Seconds>(left).count());
  } else {
    status.set_unknown("retry_in_s");
  }
  status.add(transport_->status());
  return status;
}

}  // namespace berm::uplink
