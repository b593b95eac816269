// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/fleet_board.hpp"

#include <algorithm>

#include "firmware/control/limits.hpp"
#include "firmware/control/remote_state.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::size_t kMaxTroubled = 20;
constexpr std::size_t kMaxNodes = 100'000;

const Json* layer_in(const Json& config, std::string_view layer) {
  const Json* const layers = config.find("layers");
  return layers == nullptr ? nullptr : layers->find(layer);
}

}  // namespace

std::string FleetNode::config_text(std::string_view key) const {
  const Json* const value = config.find(key);
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

std::int64_t FleetNode::config_sequence() const {
  const Json* const value = config.find("sequence");
  return value != nullptr && value->is_integer() ? value->integer() : 0;
}

bool FleetNode::has_layer(std::string_view layer) const {
  return layer_in(config, layer) != nullptr;
}

std::int64_t FleetNode::layer_sequence(std::string_view layer) const {
  const Json* const known = layer_in(config, layer);
  const Json* const value = known == nullptr ? nullptr : known->find("sequence");
  return value != nullptr && value->is_integer() ? value->integer() : 0;
}

std::string FleetNode::layer_state(std::string_view layer) const {
  const Json* const known = layer_in(config, layer);
  const Json* const value = known == nullptr ? nullptr : known->find("state");
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

bool FleetBoard::take(std::string_view topic, std::string_view payload, MonoTime now) {
  if (!topic.starts_with("berm/")) return false;
  const auto words = split(topic.substr(5), '/');
  if (words.size() < 2 || words[0] == "group") return false;
  const std::string name(words[0]);
  const bool is_config = words.size() == 3 && words[1] == "config" && words[2] == "state";
  const bool is_own = words.size() == 2 && (words[1] == "state" || words[1] == "info");
  if (!is_config && !is_own) return false;
  if (nodes_.size() >= kMaxNodes && !nodes_.contains(name)) return false;
  FleetNode& node = nodes_[name];
  node.heard = now;
  if (is_own && words[1] == "state") {
    node.state = std::string(payload.substr(0, 20));
    return true;
  }
  const auto told = Json::parse(payload);
  if (!told || !told->is_object()) return true;
  if (is_config) {
    node.config = *told;
  } else if (const Json* const version = told->find("version");
             version != nullptr && version->is_string()) {
    node.version = version->string();
  }
  return true;
}

std::int64_t FleetBoard::next_sequence(std::string_view layer) const {
  std::int64_t highest = 0;
  for (const auto& [name, node] : nodes_) highest = std::max(highest, node.layer_sequence(layer));
  return highest + 1;
}

RolloutStand stand_of(const FleetBoard& board, const RolloutGoal& goal, MonoTime since,
                      MonoTime now) {
  RolloutStand stand;
  for (const auto& [name, node] : board.nodes()) {
    const bool is_meant = goal.layer == kNodeLayer ? name == goal.node : node.has_layer(goal.layer);
    if (!is_meant || (goal.rollout && !takes_part(*goal.rollout, name))) continue;
    ++stand.nodes;
    const Seconds offset{goal.rollout ? rollout_offset_s(*goal.rollout, name) : 0};
    const bool has_heard = node.layer_sequence(goal.layer) >= goal.sequence;
    const std::string state = has_heard ? node.layer_state(goal.layer) : "";
    std::string trouble;
    if (state == "active") {
      ++stand.active;
    } else if (state == "refused" || state == "rolled_back") {
      ++(state == "refused" ? stand.refused : stand.rolled_back);
      trouble = state + ": " + node.config_text("reason");
    } else if (now - since > offset + goal.silent_after) {
      ++stand.silent;
      trouble = state.empty() ? "silent" : "silent since " + state;
    } else {
      ++stand.under_way;
    }
    if (trouble.empty() || stand.troubled.size() >= kMaxTroubled) continue;
    stand.troubled.push_back(name + ": " + trouble);
  }
  const std::size_t troubled = stand.refused + stand.rolled_back + stand.silent;
  stand.must_stop =
      static_cast<double>(troubled) > goal.stop_share * static_cast<double>(stand.nodes);
  return stand;
}

}  // namespace berm::control
