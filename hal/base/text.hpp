// SPDX-License-Identifier: Apache-2.0
// Small text jobs that many rooms need. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berm {

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
// Whole text, decimal; nothing else around it.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
// The candidate with the smallest edit distance, empty where none is near (distance > 1/2 of the
// length).
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);
// `*` and `?`; whole text.
bool matches_glob(std::string_view text, std::string_view pattern);
bool is_valid_utf8(std::string_view text);
// Bytes of the well-formed UTF-8 sequence at the begin of `text` (not empty); 0: it is none.
std::size_t utf8_sequence_length(std::string_view text);
// "2026-11-21T04:48:00Z" from seconds since 1970, and back ("…Z" or "…+01:00", fraction optional;
// µs).
std::string iso8601(std::int64_t unix_s);
std::optional<std::int64_t> parse_iso8601_us(std::string_view text);
// 1536 → "1.5 kB"; 90061 → "1 d 1 h"; for people.
std::string human_bytes(std::int64_t bytes);
std::string human_seconds(std::int64_t seconds);
// printf-like formatting into a std::string (there is no <format> yet).
[[gnu::format(printf, 1, 2)]] std::string text_of(const char* format, ...);

}  // namespace berm
