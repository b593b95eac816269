// SPDX-License-Identifier: Apache-2.0
#include "hal/base/y4m.hpp"

#include <charconv>
#include <optional>

namespace berm {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<int> side(std::string_view text) {
  const auto value = number(text);
  if (!value || *value < 1 || *value > kMaxPictureSide) {
    return fail(ErrorCode::invalid, "a picture's side is not 1…" + std::to_string(kMaxPictureSide));
  }
  return *value;
}

double rate_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return 0.0;
  const auto above = number(text.substr(0, colon));
  const auto below = number(text.substr(colon + 1));
  if (!above || !below || *above <= 0 || *below <= 0) return 0.0;
  return static_cast<double>(*above) / *below;
}

bool is_420(std::string_view text) {
  return text == "420" || text == "420jpeg" || text == "420mpeg2" || text == "420paldv";
}

}  // namespace

Result<Y4mHeader> parse_y4m_header(std::string_view line) {
  constexpr std::string_view kMagic = "YUV4MPEG2";
  if (!line.starts_with(kMagic)) return fail(ErrorCode::invalid, "not a YUV4MPEG2 stream");
  line.remove_prefix(kMagic.size());
  Y4mHeader header;
  while (!line.empty()) {
    if (line.front() != ' ') return fail(ErrorCode::invalid, "a YUV4MPEG2 header without spaces");
    line.remove_prefix(1);
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    if (word.empty()) continue;
    const std::string_view value = word.substr(1);
    if (word.front() == 'W') {
      BERM_TRY(header.width, side(value));
    } else if (word.front() == 'H') {
      BERM_TRY(header.height, side(value));
    } else if (word.front() == 'F') {
      header.rate = rate_of(value);
    } else if (word.front() == 'C' && !is_420(value)) {
      return fail(ErrorCode::invalid, "pictures are not 8-bit 4:2:0");
    }
  }
  if (header.width == 0 || header.height == 0) {
    return fail(ErrorCode::invalid, "a YUV4MPEG2 header without a size");
  }
  return header;
}

}  // namespace berm
