// SPDX-License-Identifier: Apache-2.0
// FleetBoard: what an operator's `berm fleet` knows of the nodes of a broker, from their retained
// `state`, `info` and `config/state`, and how a roll-out stands: who takes part, who is active, who
// refused, went back or fell silent, and whether that is more than may be borne. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/control/set_message.hpp"
#include "hal/base/json.hpp"
#include "hal/base/time.hpp"

namespace berm::control {

struct FleetNode {
  std::string state;  // online, offline; empty: never said
  std::string version;
  Json config;       // the last config/state; null: none
  MonoTime heard{};  // of anything
  // Members of `config`; empty or 0 where there are none.
  std::string config_text(std::string_view key) const;
  std::int64_t config_sequence() const;
  // Of one layer: the sequence received last, and what became of it.
  std::int64_t layer_sequence(std::string_view layer) const;
  std::string layer_state(std::string_view layer) const;
  bool has_layer(std::string_view layer) const;
};

class FleetBoard {
 public:
  // False: no topic of a node.
  bool take(std::string_view topic, std::string_view payload, MonoTime now);
  const std::map<std::string, FleetNode>& nodes() const { return nodes_; }
  // The lowest sequence that is new to every node: for one layer.
  std::int64_t next_sequence(std::string_view layer) const;

 private:
  std::map<std::string, FleetNode> nodes_;
};

struct RolloutGoal {
  std::string layer;  // "group/flanders" or "node"
  std::string node;   // of layer "node": whose
  std::int64_t sequence = 0;
  std::optional<Rollout> rollout;
  double stop_share = 0.1;    // of those that take part: more in trouble than this stops it
  Seconds silent_after{180};  // beyond a node's own offset: no word of the document
};

struct RolloutStand {
  std::size_t nodes = 0;  // online, and the document is for them
  std::size_t active = 0, refused = 0, rolled_back = 0, silent = 0, under_way = 0;
  bool is_over() const { return nodes > 0 && under_way == 0; }
  bool must_stop = false;
  std::vector<std::string> troubled;  // "e19: rolled_back: reason", at most 20
};

// A group's members are the nodes that report the layer, and those `members` names; `since`: when
// the document was published.
RolloutStand stand_of(const FleetBoard& board, const RolloutGoal& goal, MonoTime since,
                      MonoTime now);

}  // namespace berm::control
