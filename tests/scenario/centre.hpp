// SPDX-License-Identifier: Apache-2.0
// Centre: the other side of the uplinks: a Flume HTTP source, an MQTT broker with a subscriber, and
// the moods they can be in. Whatever either takes is handed on, line by line. Used by Bed.
// Lifetime: network > centre. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "hal/sim/flume_server.hpp"
#include "hal/sim/mqtt_broker.hpp"
#include "hal/sim/network.hpp"

namespace berm::scenario {

inline constexpr const char* kFlumeHost = "flume.centre:9260";
inline constexpr const char* kBrokerHost = "broker.centre:1883";

// What the server answers to everything, whatever it is sent.
enum class FlumeMood {
  sound,
  too_many,     // 503 at once
  busy,         // 503 after 3 s
  bad_request,  // 400
  broken,       // 500
  too_long,     // 431
  portal,       // 200 with a page
  not_there,    // 404
};

class Centre {
 public:
  using TakeLine = std::function<void(std::string_view line)>;
  Centre(hal::SimNetwork& network, TakeLine flume_took, TakeLine broker_routed);
  Centre(const Centre&) = delete;
  Centre& operator=(const Centre&) = delete;

  hal::SimFlumeServer& flume() { return flume_; }
  hal::SimBroker& broker() { return broker_; }
  void set_flume_mood(FlumeMood mood);
  // Of the two channels to which every batch is copied the second takes no more once it is full:
  // the first has the batch then, and the answer is 503.
  void set_second_channel_full(bool is_full);
  // Every PUBACK of an event has this reason and nothing is taken; 0: the broker's own.
  void set_puback_reason(int reason);
  // Whether anybody reads the events.
  void set_subscribed(bool is_subscribed);
  void set_link(const char* host, const hal::SimLink& link) { network_.set_link(host, link); }
  void cut(const char* host) { network_.cut(host); }
  // Whether the processes run.
  void set_flume_up(bool is_up);
  void set_broker_up(bool is_up);
  // All is as on a good day.
  void heal();

 private:
  hal::SimNetwork& network_;
  hal::SimFlumeServer flume_;
  hal::SimBroker broker_;
  TakeLine broker_routed_;
  bool is_flume_up_ = true;
  bool is_broker_up_ = true;
};

}  // namespace berm::scenario
