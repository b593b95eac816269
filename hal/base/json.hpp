// SPDX-License-Identifier: Apache-2.0
// Json: a parsed document for cold paths (configuration, commands, recordings); events never become
// one. A plain value (cJSON does the parsing and stays inside). Objects keep their order. parse()
// refuses, with line and column: more than `max_bytes`, nesting beyond 32, a repeated key, invalid
// UTF-8, text after the end. `//` and `/* */` comments are allowed where `comments` says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hal/base/result.hpp"

namespace berm {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  enum class Kind { null, boolean, number, string, array, object };

  Json() = default;
  Json(bool value) : value_(value) {}                      // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                    // NOLINT(google-explicit-constructor)
  Json(int value) : value_(static_cast<double>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(std::int64_t value)
      : value_(static_cast<double>(value)) {}            // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Json(std::string_view value)
      : value_(std::string(value)) {}                      // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)

  struct Limits {
    std::size_t max_bytes = 1u << 20;
    bool comments = false;
  };
  static Result<Json> parse(std::string_view text, Limits limits);
  static Result<Json> parse(std::string_view text) { return parse(text, Limits{}); }

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_null() const { return kind() == Kind::null; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_number() const { return kind() == Kind::number; }
  bool is_boolean() const { return kind() == Kind::boolean; }
  // A number without a fraction that an int64 holds exactly (|n| ≤ 2^53).
  bool is_integer() const;

  // Precondition: kind() is the one asked for (asserted).
  bool boolean() const;
  double number() const;
  std::int64_t integer() const;
  const std::string& string() const;
  const Array& array() const;
  const Object& object() const;
  Array& array();
  Object& object();

  // A member of an object; nullptr where there is none or this is no object.
  const Json* find(std::string_view key) const;
  // Replaces or appends a member; this must be an object or null (which becomes one).
  void set(std::string_view key, Json value);

  // One line, members in their order; `pretty`: indented by two.
  std::string to_text(bool pretty = false) const;
  bool operator==(const Json& other) const = default;

 private:
  std::variant<std::monostate, bool, double, std::string, Array, Object> value_;
};

// RFC 7386: null deletes, objects merge, everything else replaces.
Json merge_patch(Json target, const Json& patch);

}  // namespace berm
