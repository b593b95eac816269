// SPDX-License-Identifier: Apache-2.0
// LineSource: the lines of a recording, a piece at a time, from a file, a gzip file (by its name,
// `.gz`) or a text. Memory stays at one chunk and the longest line (kMaxRecordingLine bytes; a
// longer one is Error invalid). A damaged or cut-off gzip file is Error damaged, said when the
// damage is reached. Used by the readers of recording.hpp; the only place that knows zlib. Any one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm::hal {

inline constexpr std::size_t kRecordingChunk = std::size_t{256} << 10;
inline constexpr std::size_t kMaxRecordingLine = std::size_t{64} << 10;

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // 0: the end.
  virtual Result<std::size_t> read(char* into, std::size_t bytes) = 0;
  virtual Result<void> rewind() = 0;
};

Result<std::unique_ptr<ByteSource>> open_bytes(const std::string& path);
std::unique_ptr<ByteSource> text_bytes(std::string text);

class LineSource {
 public:
  explicit LineSource(std::unique_ptr<ByteSource> bytes);
  // The next whole lines, each with its '\n' (the last of the file may lack it); empty: the end.
  // The text is valid until the next call.
  Result<std::string_view> next();
  Result<void> rewind();

 private:
  std::unique_ptr<ByteSource> bytes_;
  std::string buffer_;
  std::size_t kept_ = 0;   // bytes of an unfinished line at the front of buffer_
  std::size_t given_ = 0;  // bytes handed out by the last call
  bool is_at_end_ = false;
};

}  // namespace berm::hal
