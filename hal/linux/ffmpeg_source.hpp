// SPDX-License-Identifier: Apache-2.0
// FfmpegSource: a FrameSource that lets an `ffmpeg` child decode a film, an RTSP or HTTP stream or
// a video device, and reads the pictures from its pipe. No decoder is mapped into our process.
//
// The child may only speak the protocols its address needs (`-protocol_whitelist`), uses one
// thread, and dies with us. `open` blocks until the first picture's size is known, `next` until
// there is a picture, both at most `stall_ms`; then the child is ended and the Error is `timeout`.
// At its end: `closed` where it ended well, else `unavailable` with the last thing it said. The
// pipe holds little, so a live source that is not read in time loses pictures in ffmpeg, not here.
// One thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "hal/base/unique_fd.hpp"
#include "hal/base/y4m.hpp"
#include "hal/frame_source.hpp"

namespace berm::hal {

struct FfmpegPlan {
  std::string address;  // a path or URL
  int stall_ms = 10'000;
  bool is_paced = false;  // a film is read at its own speed
  std::uint64_t memory_bytes = 0;
};

class FfmpegSource final : public FrameSource {
 public:
  static Result<std::unique_ptr<FfmpegSource>> open(const FfmpegPlan& plan);
  ~FfmpegSource() override;
  FfmpegSource(const FfmpegSource&) = delete;
  FfmpegSource& operator=(const FfmpegSource&) = delete;

  Result<FrameView> next() override;
  double rate() const override { return header_.rate; }
  int width() const { return header_.width; }
  int height() const { return header_.height; }

  // What would be run; tests read it.
  static Result<std::vector<std::string>> words_for(const FfmpegPlan& plan);

 private:
  explicit FfmpegSource(const FfmpegPlan& plan) : plan_(plan) {}
  Result<void> start();
  Result<void> fill(std::size_t wanted);
  Result<std::string> line();
  Error ended();

  FfmpegPlan plan_;
  UniqueFd pictures_, words_;
  pid_t child_ = -1;
  Y4mHeader header_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace berm::hal
