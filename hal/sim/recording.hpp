// SPDX-License-Identifier: Apache-2.0
// Readers of recordings. EdgeReader gives level changes, of `--signals` CSV (header
// `time_s,loop,state[,resolution_us]`) or of a `.rec` file (JSON lines
// {"t":…,"signal":"edge/0A","value":1}, other signals are passed over); the form goes by the name,
// `.gz` behind it means gzip. SignalReader gives every line of a `.rec` file. Who: `berm replay`,
// boards/sim, the drivers' tests. Reads in chunks: memory does not grow with the file; CSV at more
// than 10 million rows a second. Loop names become indices, in order of their first row. Times are
// exact to the microsecond (further digits are rounded), 0…10^9 s. Rows come as they stand; one
// earlier than the row before it is counted, not sorted. A row that cannot be read is Error invalid
// with file and line; what stood before it was given. Blank lines are passed over. Limits:
// kMaxRecordingLoops names of kMaxLoopName bytes, lines of kMaxRecordingLine bytes. Thread: any
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hal/base/json.hpp"
#include "hal/base/result.hpp"
#include "hal/base/time.hpp"
#include "hal/sim/recording_source.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxRecordingLoops = 4096;
inline constexpr std::size_t kMaxLoopName = 64;
inline constexpr std::uint32_t kDefaultResolutionUs = 1000;
inline constexpr std::uint32_t kMaxResolutionUs = 10'000'000;

// "12.3456" → 12345600 µs; nullopt: not a plain decimal number or beyond 10^9 s.
std::optional<Microseconds> parse_decimal_s(std::string_view text);

struct EdgeRow {
  Microseconds time;
  std::uint32_t resolution_us = kDefaultResolutionUs;
  std::uint16_t loop = 0;  // index into names()
  bool on = false;
};

class EdgeReader {
 public:
  enum class Form { csv, rec };
  static Result<std::unique_ptr<EdgeReader>> open(const std::string& path);
  // `name` is what errors call it.
  EdgeReader(std::unique_ptr<ByteSource> bytes, Form form, std::string name);

  // The next rows, valid until the next call; empty: the end.
  Result<std::span<const EdgeRow>> next();
  Result<void> rewind();  // names stay
  const std::vector<std::string>& names() const { return names_; }
  std::uint64_t rows() const { return row_count_; }
  std::uint64_t out_of_order() const { return out_of_order_; }
  // The latest time given so far.
  Microseconds latest() const { return latest_; }

 private:
  // Empty: the row is good. What is wrong with it otherwise.
  std::string read_line(std::string_view line);
  std::string read_header(std::string_view line);
  std::string read_csv(std::string_view line);
  std::string read_rec(std::string_view line);
  std::string read_lines(std::string_view lines);
  void add_row(EdgeRow row);
  std::optional<std::uint16_t> index_of(std::string_view loop);
  Error at_line(Error error) const;

  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };

  LineSource lines_;
  Form form_;
  std::string name_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint16_t, NameHash, std::equal_to<>> indices_;
  std::vector<EdgeRow> rows_;
  std::uint64_t line_number_ = 0;
  std::uint64_t row_count_ = 0;
  std::uint64_t out_of_order_ = 0;
  Microseconds latest_{0};
  Microseconds last_{0};
  bool is_header_read_ = false;
  bool has_resolution_ = false;
  std::optional<Error> failure_;
};

struct SignalRow {
  Microseconds time;
  std::string signal;
  Json value;
};

class SignalReader {
 public:
  static Result<std::unique_ptr<SignalReader>> open(const std::string& path);
  SignalReader(std::unique_ptr<ByteSource> bytes, std::string name)
      : lines_(std::move(bytes)), name_(std::move(name)) {}
  // nullopt: the end.
  Result<std::optional<SignalRow>> next();

 private:
  LineSource lines_;
  std::string name_;
  std::string_view rest_;
  std::uint64_t line_number_ = 0;
};

}  // namespace berm::hal
