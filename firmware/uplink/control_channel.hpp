// SPDX-License-Identifier: Apache-2.0
// ControlChannel: what travels on an MQTT uplink's connection beside events: the node's own
// subscriptions and what it says for itself (configuration state, command results, alarms). A
// broker takes one connection of a node, so both share it; the channel outlives the transport that
// carries it and is carried by the next one. At most kControlWindow publishes wait for their
// acknowledgement, kMaxControlQueue for their turn; beyond that the oldest goes (of a retained
// topic only the newest waits anyway). What was sent and not acknowledged when the connection ends
// is sent again on the next where it is retained; else `done` says −1. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hal/base/status.hpp"
#include "hal/loop.hpp"
#include "hal/mqtt_client.hpp"

namespace berm::uplink {

inline constexpr std::size_t kControlWindow = 8;
inline constexpr std::size_t kMaxControlQueue = 256;

struct ControlChannelEvents {
  std::function<void()> on_up;  // connected, subscriptions are on their way
  std::function<void()> on_down;
  std::function<void(const hal::MqttMessage& message)> on_message;
};

class ControlChannel {
 public:
  // v5 reason of the acknowledgement; −1: the connection ended before.
  using Done = std::function<void(int reason)>;

  ControlChannel(hal::Loop& loop, std::vector<std::string> filters, ControlChannelEvents events);
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;

  bool is_up() const { return client_ != nullptr; }
  void publish(hal::MqttMessage message, Done done);
  // What is retained there comes once more.
  void subscribe_again();
  // Of a subscription on the present connection: 0…2 granted, ≥ 128 refused, −1 not answered yet or
  // not sent.
  int subscription(const std::string& filter) const;
  Status status() const;

  // The transport's side. None of these calls back into it.
  void connected(hal::MqttClient& client);
  void disconnected();
  bool on_acknowledged(std::uint64_t id, int reason);
  void on_subscribed(const std::string& filter, int reason);
  void on_message(const hal::MqttMessage& message);

 private:
  struct Outgoing {
    hal::MqttMessage message;
    Done done;
  };
  void subscribe();
  void pump();
  void replace(hal::MqttMessage& message);

  hal::Loop& loop_;
  const std::vector<std::string> filters_;
  const ControlChannelEvents events_;
  hal::MqttClient* client_ = nullptr;
  std::deque<Outgoing> queue_;
  std::map<std::uint64_t, Outgoing> in_flight_;
  std::map<std::string, int> answers_;  // to subscriptions
  std::int64_t sent_ = 0, received_ = 0, dropped_ = 0;
  hal::Timer pump_timer_;
};

}  // namespace berm::uplink
