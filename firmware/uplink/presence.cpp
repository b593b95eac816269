// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/presence.hpp"

#include <algorithm>
#include <utility>

#include "firmware/uplink/limits.hpp"
#include "hal/base/json.hpp"

namespace berm::uplink {

Presence::Presence(std::string_view node, std::string instance, std::string version)
    : topic_("berm/" + std::string(node) + "/info"),
      instance_(std::move(instance)),
      version_(std::move(version)) {}

std::string Presence::next_text() {
  Json text;
  text.set("instance", instance_);
  text.set("connects", ++connects_);
  text.set("version", version_);
  return text.to_text();
}

bool Presence::is_used_twice(std::string_view text) {
  const auto told = Json::parse(text);
  if (!told || !told->is_object()) return false;
  const Json* const instance = told->find("instance");
  const Json* const connects = told->find("connects");
  if (instance == nullptr || !instance->is_string() || instance->string() == instance_) {
    return false;
  }
  if (connects == nullptr || !connects->is_integer()) return false;
  const auto known = std::find_if(foreign_.begin(), foreign_.end(), [&](const Foreign& foreign) {
    return foreign.instance == instance->string();
  });
  if (known == foreign_.end()) {
    if (foreign_.size() == kMaxForeignInstances) foreign_.pop_front();
    foreign_.push_back({instance->string(), connects->integer()});
    return false;
  }
  if (connects->integer() <= known->connects) return false;
  foreign_.clear();
  return true;
}

}  // namespace berm::uplink
