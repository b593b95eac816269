// SPDX-License-Identifier: Apache-2.0
#include "hal/base/status.hpp"

#include "hal/base/json_writer.hpp"

namespace berm {
namespace {

void write_value(JsonWriter& writer, const Status::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    writer.boolean(*flag);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    writer.integer(*whole);
  } else if (const auto* number = std::get_if<double>(&value)) {
    writer.number(*number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    writer.string(*text);
  } else {
    writer.null();
  }
}

// Names may come from the configuration (an uplink's), so they are escaped here.
void write_key(JsonWriter& writer, std::string& scratch, std::string_view name) {
  scratch.clear();
  append_json_string(scratch, name);
  writer.key(std::string_view(scratch).substr(1, scratch.size() - 2));
}

void write_status(JsonWriter& writer, std::string& scratch, const Status& status) {
  writer.begin_object();
  for (const Status::Item& item : status.items()) {
    write_key(writer, scratch, item.name);
    write_value(writer, item.value);
  }
  for (const Status& child : status.children()) {
    write_key(writer, scratch, child.name());
    write_status(writer, scratch, child);
  }
  writer.end_object();
}

}  // namespace

const Status* Status::child(std::string_view name) const {
  for (const Status& child : children_) {
    if (child.name() == name) return &child;
  }
  return nullptr;
}

const Status::Value* Status::find(std::string_view name) const {
  for (const Item& item : items_) {
    if (item.name == name) return &item.value;
  }
  return nullptr;
}

std::int64_t Status::integer(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const whole = value != nullptr ? std::get_if<std::int64_t>(value) : nullptr;
  return whole != nullptr ? *whole : 0;
}

double Status::number(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) return 0.0;
  if (const auto* whole = std::get_if<std::int64_t>(value)) return static_cast<double>(*whole);
  const auto* const number = std::get_if<double>(value);
  return number != nullptr ? *number : 0.0;
}

std::string Status::text(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const text = value != nullptr ? std::get_if<std::string>(value) : nullptr;
  return text != nullptr ? *text : std::string();
}

std::string Status::to_json(bool pretty) const {
  std::string line;
  std::string scratch;
  JsonWriter writer(line);
  write_status(writer, scratch, *this);
  return pretty ? pretty_json(line) : line;
}

Status& Status::put(std::string_view name, Value value) {
  for (Item& item : items_) {
    if (item.name == name) {
      item.value = std::move(value);
      return *this;
    }
  }
  items_.push_back({std::string(name), std::move(value)});
  return *this;
}

}  // namespace berm
