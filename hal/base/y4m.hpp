// SPDX-License-Identifier: Apache-2.0
// The header of a YUV4MPEG2 stream, which is how decoded pictures come through a pipe: one line
// `YUV4MPEG2 W640 H360 F25:1 Ip A1:1 C420jpeg`, then per picture a line beginning with `FRAME` and
// the planes. Only 8-bit 4:2:0 of at most kMaxPictureSide is taken. Source: mjpegtools,
// yuv4mpeg(5). Pure; any thread. Fails `invalid` with what is wrong.
#pragma once

#include <cstddef>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm {

inline constexpr int kMaxPictureSide = 8192;
inline constexpr std::size_t kMaxY4mLine = 512;

struct Y4mHeader {
  int width = 0;
  int height = 0;
  double rate = 0.0;  // pictures a second; 0: not said

  std::size_t chroma_bytes() const {
    return static_cast<std::size_t>((width + 1) / 2) * static_cast<std::size_t>((height + 1) / 2);
  }
  std::size_t luma_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
  std::size_t frame_bytes() const { return luma_bytes() + 2 * chroma_bytes(); }
};

// `line` without its newline.
Result<Y4mHeader> parse_y4m_header(std::string_view line);

}  // namespace berm
