// SPDX-License-Identifier: Apache-2.0
// Presence: what a node leaves retained on a broker about itself (`berm/{node}/info`), and how it
// learns from the same topic that another device uses its name. Needed because a broker may end the
// older of two connections with one client id without a word (Mosquitto 2.0.11 sends no DISCONNECT
// 142), which looks like a broken link.
//
// The text has a word drawn by this process (`instance`) and how often it has connected. A foreign
// instance that is seen a second time with a higher count has connected in between: that only
// another living process can do. A text of an earlier life of this node, or one that a broker
// brings back from its own old store, never counts up. So broken links, restarts of either side and
// lost retained messages are no sign. Remembers at most kMaxForeignInstances; after a sign it
// begins anew, so that two nodes of one name take turns, each kTakeoverWait long. Pure; loop
// thread; used by one MqttTransport and living as long.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace berm::uplink {

class Presence {
 public:
  // `instance` differs between any two processes; empty: nothing is told or learnt.
  Presence(std::string_view node, std::string instance, std::string version);

  bool is_used() const { return !instance_.empty(); }
  const std::string& topic() const { return topic_; }
  // For the next connection: counts it.
  std::string next_text();
  // What the topic says, live or retained; true: another device uses this node's name.
  bool is_used_twice(std::string_view text);

 private:
  struct Foreign {
    std::string instance;
    std::int64_t connects = 0;
  };

  const std::string topic_;
  const std::string instance_;
  const std::string version_;
  std::int64_t connects_ = 0;
  std::deque<Foreign> foreign_;
};

}  // namespace berm::uplink
