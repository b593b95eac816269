// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/mqtt_client.hpp"

#include <algorithm>
#include <set>

#include "hal/sim/mqtt_packet.hpp"

namespace berm::hal {
namespace {

using Kind = SimMqttPacket::Kind;

class SimMqttClient final : public MqttClient {
 public:
  SimMqttClient(SimNetwork& network, MqttOptions options, MqttEvents events)
      : network_(network),
        loop_(network.loop()),
        options_(std::move(options)),
        events_(std::make_shared<const MqttEvents>(std::move(events))),
        host_(options_.host + ":" + std::to_string(options_.port)),
        deadline_(loop_),
        keepalive_(loop_) {}

  ~SimMqttClient() override { disconnect(); }

  void connect() override;
  void disconnect() override;
  bool is_connected() const override { return state_ == State::connected; }
  Result<std::uint64_t> publish(const MqttMessage& message) override;
  Result<void> subscribe(const std::string& topic_filter, int qos) override;
  Status status() const override;

 private:
  enum class State { idle, connecting, connected };

  void on_connection(Result<std::shared_ptr<SimConnection>> connected);
  void on_packet(SimMqttPacket& packet);
  void on_connack(const SimMqttPacket& packet);
  void on_puback(const SimMqttPacket& packet);
  void on_suback(const SimMqttPacket& packet);
  void on_message(const SimMqttPacket& packet);
  void send(SimMqttPacket packet);
  void check_keepalive();
  void drop();
  void end(Error error, int reason);

  SimNetwork& network_;
  Loop& loop_;
  const MqttOptions options_;
  std::shared_ptr<const MqttEvents> events_;  // shared: an event may destroy this client
  const std::string host_;
  State state_ = State::idle;
  std::shared_ptr<SimNetwork::Attempt> attempt_;
  std::shared_ptr<SimConnection> connection_;
  Timer deadline_;
  Timer keepalive_;
  MonoTime last_sent_{};
  MonoTime last_received_{};
  bool awaits_pong_ = false;
  std::uint64_t last_id_ = 0;
  std::set<std::uint64_t> in_flight_;
  std::size_t subscribing_ = 0;
  std::int64_t bytes_sent_ = 0;
  std::int64_t bytes_received_ = 0;
};

void SimMqttClient::connect() {
  if (state_ != State::idle) return;
  state_ = State::connecting;
  deadline_.after(options_.timeout,
                  [this] { end(Error{ErrorCode::timeout, host_ + ": no answer in time", 0}, 0); });
  attempt_ = network_.connect(host_, options_.tls,
                              [this](Result<std::shared_ptr<SimConnection>> connected) {
                                on_connection(std::move(connected));
                              });
}

void SimMqttClient::on_connection(Result<std::shared_ptr<SimConnection>> connected) {
  if (!connected) {
    end(std::move(connected.error()), 0);
    return;
  }
  connection_ = std::move(*connected);
  connection_->set_end(
      SimEnd::agent,
      [this](std::any& content) {
        auto* packet = std::any_cast<SimMqttPacket>(&content);
        if (packet != nullptr) on_packet(*packet);
      },
      [this] { end(Error{ErrorCode::closed, host_ + ": the broker ended the connection", 0}, 0); });
  SimMqttPacket packet;
  packet.kind = Kind::connect;
  packet.options = options_;
  send(std::move(packet));
}

void SimMqttClient::send(SimMqttPacket packet) {
  const std::size_t bytes = packet.bytes();
  bytes_sent_ += static_cast<std::int64_t>(bytes);
  last_sent_ = loop_.now();
  connection_->send(SimEnd::agent, bytes, std::move(packet));
}

void SimMqttClient::on_packet(SimMqttPacket& packet) {
  bytes_received_ += static_cast<std::int64_t>(packet.bytes());
  last_received_ = loop_.now();
  switch (packet.kind) {
    case Kind::connack:
      on_connack(packet);
      break;
    case Kind::puback:
      on_puback(packet);
      break;
    case Kind::suback:
      on_suback(packet);
      break;
    case Kind::publish:
      on_message(packet);
      break;
    case Kind::pong:
      awaits_pong_ = false;
      break;
    case Kind::disconnect:
      end(Error{ErrorCode::closed, host_ + ": the broker ended the connection", packet.reason},
          packet.reason);
      break;
    default:
      break;
  }
}

void SimMqttClient::on_connack(const SimMqttPacket& packet) {
  const auto events = events_;
  deadline_.cancel();
  if (packet.reason == 0) {
    state_ = State::connected;
    check_keepalive();
  } else {
    drop();
  }
  if (events->on_connected) events->on_connected(packet.reason, packet.session_present);
}

void SimMqttClient::on_puback(const SimMqttPacket& packet) {
  if (in_flight_.erase(packet.id) == 0) return;
  const auto events = events_;
  if (events->on_acknowledged) events->on_acknowledged(packet.id, packet.reason);
}

void SimMqttClient::on_suback(const SimMqttPacket& packet) {
  if (subscribing_ > 0) --subscribing_;
  const auto events = events_;
  if (events->on_subscribed) events->on_subscribed(packet.topic_filter, packet.reason);
}

void SimMqttClient::on_message(const SimMqttPacket& packet) {
  const auto events = events_;
  if (events->on_message) events->on_message(packet.message);
}

void SimMqttClient::check_keepalive() {
  const Microseconds keepalive = Seconds{options_.keepalive_s};
  const MonoTime due = std::min(last_sent_, last_received_) + keepalive;
  if (loop_.now() < due) {
    keepalive_.at(due, [this] { check_keepalive(); });
    return;
  }
  if (awaits_pong_) {
    end(Error{ErrorCode::timeout, host_ + ": no answer to a ping within the keepalive", 0}, 0);
    return;
  }
  awaits_pong_ = true;
  last_received_ = loop_.now();  // the answer has a keepalive's time
  send(SimMqttPacket{});
  keepalive_.after(keepalive, [this] { check_keepalive(); });
}

void SimMqttClient::disconnect() {
  if (connection_ && state_ == State::connected) {
    SimMqttPacket packet;
    packet.kind = Kind::disconnect;
    send(std::move(packet));
  }
  drop();
}

void SimMqttClient::drop() {
  attempt_.reset();
  if (connection_) connection_->close(SimEnd::agent);
  connection_.reset();
  deadline_.cancel();
  keepalive_.cancel();
  awaits_pong_ = false;
  in_flight_.clear();
  subscribing_ = 0;
  state_ = State::idle;
}

void SimMqttClient::end(Error error, int reason) {
  const auto events = events_;
  drop();
  if (events->on_disconnected) events->on_disconnected(error, reason);
}

Result<std::uint64_t> SimMqttClient::publish(const MqttMessage& message) {
  if (state_ != State::connected) return fail(ErrorCode::unavailable, "MQTT: not connected");
  if (in_flight_.size() >= static_cast<std::size_t>(options_.max_in_flight)) {
    return fail(ErrorCode::full, "MQTT: the window is full");
  }
  if (message.topic.empty() || message.topic.find_first_of("+#") != std::string::npos) {
    return fail(ErrorCode::invalid, "MQTT publish: not a topic");
  }
  SimMqttPacket packet;
  packet.kind = Kind::publish;
  packet.id = ++last_id_;
  packet.message = message;
  in_flight_.insert(packet.id);
  send(std::move(packet));
  if (message.qos == 0) {
    loop_.after(Microseconds{0}, [this, id = last_id_, weak = std::weak_ptr(connection_)] {
      // The connection is this client's as long as it lives.
      const auto connection = weak.lock();
      if (!connection || !connection->is_open(SimEnd::agent)) return;
      SimMqttPacket written;
      written.id = id;
      on_puback(written);
    });
  }
  return last_id_;
}

Result<void> SimMqttClient::subscribe(const std::string& topic_filter, int qos) {
  if (state_ != State::connected) return fail(ErrorCode::unavailable, "MQTT: not connected");
  if (topic_filter.empty()) return fail(ErrorCode::invalid, "MQTT subscribe: not a filter");
  if (subscribing_ >= kMaxMqttSubscribes) {
    return fail(ErrorCode::full, "MQTT: too many subscriptions wait for their answer");
  }
  ++subscribing_;
  SimMqttPacket packet;
  packet.kind = Kind::subscribe;
  packet.topic_filter = topic_filter;
  packet.qos = qos;
  send(std::move(packet));
  return {};
}

Status SimMqttClient::status() const {
  Status status("mqtt");
  status.set("connected", is_connected());
  status.set("bytes_sent", bytes_sent_);
  status.set("bytes_received", bytes_received_);
  status.set("in_flight", in_flight_.size());
  return status;
}

}  // namespace

Result<std::unique_ptr<MqttClient>> SimMqttClients::create(MqttOptions options, MqttEvents events) {
  if (options.host.empty() || options.port < 1 || options.port > 65535) {
    return fail(ErrorCode::invalid, "MQTT: no host or port");
  }
  if (options.keepalive_s < kMinSimMqttKeepaliveS || options.keepalive_s > kMaxSimMqttKeepaliveS) {
    return fail(ErrorCode::invalid, "MQTT: keepalive must be 5…65535 s");
  }
  if (options.max_in_flight < 1 || options.max_in_flight > kMaxSimMqttWindow) {
    return fail(ErrorCode::invalid, "MQTT: window must be 1…100");
  }
  if (options.timeout <= Milliseconds{0}) return fail(ErrorCode::invalid, "MQTT: no timeout");
  if (options.client_id.empty() && !options.clean_start) {
    return fail(ErrorCode::invalid, "MQTT: a kept session needs a client id");
  }
  return std::make_unique<SimMqttClient>(network_, std::move(options), std::move(events));
}

}  // namespace berm::hal
