// SPDX-License-Identifier: Apache-2.0
// Films and addresses that are none: FfmpegSource says why, and leaves nothing running. Needs
// ffmpeg for what it decodes.
#include "hal/linux/ffmpeg_source.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace berm::hal {
namespace {

bool has_ffmpeg() {
  for (const char* path : {"/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"}) {
    if (::access(path, X_OK) == 0) return true;
  }
  return false;
}

// A file that is gone with the test.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& bytes) {
    char name[] = "/tmp/berm-film-XXXXXX";
    const int fd = ::mkstemp(name);
    path_ = name;
    std::FILE* const file = ::fdopen(fd, "wb");
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string film(int width, int height, int frames) {
  std::string text = "YUV4MPEG2 W" + std::to_string(width) + " H" + std::to_string(height) +
                     " F10:1 Ip A1:1 C420jpeg\n";
  for (int i = 0; i < frames; ++i) {
    const auto size = static_cast<std::size_t>(width * height * 3 / 2);
    text += "FRAME\n" + std::string(size, static_cast<char>(100 + i));
  }
  return text;
}

TEST(FfmpegSource, ReadsAFilmToItsEnd) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  const ScratchFile file(film(64, 48, 7));
  auto source = FfmpegSource::open({.address = file.path()});
  ASSERT_TRUE(source.has_value()) << source.error().text;
  EXPECT_EQ((*source)->width(), 64);
  EXPECT_EQ((*source)->rate(), 10.0);
  for (int i = 0; i < 7; ++i) {
    const auto frame = (*source)->next();
    ASSERT_TRUE(frame.has_value()) << i << frame.error().text;
    EXPECT_EQ(frame->index, i);
    EXPECT_EQ(frame->time_us, i * 100'000);
    EXPECT_EQ(frame->y[0], 100 + i);
  }
  const auto end = (*source)->next();
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, ErrorCode::closed);
  EXPECT_EQ((*source)->next().error().code, ErrorCode::closed);
}

TEST(FfmpegSource, WhatIsNoFilmIsSaid) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  const ScratchFile file("this is no film\n");
  for (const std::string& address : {file.path(), std::string("/no/such/film.mp4")}) {
    const auto source = FfmpegSource::open({.address = address});
    ASSERT_FALSE(source.has_value()) << address;
    EXPECT_EQ(source.error().code, ErrorCode::unavailable) << source.error().text;
  }
}

TEST(FfmpegSource, SpeaksOnlyWhatItsAddressNeeds) {
  const auto words = [](const std::string& address) {
    return *FfmpegSource::words_for({.address = address});
  };
  const auto allowed = [&](const std::string& address) {
    const auto all = words(address);
    return *(std::find(all.begin(), all.end(), "-protocol_whitelist") + 1);
  };
  EXPECT_EQ(allowed("/tmp/a.mp4"), "file");
  EXPECT_EQ(allowed("http://camera/1"), "http,tcp");
  EXPECT_EQ(allowed("rtsp://camera/1"), "rtsp,rtp,udp,tcp");
  // A file's name is a file's name.
  const auto all = words("concat:a|b");
  EXPECT_NE(std::find(all.begin(), all.end(), "file:concat:a|b"), all.end());
  EXPECT_FALSE(FfmpegSource::words_for({.address = "gopher://x"}).has_value());
}

}  // namespace
}  // namespace berm::hal
