// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/control_channel.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

constexpr int kFirstRefusal = 128;
constexpr int kNotSent = -1;
constexpr Milliseconds kWindowRetry{200};  // the uplink's own messages fill the client's window

}  // namespace

ControlChannel::ControlChannel(hal::Loop& loop, std::vector<std::string> filters,
                               ControlChannelEvents events)
    : loop_(loop), filters_(std::move(filters)), events_(std::move(events)), pump_timer_(loop) {}

void ControlChannel::connected(hal::MqttClient& client) {
  client_ = &client;
  answers_.clear();
  subscribe();
  pump_timer_.after(Microseconds{0}, [this] {
    if (!is_up()) return;
    if (events_.on_up) events_.on_up();
    pump();
  });
}

void ControlChannel::subscribe() {
  for (const std::string& filter : filters_) {
    if (!client_->subscribe(filter, 1)) answers_[filter] = kNotSent;
  }
}

void ControlChannel::subscribe_again() {
  if (is_up()) subscribe();
}

int ControlChannel::subscription(const std::string& filter) const {
  const auto answer = answers_.find(filter);
  return answer == answers_.end() ? kNotSent : answer->second;
}

void ControlChannel::disconnected() {
  if (client_ == nullptr) return;
  client_ = nullptr;
  answers_.clear();
  pump_timer_.cancel();
  std::vector<Done> ended;
  for (auto it = in_flight_.rbegin(); it != in_flight_.rend(); ++it) {
    Outgoing& outgoing = it->second;
    const bool is_newer_there = std::any_of(
        queue_.begin(), queue_.end(),
        [&](const Outgoing& waiting) { return waiting.message.topic == outgoing.message.topic; });
    if (outgoing.message.retain && !is_newer_there) {
      queue_.push_front(std::move(outgoing));
    } else if (outgoing.done) {
      ended.push_back(std::move(outgoing.done));
    }
  }
  in_flight_.clear();
  loop_.post([ended = std::move(ended)] {
    for (const Done& done : ended) done(kNotSent);
  });
  if (events_.on_down) events_.on_down();
}

void ControlChannel::publish(hal::MqttMessage message, Done done) {
  if (message.retain) replace(message);
  if (queue_.size() >= kMaxControlQueue) {
    ++dropped_;
    const Done oldest = std::move(queue_.front().done);
    queue_.pop_front();
    if (oldest) loop_.post([oldest] { oldest(kNotSent); });
  }
  queue_.push_back({std::move(message), std::move(done)});
  pump();
}

// What was to be retained there and has not gone out yet is out of date.
void ControlChannel::replace(hal::MqttMessage& message) {
  std::erase_if(queue_, [&](const Outgoing& waiting) {
    return waiting.message.retain && waiting.message.topic == message.topic;
  });
}

void ControlChannel::pump() {
  while (client_ != nullptr && !queue_.empty() && in_flight_.size() < kControlWindow) {
    const auto id = client_->publish(queue_.front().message);
    if (!id && id.error().code == ErrorCode::full) {
      pump_timer_.after(kWindowRetry, [this] { pump(); });
      return;
    }
    if (!id && id.error().code == ErrorCode::unavailable) return;
    Outgoing outgoing = std::move(queue_.front());
    queue_.pop_front();
    if (id) {
      ++sent_;
      in_flight_.emplace(*id, std::move(outgoing));
    } else if (outgoing.done) {
      loop_.post([done = std::move(outgoing.done)] { done(kFirstRefusal); });
    }
  }
}

bool ControlChannel::on_acknowledged(std::uint64_t id, int reason) {
  const auto node = in_flight_.extract(id);
  if (node.empty()) return false;
  pump();
  if (node.mapped().done) node.mapped().done(reason);
  return true;
}

void ControlChannel::on_subscribed(const std::string& filter, int reason) {
  answers_[filter] = reason;
}

void ControlChannel::on_message(const hal::MqttMessage& message) {
  ++received_;
  if (events_.on_message) events_.on_message(message);
}

Status ControlChannel::status() const {
  Status status("control");
  status.set("connected", is_up()).set("sent", sent_).set("received", received_);
  status.set("queued", queue_.size()).set("dropped", dropped_);
  for (const auto& [filter, reason] : answers_) {
    const bool is_granted = reason >= 0 && reason < kFirstRefusal;
    if (!is_granted) status.set("refused", filter + text_of(": MQTT %d", reason));
  }
  return status;
}

}  // namespace berm::uplink
