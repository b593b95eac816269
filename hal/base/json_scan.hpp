// SPDX-License-Identifier: Apache-2.0
// What json_parse.cpp checks before the parsing library sees a document: the library takes more
// than JSON (any control character as blank, 01 as a number, \u0000 as the end of a string) and
// knows no positions. scan_json() blanks comments out, holds the text to RFC 8259's tokens and the
// nesting limit, and notes where each key and number stands, in document order, so that later
// refusals can name line and column. Used by json_parse.cpp only. Pure; any thread; one pass,
// memory of 4 bytes per key and number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm {

inline constexpr int kMaxJsonNesting = 32;

struct JsonScan {
  std::string text;                    // comments are blanks, line ends stay
  std::vector<std::uint32_t> keys;     // offsets of the opening quotes
  std::vector<std::uint32_t> numbers;  // offsets of the first characters
};

Result<JsonScan> scan_json(std::string_view text, bool comments);

// Error invalid: "line 3, column 7: what".
Error json_error_at(std::string_view text, std::size_t offset, std::string_view what);

}  // namespace berm
