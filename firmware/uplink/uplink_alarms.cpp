// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/uplink_alarms.hpp"

#include <chrono>

#include "firmware/uplink/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

using drivers::Severity;

}  // namespace

UplinkAlarms::UplinkAlarms(std::string name, hal::Loop& loop, drivers::AlarmSink& sink)
    : name_(std::move(name)),
      loop_(loop),
      sink_(sink),
      down_timer_(loop),
      connected_timer_(loop),
      refused_timer_(loop),
      identity_timer_(loop) {}

void UplinkAlarms::failed(const std::string& reason, Trouble trouble, std::int64_t waiting) {
  suffer(Cause::answer, reason, trouble, waiting);
}

void UplinkAlarms::lost(const std::string& reason, Trouble trouble, std::int64_t waiting) {
  connected_timer_.cancel();
  identity_timer_.cancel();
  suffer(Cause::connection, reason, trouble, waiting);
}

void UplinkAlarms::suffer(Cause cause, const std::string& reason, Trouble trouble,
                          std::int64_t waiting) {
  reason_ = reason;
  waiting_ = waiting;
  if (cause_ == Cause::none) {
    since_ = loop_.now();
    down_timer_.after(kDownAfter, [this] { tell_down(); });
  }
  // A connection that comes back says nothing about answers that were bad before.
  if (cause_ != Cause::answer) cause_ = cause;
  begin_trouble(trouble, reason);
  if (is_down_) tell_down();
}

void UplinkAlarms::begin_trouble(Trouble trouble, const std::string& reason) {
  switch (trouble) {
    case Trouble::none:
      return;
    case Trouble::not_authorized:
      sink_.begin_alarm("uplink_not_authorized", name_, Severity::critical,
                        name_ + " does not let this node in (" + reason +
                            "): check user, password and what they may do there");
      return;
    case Trouble::certificate:
      sink_.begin_alarm("uplink_certificate", name_, Severity::critical,
                        name_ + " shows a certificate that is not trusted, or refuses ours (" +
                            reason + "): check ca_file, cert_file and the clock");
      return;
    case Trouble::no_subscriber:
      sink_.begin_alarm("no_subscriber", name_, Severity::warning,
                        name_ + " has nobody who receives the events (" + reason +
                            "): they are kept here until somebody subscribes");
      return;
    case Trouble::identity_used_twice:
      is_taken_over_ = true;
      sink_.begin_alarm("identity_used_twice", name_, Severity::critical,
                        "another device uses this node's name at " + name_ +
                            ": two nodes were given one name, or a card was cloned");
      return;
  }
}

void UplinkAlarms::tell_down() {
  is_down_ = true;
  const auto lasted = std::chrono::floor<Seconds>(loop_.now() - since_);
  sink_.begin_alarm("uplink_down", name_, Severity::warning,
                    name_ + " has taken nothing for " + human_seconds(lasted.count()) + ": " +
                        reason_ + text_of("; %lld events wait", static_cast<long long>(waiting_)));
}

void UplinkAlarms::end_down() {
  cause_ = Cause::none;
  down_timer_.cancel();
  if (is_down_) end("uplink_down");
  is_down_ = false;
  end("uplink_not_authorized");
  end("uplink_certificate");
}

void UplinkAlarms::connected() {
  if (cause_ == Cause::connection) {
    connected_timer_.after(kConnectedAfter, [this] {
      if (cause_ == Cause::connection) end_down();
    });
  }
  if (is_taken_over_) {
    identity_timer_.after(kIdentityAlarmFor, [this] {
      is_taken_over_ = false;
      end("identity_used_twice");
    });
  }
}

void UplinkAlarms::delivered() {
  if (cause_ == Cause::none) return;
  connected_timer_.cancel();
  end_down();
  end("uplink_rejecting");
  end("no_subscriber");
}

void UplinkAlarms::rejecting(const std::string& reason) {
  sink_.begin_alarm(
      "uplink_rejecting", name_, Severity::critical,
      name_ + " refuses every event it is sent (" + reason +
          "): something else may answer in its place; nothing is lost, all wait here");
}

void UplinkAlarms::set_aside(const std::string& reason) {
  ++set_aside_;
  sink_.begin_alarm("uplink_refused", name_, Severity::warning,
                    name_ +
                        text_of(" takes all but %lld events, which are set aside here: ",
                                static_cast<long long>(set_aside_)) +
                        reason);
  refused_timer_.after(kRefusedAlarmFor, [this] {
    set_aside_ = 0;
    end("uplink_refused");
  });
}

}  // namespace berm::uplink
