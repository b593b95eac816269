// SPDX-License-Identifier: Apache-2.0
// MqttClient: one MQTT v5 connection. linux/: libmosquitto on the loop, name resolution and connect
// off it; sim/: a scripted broker. It does not reconnect by itself and never queues while offline:
// the owner decides when to `connect` again. Loop thread only; events are never delivered inside a
// call. At most `max_in_flight` publishes wait for their acknowledgement; one more is Error `full`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time.hpp"
#include "hal/http_client.hpp"

namespace berm::hal {

struct MqttMessage {
  std::string topic;
  std::string payload;
  int qos = 1;
  bool retain = false;
  std::vector<std::pair<std::string, std::string>> user_properties;
  std::string content_type;
  std::string response_topic;
  std::string correlation_data;
};

struct MqttOptions {
  std::string host;
  int port = 1883;
  bool tls = false;
  TlsOptions tls_options;
  std::string client_id;
  std::string user, password;
  int keepalive_s = 60;
  Milliseconds timeout{10000};  // until the CONNACK
  int max_in_flight = 20;
  bool has_will = false;
  MqttMessage will;
  bool clean_start = true;
};

struct MqttEvents {
  // reason: the v5 code of the CONNACK; 0 = connected. Any other: closed again.
  std::function<void(int reason, bool session_present)> on_connected;
  // After on_connected(0), or instead of it: why the connection ended or never came to be. `reason`
  // is the v5 code of a DISCONNECT (142 = taken over) or 0.
  std::function<void(const Error& error, int reason)> on_disconnected;
  // The PUBACK of the publish that returned `id`: v5 reason (0 ok, 16 no subscriber, ≥ 128
  // refused).
  std::function<void(std::uint64_t id, int reason)> on_acknowledged;
  // The SUBACK of the `subscribe` with this filter: 0…2 the QoS granted, ≥ 128 refused.
  std::function<void(const std::string& topic_filter, int reason)> on_subscribed;
  std::function<void(const MqttMessage& message)> on_message;
};

inline constexpr std::size_t kMaxMqttSubscribes = 64;

class MqttClient {
 public:
  virtual ~MqttClient() = default;
  virtual void connect() = 0;     // ends in on_connected or on_disconnected
  virtual void disconnect() = 0;  // orderly; no further events
  virtual bool is_connected() const = 0;
  // An id unique in the client's life. Error: unavailable (offline), full, invalid.
  virtual Result<std::uint64_t> publish(const MqttMessage& message) = 0;
  // Answered by on_subscribed; at most kMaxMqttSubscribes wait for that (more: Error `full`).
  virtual Result<void> subscribe(const std::string& topic_filter, int qos) = 0;
  // bytes_sent, bytes_received (at the socket), in_flight.
  virtual Status status() const = 0;
};

class MqttClients {
 public:
  virtual ~MqttClients() = default;
  virtual Result<std::unique_ptr<MqttClient>> create(MqttOptions options, MqttEvents events) = 0;
};

}  // namespace berm::hal
