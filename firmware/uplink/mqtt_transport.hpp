// SPDX-License-Identifier: Apache-2.0
// MqttTransport: events over one MQTT v5 connection, QoS 1. Used by a Forwarder. One batch is one
// message: with `lines` up to max_message_bytes of JSON lines of one stream, with `event` one
// event. Delivered means a PUBACK that read_puback() takes for it; up to max_in_flight messages
// wait for theirs. It keeps `berm/{node}/state` retained: `online` after each connect, `offline` at
// an orderly close and, as the will, when the node vanishes. For these a PUBACK of 16 (no
// subscriber) is fine. It subscribes to its own `berm/{node}/info`, says there who it is, and gives
// the connection up where another device says so too (Presence); a broker that refuses this
// subscription is none the worse for it: `status` says so, and only DISCONNECT 142 tells of a twin.
// A broker that takes messages but acknowledges none for kPubackTimeout is given up: connection
// lost. Nothing is ever published while offline, and each connection is made by a new client, so
// nothing stale is sent again behind our back. Loop thread; `clients` outlives it. open() after a
// loss connects again. Fails by on_lost, never throws.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "firmware/codec/event_headers.hpp"
#include "firmware/codec/mqtt_payload.hpp"
#include "firmware/uplink/control_channel.hpp"
#include "firmware/uplink/presence.hpp"
#include "firmware/uplink/uplink.hpp"
#include "hal/mqtt_client.hpp"

namespace berm::uplink {

struct MqttTransportOptions {
  hal::MqttOptions broker;  // will and max_in_flight are set here; client_id, if empty: the node
  codec::EventHeaders headers;
  codec::MqttPayload payload = codec::MqttPayload::lines;
  std::size_t max_events = 1000;            // of a `lines` message
  std::size_t max_message_bytes = 131'072;  // payload; a larger single event is refused
  std::size_t max_in_flight = 20;
  bool pass_without_subscriber = false;
  std::string
      instance;         // differs between any two processes; empty: `info` is neither told nor read
  std::string version;  // of the agent, for `info`
  ControlChannel* channel = nullptr;  // carried on the same connection; outlives the transport
};

class MqttTransport final : public Transport {
 public:
  MqttTransport(MqttTransportOptions options, hal::Loop& loop, hal::MqttClients& clients);
  ~MqttTransport() override;
  Limits limits() const override;
  std::string fault_of(const event::Event& event) const override;
  void open(Events events) override;
  bool is_ready() const override { return is_ready_; }
  void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) override;
  void close() override;
  Status status() const override;
  // Connects as `{client id}-trial`, without a will or a word about this node.
  void probe(std::function<void(Answer)> done) override;

 private:
  struct Unacknowledged {
    std::uint64_t id = 0;
    MonoTime sent;
    std::function<void(Answer)> done;
  };
  void on_connected(int reason);
  void on_acknowledged(std::uint64_t id, int reason);
  void on_online();
  void on_message(const hal::MqttMessage& message);
  void lose(const Loss& loss);
  void watch_oldest();
  static hal::MqttMessage retained(std::string topic, std::string payload);
  hal::MqttMessage state_message(const char* state) const;
  void answer_soon(std::function<void(Answer)> done, Answer answer);

  const MqttTransportOptions options_;
  hal::Loop& loop_;
  hal::MqttClients& clients_;
  std::unique_ptr<hal::MqttClient> client_;
  Events events_;
  bool is_ready_ = false;
  std::deque<Unacknowledged> unacknowledged_;  // in order of sending; at most max_in_flight
  hal::Timer puback_timer_;
  std::uint64_t connects_ = 0;
  std::uint64_t online_id_ = 0;  // of the state message, until its PUBACK; ids begin at 1
  Presence presence_;
  int info_reason_ = 0;                                        // of the SUBACK for it
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);  // watched by what was posted
};

}  // namespace berm::uplink
