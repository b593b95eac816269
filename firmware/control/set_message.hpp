// SPDX-License-Identifier: Apache-2.0
// SetMessage: the body of a `config/set`: a sequence, a merge patch on the file (RFC 7386), and who
// is meant by it. A roll-out takes a node in when its hash under the salt falls below the
// percentage, and lets it begin at its own offset in the spread; so the same document at 5, 25 and
// 100 % is a canary that only grows. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "hal/base/json.hpp"

namespace berm::control {

struct Rollout {
  double percent = 100.0;
  std::string salt;
  std::int64_t spread_s = 0;
};

struct SetMessage {
  std::int64_t sequence = 0;
  Json document{Json::Object{}};  // the layer, whole: it replaces the one before
  bool has_document = true;       // false: the message only changes the key
  std::optional<Rollout> rollout;
  std::string new_key;  // PEM; empty: the key stays
  std::string who, why;
};

// Error: one line with the path of what is wrong ("/rollout/percent: must be 0…100").
std::expected<SetMessage, std::string> read_set_message(const Json& body);

// 0…1, the same for the same node and salt whatever else changes; spread evenly over a fleet.
double rollout_share(std::string_view node, std::string_view salt);
bool takes_part(const Rollout& rollout, std::string_view node);
// 0…spread_s, of another hash than the share.
std::int64_t rollout_offset_s(const Rollout& rollout, std::string_view node);

}  // namespace berm::control
