// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/ffmpeg_source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "hal/linux/spawn.hpp"

namespace berm::hal {
namespace {

constexpr std::size_t kMaxSaid = 4096;

struct Scheme {
  std::string_view begins;
  std::string_view allowed;
  std::string_view format;  // of the input; empty: ffmpeg finds out
};
constexpr Scheme kSchemes[] = {
    {"rtsp://", "rtsp,rtp,udp,tcp", ""}, {"rtsps://", "rtsps,rtsp,rtp,udp,tcp,tls", ""},
    {"http://", "http,tcp", ""},         {"https://", "https,tls,tcp", ""},
    {"/dev/video", "file", "v4l2"},
};

}  // namespace

Result<std::vector<std::string>> FfmpegSource::words_for(const FfmpegPlan& plan) {
  std::vector<std::string> words{"ffmpeg",   "-nostdin", "-hide_banner", "-v", "error",
                                 "-threads", "1"};
  const Scheme* scheme = nullptr;
  for (const Scheme& one : kSchemes) {
    if (plan.address.starts_with(one.begins)) scheme = &one;
  }
  if (scheme == nullptr && plan.address.find("://") != std::string::npos) {
    return fail(ErrorCode::unsupported, "no camera has an address like " + plan.address);
  }
  std::string address = plan.address;
  // A file's name is never taken for a protocol or an option.
  if (scheme == nullptr) address = "file:" + address;
  if (scheme != nullptr && scheme->begins.starts_with("rtsp")) {
    words.insert(words.end(), {"-rtsp_transport", "tcp"});
  }
  if (scheme != nullptr && !scheme->format.empty()) {
    words.insert(words.end(), {"-f", std::string(scheme->format)});
  }
  if (plan.is_paced && scheme == nullptr) words.emplace_back("-re");
  words.insert(words.end(),
               {"-protocol_whitelist", scheme == nullptr ? "file" : std::string(scheme->allowed),
                "-i", address, "-map", "0:v:0", "-an", "-sn", "-dn", "-fps_mode", "passthrough",
                "-threads", "1", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"});
  return words;
}

Result<std::unique_ptr<FfmpegSource>> FfmpegSource::open(const FfmpegPlan& plan) {
  std::unique_ptr<FfmpegSource> source(new FfmpegSource(plan));
  BERM_CHECK(source->start());
  BERM_TRY(const std::string first, source->line());
  BERM_TRY(source->header_, parse_y4m_header(first));
  return source;
}

Result<void> FfmpegSource::start() {
  SpawnPlan spawned;
  BERM_TRY(spawned.words, words_for(plan_));
  int pictures[2];
  int words[2];
  if (::pipe2(pictures, O_CLOEXEC) != 0) return fail(system_error("starting ffmpeg", errno));
  pictures_.reset(pictures[0]);
  UniqueFd output(pictures[1]);
  if (::pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0)
    return fail(system_error("starting ffmpeg", errno));
  words_.reset(words[0]);
  UniqueFd error(words[1]);
  ::fcntl(pictures_.get(), F_SETPIPE_SZ, 1 << 20);
  spawned.output = output.get();
  spawned.error = error.get();
  spawned.memory_bytes = plan_.memory_bytes;
  BERM_TRY(child_, spawn(spawned));
  return {};
}

FfmpegSource::~FfmpegSource() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

Error FfmpegSource::ended() {
  char said[kMaxSaid];
  const ssize_t got = ::read(words_.get(), said, sizeof said);
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && count_ > 0) {
    return {ErrorCode::closed, "the film is over"};
  }
  std::string text(said, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return {ErrorCode::unavailable, "ffmpeg ended" + (text.empty() ? "" : ": " + text)};
}

// At least `wanted` bytes in the buffer from begin_ on.
Result<void> FfmpegSource::fill(std::size_t wanted) {
  if (end_ - begin_ >= wanted) return {};
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (buffer_.size() < wanted + kMaxY4mLine) buffer_.resize(wanted + kMaxY4mLine);
  while (end_ - begin_ < wanted) {
    pollfd waiting{pictures_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, plan_.stall_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return fail(ErrorCode::timeout, "no picture came in time");
    const ssize_t got = ::read(pictures_.get(), buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error("reading pictures", errno));
    if (got == 0) return fail(ended());
    end_ += static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::string> FfmpegSource::line() {
  for (std::size_t length = 1; length < kMaxY4mLine; ++length) {
    BERM_CHECK(fill(length));
    if (buffer_[begin_ + length - 1] != '\n') continue;
    std::string text(reinterpret_cast<const char*>(buffer_.data() + begin_), length - 1);
    begin_ += length;
    return text;
  }
  return fail(ErrorCode::invalid, "what ffmpeg sends is no film");
}

Result<FrameView> FfmpegSource::next() {
  if (child_ <= 0) return fail(ErrorCode::closed, "the film is over");
  BERM_TRY(const std::string word, line());
  if (!word.starts_with("FRAME")) return fail(ErrorCode::invalid, "a picture is damaged");
  BERM_CHECK(fill(header_.frame_bytes()));
  FrameView view;
  view.width = header_.width;
  view.height = header_.height;
  view.y = buffer_.data() + begin_;
  view.u = view.y + header_.luma_bytes();
  view.v = view.u + header_.chroma_bytes();
  view.index = count_++;
  const double rate = header_.rate > 0.0 ? header_.rate : 25.0;
  view.time_us = static_cast<std::int64_t>(static_cast<double>(view.index) / rate * 1e6 + 0.5);
  begin_ += header_.frame_bytes();
  return view;
}

}  // namespace berm::hal
