// SPDX-License-Identifier: Apache-2.0
// Status: one snapshot of one component, read alike by shell, page, MQTT health, metrics and tests.
// An ordered tree of named values; names are snake_case with the unit last (`oldest_unsent_s`),
// stable once published. Built on the loop thread, then a plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace berm {

class Status {
 public:
  // monostate is "not known" (JSON null).
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
  struct Item {
    std::string name;
    Value value;
  };

  Status() = default;
  explicit Status(std::string name) : name_(std::move(name)) {}

  Status& set(std::string_view name, std::string_view text) { return put(name, std::string(text)); }
  Status& set(std::string_view name, const char* text) { return put(name, std::string(text)); }
  Status& set(std::string_view name, const std::string& text) { return put(name, text); }
  Status& set(std::string_view name, bool value) { return put(name, value); }
  Status& set(std::string_view name, double value) { return put(name, value); }
  template <class I>
    requires(std::is_integral_v<I> && !std::is_same_v<I, bool>)
  Status& set(std::string_view name, I value) {
    return put(name, static_cast<std::int64_t>(value));
  }
  Status& set_unknown(std::string_view name) { return put(name, std::monostate{}); }
  Status& add(Status child) {
    children_.push_back(std::move(child));
    return *this;
  }

  const std::string& name() const { return name_; }
  const std::vector<Item>& items() const { return items_; }
  const std::vector<Status>& children() const { return children_; }
  // nullptr where there is none.
  const Status* child(std::string_view name) const;
  const Value* find(std::string_view name) const;
  // 0 / empty where there is none or it is of another kind.
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::string text(std::string_view name) const;

  // {"name": value, …, "child": {…}}
  std::string to_json(bool pretty = false) const;

 private:
  Status& put(std::string_view name, Value value);
  std::string name_;
  std::vector<Item> items_;
  std::vector<Status> children_;
};

}  // namespace berm
