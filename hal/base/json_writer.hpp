// SPDX-License-Identifier: Apache-2.0
// Appends JSON to a caller's buffer without allocating of its own: the hot path of events and
// status. Integers never carry a fraction, numbers always do (`91.0`), shortest form that reads
// back the same (std::to_chars); a number that is not finite is written as null. Strings are
// escaped per RFC 8259; invalid UTF-8 becomes U+FFFD, so a line is always valid. Commas are the
// writer's business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berm {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);  // must be plain (no escaping is done)
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);
  // Rounded half away from zero to `decimals` (0…6), no zeros at the end beyond one decimal: 91.04
  // → `91.0`.
  JsonWriter& number(double value, int decimals);
  JsonWriter& boolean(bool value);
  JsonWriter& string(std::string_view value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already valid JSON

 private:
  void separate();
  std::string& out_;
  bool needs_comma_ = false;
};

void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, double value, int decimals);
// The same document, indented by two. `json` is one line as JsonWriter makes it.
std::string pretty_json(std::string_view json);

}  // namespace berm
