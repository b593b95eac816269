// SPDX-License-Identifier: Apache-2.0
// Fleet: one errand of `berm fleet` over a plain MQTT connection of its own: the list, a roll-out
// that is watched and stopped, commands to one node or all, holes of an audit turned into resends.
// Talks JSON lines (`--json`) or one line a second for people. Blocks in `run` on a loop of its
// own. Ends with 0 done, 1 not all of it. Used by the verb alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "firmware/control/fleet_board.hpp"
#include "hal/base/signature.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/mqtt_client.hpp"

namespace berm::agent {

struct FleetOptions {
  hal::MqttOptions broker;
  std::optional<PrivateKey> key;  // signs what is sent
  Seconds valid{7 * 86400};       // of what is signed
  bool json = false;
};

struct RolloutErrand {
  control::RolloutGoal goal;
  Json document;
  std::string who, why;
  std::int64_t sequence = 0;  // 0: the next
  Seconds within{3600};       // then it counts as not done
};

struct CommandErrand {
  struct One {
    std::string node;
    Json message;
  };
  std::vector<One> messages;
  bool all = false;  // `messages` has one, whose node every online node stands for
  Seconds timeout{60};
};

class Fleet {
 public:
  explicit Fleet(FleetOptions options);
  int list();
  int roll_out(RolloutErrand errand);
  int command(CommandErrand errand);

 private:
  struct Order {
    std::string node, id;
    bool has_ended = false;
    std::map<std::int64_t, std::string> chunks;
  };
  // Connects, hears what is retained until nothing more comes, then `then` in the loop.
  int run(std::function<void()> then);
  void connect();
  void on_message(const hal::MqttMessage& message);
  void wait_until_quiet(std::function<void()> then);
  void publish(const std::string& topic, const Json& body, const std::string& target, bool retain);
  void end(int code);
  void print_list() const;
  void publish_document(const RolloutErrand& errand, const Json& body);
  void watch_rollout();
  void print_stand(const control::RolloutStand& stand, std::string_view event) const;
  void stop_rollout();
  void send_orders(const CommandErrand& errand);
  void on_answer(Order& order, const std::string& payload);
  void print_answer(const Order& order, const Json& answer) const;

  const FleetOptions options_;
  hal::EpollLoop loop_;
  hal::SystemClock clock_;
  hal::MosquittoClients clients_;
  std::unique_ptr<hal::MqttClient> client_;
  hal::Timer quiet_, watch_, deadline_;
  std::function<void()> then_;
  control::FleetBoard board_;
  MonoTime last_heard_{};
  std::optional<Json> retained_set_;  // on the topic that a roll-out replaces
  std::string set_topic_;
  std::optional<RolloutErrand> rollout_;
  MonoTime since_{};
  std::string last_stand_;
  std::map<std::string, Order> orders_;  // by result topic
  std::size_t failed_orders_ = 0;
  int code_ = 1;
};

}  // namespace berm::agent
