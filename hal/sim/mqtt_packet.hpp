// SPDX-License-Identifier: Apache-2.0
// What SimMqttClient and SimBroker say to each other over a SimConnection: MQTT v5 without its
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hal/mqtt_client.hpp"

namespace berm::hal {

struct SimMqttPacket {
  enum class Kind : std::uint8_t {
    connect,
    connack,
    publish,
    puback,
    subscribe,
    suback,
    disconnect,
    ping,
    pong
  };
  Kind kind = Kind::ping;
  std::uint64_t id = 0;          // publish, puback
  int reason = 0;                // connack, puback, suback, disconnect
  bool session_present = false;  // connack
  MqttMessage message;           // publish
  std::string topic_filter;      // subscribe, suback
  int qos = 0;                   // subscribe
  MqttOptions options;           // connect

  // About what it takes on the wire.
  std::size_t bytes() const {
    std::size_t bytes = 4 + message.topic.size() + message.payload.size() + topic_filter.size() +
                        options.client_id.size() + options.user.size() + options.password.size();
    for (const auto& [name, value] : message.user_properties) {
      bytes += name.size() + value.size() + 5;
    }
    return bytes;
  }
};

// MQTT 5.0 §4.7: + is one level, # the rest; a wildcard at the front does not match "$…".
bool matches_topic_filter(std::string_view filter, std::string_view topic);

}  // namespace berm::hal
