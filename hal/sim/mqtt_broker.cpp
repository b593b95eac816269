// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/mqtt_broker.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::hal {

using Kind = SimMqttPacket::Kind;

bool matches_topic_filter(std::string_view filter, std::string_view topic) {
  const bool begins_with_wildcard = filter.starts_with('+') || filter.starts_with('#');
  if (topic.starts_with('$') && begins_with_wildcard) return false;
  const auto wanted = split(filter, '/');
  const auto given = split(topic, '/');
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;
    if (i >= given.size()) return false;
    if (wanted[i] != "+" && wanted[i] != given[i]) return false;
  }
  return wanted.size() == given.size();
}

SimBroker::SimBroker(SimNetwork& network, std::string host)
    : network_(network), host_(std::move(host)) {
  start();
}

SimBroker::~SimBroker() {
  network_.stop_listening(host_);
  // Their receivers name this broker.
  for (const auto& session : sessions_) session->connection->close(SimEnd::host);
}

void SimBroker::start() {
  network_.listen(host_,
                  [this](const std::shared_ptr<SimConnection>& connection) { accept(connection); });
}

void SimBroker::kill() {
  network_.stop_listening(host_);
  // Without wills: a broker that dies publishes nothing.
  for (const auto& session : std::exchange(sessions_, {})) {
    session->connection->close(SimEnd::host);
  }
  is_frozen_ = false;
}

void SimBroker::accept(const std::shared_ptr<SimConnection>& connection) {
  auto session = std::make_shared<Session>();
  session->connection = connection;
  sessions_.push_back(session);
  const std::weak_ptr<Session> weak = session;
  connection->set_end(
      SimEnd::host,
      [this, weak](std::any& content) {
        const auto known = weak.lock();
        auto* packet = std::any_cast<SimMqttPacket>(&content);
        if (!known || packet == nullptr) return;
        if (is_frozen_) {
          known->unread.push_back(std::move(*packet));
        } else {
          on_packet(known, *packet);
        }
      },
      [this, weak] {
        if (const auto known = weak.lock()) on_ended(known);
      });
}

void SimBroker::thaw() {
  is_frozen_ = false;
  const auto sessions = sessions_;
  for (const auto& session : sessions) {
    for (auto& packet : std::exchange(session->unread, {})) on_packet(session, packet);
    if (!session->connection->is_open(SimEnd::host)) on_ended(session);
  }
}

void SimBroker::on_packet(const SessionPtr& session, SimMqttPacket& packet) {
  SimMqttPacket pong;
  switch (packet.kind) {
    case Kind::connect:
      on_connect(session, packet);
      break;
    case Kind::publish:
      on_publish(session, packet);
      break;
    case Kind::subscribe:
      on_subscribe(session, packet);
      break;
    case Kind::disconnect:
      remove(session, false);
      break;
    case Kind::ping:
      pong.kind = Kind::pong;
      send(*session, std::move(pong));
      break;
    default:
      break;
  }
}

void SimBroker::on_connect(const SessionPtr& session, SimMqttPacket& packet) {
  session->options = std::move(packet.options);
  SimMqttPacket answer;
  answer.kind = Kind::connack;
  answer.reason = connack_reason_;
  if (connack_reason_ == 0) {
    throw_out(session->options.client_id);
    session->is_connected = true;
  }
  send(*session, std::move(answer));
  if (connack_reason_ != 0) remove(session, false);
}

void SimBroker::on_publish(const SessionPtr& session, SimMqttPacket& packet) {
  const std::string& client_id = session->options.client_id;
  int reason = judge_ ? judge_(client_id, packet.message) : -1;
  if (reason < 128) {
    if (keeps_taken_) taken_.push_back(Taken{network_.loop().now(), client_id, packet.message});
    const int readers = route(packet.message);
    if (reason < 0) reason = readers > 0 ? 0 : kMqttNoSubscriber;
  }
  if (packet.message.qos == 0) return;
  SimMqttPacket answer;
  answer.kind = Kind::puback;
  answer.id = packet.id;
  answer.reason = reason;
  send(*session, std::move(answer));
}

void SimBroker::on_subscribe(const SessionPtr& session, SimMqttPacket& packet) {
  const std::string filter = packet.topic_filter;
  SimMqttPacket suback;
  suback.kind = Kind::suback;
  suback.topic_filter = filter;
  suback.reason = suback_reason_ == 0 ? packet.qos : suback_reason_;
  const bool is_granted = suback.reason < 128;
  send(*session, std::move(suback));
  if (!is_granted) return;
  session->filters.push_back(filter);
  for (const auto& [topic, message] : retained_) {
    if (!matches_topic_filter(filter, topic)) continue;
    SimMqttPacket answer;
    answer.kind = Kind::publish;
    answer.message = message;
    answer.message.retain = true;
    send(*session, std::move(answer));
  }
}

int SimBroker::route(const MqttMessage& message) {
  if (message.retain && message.payload.empty()) {
    retained_.erase(message.topic);
  } else if (message.retain) {
    retained_[message.topic] = message;
  }
  int readers = 0;
  const auto subscribers = subscribers_;  // one of them may subscribe
  for (const auto& [filter, subscriber] : subscribers) {
    if (!matches_topic_filter(filter, message.topic)) continue;
    ++readers;
    if (subscriber) subscriber(message);
  }
  for (const auto& session : sessions_) {
    const bool wants = std::any_of(
        session->filters.begin(), session->filters.end(),
        [&](const std::string& filter) { return matches_topic_filter(filter, message.topic); });
    if (!wants) continue;
    ++readers;
    SimMqttPacket packet;
    packet.kind = Kind::publish;
    packet.message = message;
    packet.message.retain = false;
    send(*session, std::move(packet));
  }
  return readers;
}

void SimBroker::on_ended(const SessionPtr& session) {
  if (is_frozen_) return;  // noticed when it thaws
  remove(session, true);
}

void SimBroker::remove(const SessionPtr& session, bool sends_will) {
  const auto found = std::find(sessions_.begin(), sessions_.end(), session);
  if (found == sessions_.end()) return;
  const SessionPtr kept = session;
  sessions_.erase(found);
  kept->connection->close(SimEnd::host);
  if (sends_will && kept->is_connected && kept->options.has_will) route(kept->options.will);
}

void SimBroker::throw_out(const std::string& client_id, int reason) {
  const auto sessions = sessions_;
  for (const auto& session : sessions) {
    if (!session->is_connected || session->options.client_id != client_id) continue;
    SimMqttPacket goodbye;
    goodbye.kind = Kind::disconnect;
    goodbye.reason = reason;
    send(*session, std::move(goodbye));
    remove(session, true);
  }
}

void SimBroker::subscribe(std::string topic_filter, Subscriber subscriber) {
  subscribers_.emplace_back(std::move(topic_filter), std::move(subscriber));
}

const MqttMessage* SimBroker::retained(const std::string& topic) const {
  const auto found = retained_.find(topic);
  return found == retained_.end() ? nullptr : &found->second;
}

bool SimBroker::is_connected(const std::string& client_id) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const SessionPtr& session) {
    return session->is_connected && session->options.client_id == client_id;
  });
}

void SimBroker::send(const Session& session, SimMqttPacket packet) {
  const std::size_t bytes = packet.bytes();
  session.connection->send(SimEnd::host, bytes, std::move(packet));
}

}  // namespace berm::hal
