// SPDX-License-Identifier: Apache-2.0
#include "hal/base/json_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
// Beyond these a number is written with an exponent, so a digit buffer of 64 always suffices.
constexpr double kPlainMin = 1e-7;
constexpr double kPlainMax = 1e21;
using Digits = std::array<char, 64>;

bool is_plain(double magnitude) {
  return magnitude == 0.0 || (magnitude >= kPlainMin && magnitude < kPlainMax);
}

std::string_view shortest(Digits& digits, double value, std::chars_format format) {
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, format);
  BERM_ASSERT(end.ec == std::errc());
  return {digits.data(), static_cast<std::size_t>(end.ptr - digits.data())};
}

void append_exponent_form(std::string& out, double value) {
  Digits digits;
  const std::string_view text = shortest(digits, value, std::chars_format::scientific);
  const std::size_t e = text.find('e');
  out.append(text.substr(0, e));
  if (text.substr(0, e).find('.') == std::string_view::npos) out.append(".0");
  out.append(text.substr(e));
}

// Adds one in the last place of `[begin, end)`, digits with perhaps a point; true: carried out of
// the first digit ("99.9" became "00.0").
bool add_one(char* begin, char* end) {
  for (char* digit = end; digit != begin;) {
    --digit;
    if (*digit == '.') continue;
    if (*digit != '9') {
      ++*digit;
      return false;
    }
    *digit = '0';
  }
  return true;
}

void append_short_escape(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  static constexpr std::string_view kHex = "0123456789abcdef";
  out.append("\\u00");
  out.push_back(kHex[byte >> 4U]);
  out.push_back(kHex[byte & 0x0FU]);
}

bool is_ordinary(unsigned char byte) {
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t end = i;
    while (end < text.size() && is_ordinary(static_cast<unsigned char>(text[end]))) ++end;
    out.append(text.substr(i, end - i));
    i = end;
    if (i == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      append_short_escape(out, byte);
      ++i;
      continue;
    }
    const std::size_t length = utf8_sequence_length(text.substr(i));
    out.append(length > 0 ? text.substr(i, length) : kReplacement);
    i += length > 0 ? length : 1;
  }
  out.push_back('"');
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  if (!is_plain(std::fabs(value))) {
    append_exponent_form(out, value);
    return;
  }
  Digits digits;
  const double unsigned_zero = value == 0.0 ? 0.0 : value;  // "-0.0" is a fraction nobody asked for
  const std::string_view text = shortest(digits, unsigned_zero, std::chars_format::fixed);
  out.append(text);
  if (text.find('.') == std::string_view::npos) out.append(".0");
}

// The shortest decimal form that reads back as `value` is what gets rounded, digit by digit, so the
// outcome depends neither on the architecture nor on a rounding mode: 0.15 → 0.2, 1.005 → 1.01.
void append_json_number(std::string& out, double value, int decimals) {
  BERM_ASSERT(decimals >= 0 && decimals <= 6);
  const double magnitude = std::fabs(value);
  if (!std::isfinite(value) || magnitude >= kPlainMax) {
    append_json_number(out, value);
    return;
  }
  Digits digits;
  std::string_view text = "0";
  if (magnitude >= kPlainMin) text = shortest(digits, magnitude, std::chars_format::fixed);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t kept =
      std::min(text.size(), point + (decimals > 0 ? 1 + static_cast<std::size_t>(decimals) : 0));
  std::size_t next = kept;  // the first digit that is cut off
  if (next < text.size() && text[next] == '.') ++next;
  const bool up = next < text.size() && text[next] >= '5';
  char* const begin = digits.data();
  const bool carried = up && add_one(begin, begin + kept);
  text = text.substr(0, kept);
  const bool is_zero = !carried && text.find_first_not_of("0.") == std::string_view::npos;
  if (value < 0.0 && !is_zero) out.push_back('-');
  if (carried) out.push_back('1');
  if (text.find('.') == std::string_view::npos) {
    out.append(text);
    out.append(".0");
    return;
  }
  // One rounded value has one form: 51.4999999 and 51.5 are both written 51.5.
  while (text.ends_with('0') && !text.ends_with(".0")) text.remove_suffix(1);
  out.append(text);
}

std::string pretty_json(std::string_view json) {
  std::string out;
  out.reserve(json.size() * 2);
  std::size_t depth = 0;
  bool in_string = false;
  const auto break_line = [&] {
    out.push_back('\n');
    out.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\' && i + 1 < json.size()) out.push_back(json[++i]);
      if (c == '"') in_string = false;
      continue;
    }
    const char next = i + 1 < json.size() ? json[i + 1] : '\0';
    const bool closes = c == '}' || c == ']';
    if (closes && depth > 0) --depth;
    if (closes && !out.empty() && out.back() != '{' && out.back() != '[') break_line();
    out.push_back(c);
    if (c == '"') in_string = true;
    if (c == ':') out.push_back(' ');
    if (c == ',') break_line();
    if (c == '{' || c == '[') {
      ++depth;
      if (next != '}' && next != ']') break_line();
    }
  }
  return out;
}

void JsonWriter::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_.push_back('{');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_.push_back('}');
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_.push_back('[');
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_.push_back(']');
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_.push_back('"');
  out_.append(name);
  out_.append("\":");
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out_.append(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  separate();
  append_json_number(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value, int decimals) {
  separate();
  append_json_number(out_, value, decimals);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_.append("null");
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace berm
