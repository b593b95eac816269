// SPDX-License-Identifier: Apache-2.0
#include "hal/base/json.hpp"

#include <algorithm>
#include <cmath>

#include "hal/base/assert.hpp"
#include "hal/base/json_writer.hpp"

namespace berm {
namespace {

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53

void append_json(std::string& out, const Json& value) {
  switch (value.kind()) {
    case Json::Kind::null:
      out.append("null");
      return;
    case Json::Kind::boolean:
      out.append(value.boolean() ? "true" : "false");
      return;
    case Json::Kind::string:
      append_json_string(out, value.string());
      return;
    case Json::Kind::number:
      if (value.is_integer()) {
        out.append(std::to_string(value.integer()));
      } else {
        append_json_number(out, value.number());
      }
      return;
    case Json::Kind::array:
    case Json::Kind::object:
      break;
  }
  if (value.is_array()) {
    char opening = '[';
    for (const Json& element : value.array()) {
      out.push_back(std::exchange(opening, ','));
      append_json(out, element);
    }
    out.append(value.array().empty() ? "[]" : "]");
    return;
  }
  char opening = '{';
  for (const auto& [key, member] : value.object()) {
    out.push_back(std::exchange(opening, ','));
    append_json_string(out, key);
    out.push_back(':');
    append_json(out, member);
  }
  out.append(value.object().empty() ? "{}" : "}");
}

}  // namespace

bool Json::is_integer() const {
  if (!is_number()) return false;
  const double value = number();
  return std::fabs(value) <= kMaxExactInteger && value == std::trunc(value);
}

bool Json::boolean() const {
  BERM_ASSERT(is_boolean());
  return std::get<bool>(value_);
}

double Json::number() const {
  BERM_ASSERT(is_number());
  return std::get<double>(value_);
}

std::int64_t Json::integer() const {
  BERM_ASSERT(is_integer());
  return static_cast<std::int64_t>(std::get<double>(value_));
}

const std::string& Json::string() const {
  BERM_ASSERT(is_string());
  return std::get<std::string>(value_);
}

const Json::Array& Json::array() const {
  BERM_ASSERT(is_array());
  return std::get<Array>(value_);
}

const Json::Object& Json::object() const {
  BERM_ASSERT(is_object());
  return std::get<Object>(value_);
}

Json::Array& Json::array() {
  BERM_ASSERT(is_array());
  return std::get<Array>(value_);
}

Json::Object& Json::object() {
  BERM_ASSERT(is_object());
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : object()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

void Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  for (Member& member : object()) {
    if (member.first == key) {
      member.second = std::move(value);
      return;
    }
  }
  object().emplace_back(std::string(key), std::move(value));
}

std::string Json::to_text(bool pretty) const {
  std::string line;
  append_json(line, *this);
  return pretty ? pretty_json(line) : line;
}

Json merge_patch(Json target, const Json& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = Json(Json::Object{});
  for (const auto& [key, value] : patch.object()) {
    if (value.is_null()) {
      std::erase_if(target.object(),
                    [&](const Json::Member& member) { return member.first == key; });
      continue;
    }
    const Json* const old = target.find(key);
    target.set(key, merge_patch(old != nullptr ? *old : Json(), value));
  }
  return target;
}

}  // namespace berm
