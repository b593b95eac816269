// SPDX-License-Identifier: Apache-2.0
// FrameSource: pictures of one camera or film, one after the other, as the camera worker reads
// them. linux/: a child process that decodes (ffmpeg_source), a video device; sim/: rendered
// traffic with known truth. Pictures are planar YUV 4:2:0, 8 bits.
//
// `next` blocks until there is a picture (the worker has a process of its own; the agent never
// calls this). A view is valid until the next call. Times are µs of the source's own time line,
// which begins near 0 and never runs back; `index` counts the pictures of the source from 0, so a
// jump says that pictures were dropped. Fails: `closed` at the end of a film, `timeout` where the
// source stands still, `unavailable` where it is gone, `invalid` where what it sends is no picture.
// One thread.
#pragma once

#include <cstdint>

#include "hal/base/result.hpp"

namespace berm::hal {

struct FrameView {
  int width = 0;
  int height = 0;
  const std::uint8_t* y = nullptr;  // width × height
  const std::uint8_t* u = nullptr;  // (width + 1)/2 × (height + 1)/2
  const std::uint8_t* v = nullptr;
  std::int64_t index = 0;
  std::int64_t time_us = 0;

  int chroma_width() const { return (width + 1) / 2; }
  int chroma_height() const { return (height + 1) / 2; }
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual Result<FrameView> next() = 0;
  // Pictures a second, as the source says; 0: unknown.
  virtual double rate() const = 0;
};

}  // namespace berm::hal
