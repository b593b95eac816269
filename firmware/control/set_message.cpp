// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/set_message.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "firmware/control/limits.hpp"
#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

using Read = std::expected<SetMessage, std::string>;

constexpr std::array<std::string_view, 9> kKeys = {
    "sequence", "document", "rollout", "who", "why", "target", "not_after", "public_key", "issued"};

std::unexpected<std::string> refuse(std::string text) {
  return std::unexpected(std::move(text));
}

std::string unknown(std::string_view path, std::string_view key,
                    std::span<const std::string_view> known) {
  const std::string_view near = nearest(key, known);
  std::string text = std::string(path) + "/" + std::string(key.substr(0, 64)) + ": unknown key";
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  return text;
}

std::expected<Rollout, std::string> read_rollout(const Json& given) {
  constexpr std::array<std::string_view, 3> kOwn = {"percent", "salt", "spread_s"};
  if (!given.is_object()) return refuse("/rollout: must be an object");
  for (const auto& [key, value] : given.object()) {
    if (std::find(kOwn.begin(), kOwn.end(), key) == kOwn.end()) {
      return refuse(unknown("/rollout", key, kOwn));
    }
  }
  Rollout rollout;
  if (const Json* const percent = given.find("percent")) {
    if (!percent->is_number() || !(percent->number() >= 0.0 && percent->number() <= 100.0)) {
      return refuse("/rollout/percent: must be 0…100");
    }
    rollout.percent = percent->number();
  }
  if (const Json* const salt = given.find("salt")) {
    if (!salt->is_string() || salt->string().size() > kMaxWhoBytes) {
      return refuse("/rollout/salt: must be a text of at most 200 bytes");
    }
    rollout.salt = salt->string();
  }
  if (const Json* const spread = given.find("spread_s")) {
    if (!spread->is_integer() || spread->integer() < 0 || spread->integer() > kMaxSpreadS) {
      return refuse("/rollout/spread_s: must be 0…604800 s");
    }
    rollout.spread_s = spread->integer();
  }
  return rollout;
}

std::optional<std::string> take_text(const Json& body, std::string_view key, std::size_t most,
                                     std::string& into) {
  const Json* const given = body.find(key);
  if (given == nullptr) return std::nullopt;
  if (!given->is_string() || given->string().size() > most) {
    return "/" + std::string(key) + ": must be a text of at most " + std::to_string(most) +
           " bytes";
  }
  into = given->string();
  return std::nullopt;
}

// Objects and arrays inside one another. What a message holds is 32 deep at most.
std::size_t depth_of(const Json& json) {
  std::size_t deepest = 0;
  if (json.is_array()) {
    for (const Json& one : json.array()) deepest = std::max(deepest, depth_of(one));
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.object()) deepest = std::max(deepest, depth_of(value));
  } else {
    return 0;
  }
  return deepest + 1;
}

std::uint64_t hash_of(std::string_view node, std::string_view salt, std::string_view what) {
  std::string text(what);
  text.append("\n").append(salt).append("\n").append(node);
  return sum64_of(text);
}

double unit_of(std::uint64_t hash) {
  return static_cast<double>(hash >> 11U) * 0x1.0p-53;
}

}  // namespace

Read read_set_message(const Json& body) {
  for (const auto& [key, value] : body.object()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      return refuse(unknown("", key, kKeys));
    }
  }
  SetMessage message;
  const Json* const sequence = body.find("sequence");
  if (sequence == nullptr || !sequence->is_integer() || sequence->integer() < 1 ||
      sequence->integer() > kMaxSequence) {
    return refuse("/sequence: must be a whole number from 1 on");
  }
  message.sequence = sequence->integer();
  for (const auto& [key, most, into] : {std::tuple{"who", kMaxWhoBytes, &message.who},
                                        {"why", kMaxWhoBytes, &message.why},
                                        {"public_key", kMaxReasonBytes, &message.new_key}}) {
    if (auto fault = take_text(body, key, most, *into)) return refuse(std::move(*fault));
  }
  const Json* const document = body.find("document");
  message.has_document = document != nullptr;
  if (document == nullptr && message.new_key.empty()) return refuse("/document: is missing");
  if (document != nullptr) {
    if (!document->is_object()) return refuse("/document: must be an object");
    if (depth_of(*document) > kMaxRemoteDepth) {
      return refuse(text_of("/document: nested deeper than %zu", kMaxRemoteDepth));
    }
    message.document = *document;
  }
  if (const Json* const rollout = body.find("rollout")) {
    auto read = read_rollout(*rollout);
    if (!read) return refuse(std::move(read.error()));
    message.rollout = std::move(*read);
  }
  return message;
}

double rollout_share(std::string_view node, std::string_view salt) {
  return unit_of(hash_of(node, salt, "share"));
}

bool takes_part(const Rollout& rollout, std::string_view node) {
  return rollout_share(node, rollout.salt) * 100.0 < rollout.percent;
}

std::int64_t rollout_offset_s(const Rollout& rollout, std::string_view node) {
  if (rollout.spread_s == 0) return 0;
  const double unit = unit_of(hash_of(node, rollout.salt, "offset"));
  return static_cast<std::int64_t>(unit * static_cast<double>(rollout.spread_s));
}

}  // namespace berm::control
