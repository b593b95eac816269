// SPDX-License-Identifier: Apache-2.0
// SimBroker: an MQTT v5 broker in the simulator, as Mosquitto 2.0 behaves: retained messages, a
// PUBACK that says 0, 16 (nobody subscribed) or whatever the test's judge says, one connection per
// client id (the older one gets 142), the will of a client that went without a word. A session ends
// with its connection, as no client of ours asks for more.
//
// The centre subscribes and publishes on the broker itself. Everything taken is kept, in order.
// Faults: another CONNACK or SUBACK, frozen (connections stay, nothing is read), killed (nobody
// listens, retained messages are kept or forgotten), a client thrown out; the rest is SimNetwork's.
// Thread: the loop's. Lifetime: network > broker.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hal/mqtt_client.hpp"
#include "hal/sim/mqtt_packet.hpp"
#include "hal/sim/network.hpp"

namespace berm::hal {

inline constexpr int kMqttNoSubscriber = 16;
inline constexpr int kMqttTakenOver = 142;

class SimBroker {
 public:
  struct Taken {
    MonoTime time{};
    std::string client_id;
    MqttMessage message;
  };
  // The PUBACK's reason; −1: the broker's own answer. From 128 on the message is not taken.
  using Judge = std::function<int(const std::string& client_id, const MqttMessage& message)>;
  using Subscriber = std::function<void(const MqttMessage&)>;

  SimBroker(SimNetwork& network, std::string host);
  SimBroker(const SimBroker&) = delete;
  SimBroker& operator=(const SimBroker&) = delete;
  ~SimBroker();

  // The centre.
  void subscribe(std::string topic_filter, Subscriber subscriber);
  void unsubscribe_all() { subscribers_.clear(); }
  void publish(const MqttMessage& message) { route(message); }

  const std::vector<Taken>& taken() const { return taken_; }
  // False: from now on `taken` stays as it is; the subscribers are the record (long simulations).
  void keep_taken(bool is_kept) { keeps_taken_ = is_kept; }
  const MqttMessage* retained(const std::string& topic) const;
  bool is_connected(const std::string& client_id) const;

  // Faults.
  void set_connack_reason(int reason) { connack_reason_ = reason; }
  // 0: whatever is asked for is granted.
  void set_suback_reason(int reason) { suback_reason_ = reason; }
  void set_judge(Judge judge) { judge_ = std::move(judge); }
  void freeze() { is_frozen_ = true; }
  void thaw();
  void kill();
  void start();
  void forget_retained() { retained_.clear(); }
  // Sends DISCONNECT with this reason and closes.
  void throw_out(const std::string& client_id, int reason = kMqttTakenOver);

 private:
  struct Session {
    std::shared_ptr<SimConnection> connection;
    MqttOptions options;
    bool is_connected = false;
    std::vector<std::string> filters;
    std::vector<SimMqttPacket> unread;  // arrived while frozen
  };
  using SessionPtr = std::shared_ptr<Session>;

  void accept(const std::shared_ptr<SimConnection>& connection);
  void on_packet(const SessionPtr& session, SimMqttPacket& packet);
  void on_connect(const SessionPtr& session, SimMqttPacket& packet);
  void on_publish(const SessionPtr& session, SimMqttPacket& packet);
  void on_subscribe(const SessionPtr& session, SimMqttPacket& packet);
  void on_ended(const SessionPtr& session);
  void remove(const SessionPtr& session, bool sends_will);
  // To how many it went.
  int route(const MqttMessage& message);
  static void send(const Session& session, SimMqttPacket packet);

  SimNetwork& network_;
  const std::string host_;
  std::vector<SessionPtr> sessions_;
  std::vector<std::pair<std::string, Subscriber>> subscribers_;
  std::map<std::string, MqttMessage> retained_;
  std::vector<Taken> taken_;
  Judge judge_;
  int connack_reason_ = 0;
  int suback_reason_ = 0;
  bool is_frozen_ = false;
  bool keeps_taken_ = true;
};

}  // namespace berm::hal
