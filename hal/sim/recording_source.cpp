// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/recording_source.hpp"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace berm::hal {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct GzipCloser {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

class PlainFile final : public ByteSource {
 public:
  PlainFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  Result<std::size_t> read(char* into, std::size_t bytes) override {
    const std::size_t taken = std::fread(into, 1, bytes, file_.get());
    if (taken == 0 && std::ferror(file_.get()) != 0) return fail(system_error(path_, errno));
    return taken;
  }
  Result<void> rewind() override {
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) return fail(system_error(path_, errno));
    return {};
  }

 private:
  std::unique_ptr<std::FILE, FileCloser> file_;
  std::string path_;
};

class GzipFile final : public ByteSource {
 public:
  GzipFile(gzFile file, std::string path) : file_(file), path_(std::move(path)) {}
  Result<std::size_t> read(char* into, std::size_t bytes) override {
    const int taken = gzread(file_.get(), into, static_cast<unsigned>(bytes));
    int code = Z_OK;
    const char* text = gzerror(file_.get(), &code);
    // A file that ends too early gives its last bytes first and the error with them.
    if (taken < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      return fail(ErrorCode::damaged, path_ + ": " + text);
    }
    if (taken > 0 && gzdirect(file_.get()) != 0) {
      return fail(ErrorCode::damaged, path_ + ": is not gzip, whatever its name says");
    }
    return static_cast<std::size_t>(taken);
  }
  Result<void> rewind() override {
    if (gzrewind(file_.get()) != 0) return fail(ErrorCode::io, path_ + ": cannot be read again");
    return {};
  }

 private:
  std::unique_ptr<gzFile_s, GzipCloser> file_;
  std::string path_;
};

class Text final : public ByteSource {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(char* into, std::size_t bytes) override {
    const std::size_t taken = text_.copy(into, bytes, place_);
    place_ += taken;
    return taken;
  }
  Result<void> rewind() override {
    place_ = 0;
    return {};
  }

 private:
  std::string text_;
  std::size_t place_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_bytes(const std::string& path) {
  // A folder opens well and fails only when it is read: say so here.
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return fail(system_error(path, errno));
  auto plain = std::make_unique<PlainFile>(file, path);
  char first = 0;
  BERM_CHECK(plain->read(&first, 1));
  BERM_CHECK(plain->rewind());
  if (!path.ends_with(".gz")) return plain;
  gzFile gzip = gzopen(path.c_str(), "rbe");
  if (gzip == nullptr) return fail(system_error(path, errno != 0 ? errno : ENOMEM));
  gzbuffer(gzip, static_cast<unsigned>(kRecordingChunk));
  return std::make_unique<GzipFile>(gzip, path);
}

std::unique_ptr<ByteSource> text_bytes(std::string text) {
  return std::make_unique<Text>(std::move(text));
}

LineSource::LineSource(std::unique_ptr<ByteSource> bytes)
    : bytes_(std::move(bytes)), buffer_(kRecordingChunk + kMaxRecordingLine, '\0') {}

Result<std::string_view> LineSource::next() {
  std::memmove(buffer_.data(), buffer_.data() + given_, kept_);
  given_ = 0;
  while (!is_at_end_) {
    if (kept_ > kMaxRecordingLine) {
      return fail(ErrorCode::invalid,
                  "longer than " + std::to_string(kMaxRecordingLine) + " bytes");
    }
    const std::size_t room = std::min(kRecordingChunk, buffer_.size() - kept_);
    BERM_TRY(const std::size_t taken, bytes_->read(buffer_.data() + kept_, room));
    is_at_end_ = taken == 0;
    const std::string_view filled(buffer_.data(), kept_ + taken);
    const std::size_t newline = filled.rfind('\n');
    kept_ = filled.size();
    if (newline == std::string_view::npos) continue;
    given_ = newline + 1;
    kept_ -= given_;
    return filled.substr(0, given_);
  }
  given_ = kept_;
  kept_ = 0;
  return std::string_view(buffer_.data(), given_);
}

Result<void> LineSource::rewind() {
  kept_ = given_ = 0;
  is_at_end_ = false;
  return bytes_->rewind();
}

}  // namespace berm::hal
