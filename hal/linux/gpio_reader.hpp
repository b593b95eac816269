// SPDX-License-Identifier: Apache-2.0
// GpioReader: takes the edges of one group of lines from the kernel on a thread of its own, so that
// none is lost while the loop is busy, and hands them to the loop in a bounded queue. Part of
// GpioEdgeInputs.
//
// Promises: per line in order of time; of one look at several chips merged in order of time.
// Nothing is done while nothing happens (no tick). At most kMaxQueuedEdges wait; what does not fit
// is counted in `lost_before` of the line's next edge, and within kGpioRecheck the level is read
// anew, so that a lost last edge does not leave a line on for ever. A jump of line_seqno (the
// kernel's buffer ran over) counts the same way. The level that is read at the start, after a loss
// and when a chip has come back is an edge of its own; an event that only says the same again is
// left out. A chip that fails is asked for again every kGpioReopen; `down` and `up` are said once
// each, in order with the edges.
//
// Thread: the constructor, the destructor (ends and joins) and `drain` on the loop's; the rest on
// its own. Lifetime: the chips outlive it. Fails: by `down`.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "hal/base/bounded_queue.hpp"
#include "hal/base/time.hpp"
#include "hal/base/unique_fd.hpp"
#include "hal/edge_input.hpp"
#include "hal/linux/gpio_chip.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxQueuedEdges = 2048;  // 64 kB; a minute at 30 edges a second
inline constexpr std::size_t kGpioEventsPerRead = 64;
inline constexpr int kMaxGpioReadsPerLook = 32;
inline constexpr Milliseconds kGpioRecheck{100};
inline constexpr Milliseconds kGpioReopen{1000};

// The lines of one chip within a group.
struct GpioSource {
  std::string chip;
  std::vector<GpioLineConfig> configs;
  std::vector<std::uint16_t> lines;  // of each config: its index in the group
  std::unique_ptr<GpioLines> open;   // empty: gone
  bool is_hung = false;              // poll says so
};

struct GpioReaderOptions {
  std::size_t max_queued = kMaxQueuedEdges;
  Milliseconds recheck = kGpioRecheck;
  Milliseconds reopen = kGpioReopen;
};

struct GpioItem {
  enum class Kind : std::uint8_t { edge, down, up };
  Kind kind = Kind::edge;
  Edge edge;  // down, up: `time` is since when
};

class GpioReader {
 public:
  GpioReader(GpioChips& chips, std::vector<GpioSource> sources,
             const GpioReaderOptions& options = {});
  GpioReader(const GpioReader&) = delete;
  GpioReader& operator=(const GpioReader&) = delete;
  ~GpioReader();

  // Readable while items wait.
  int wake_fd() const { return wake_.get(); }
  std::size_t drain(std::vector<GpioItem>& into);

 private:
  struct Line {
    std::size_t source = 0;
    std::size_t place = 0;  // within the source
    std::uint32_t resolution_us = 1;
    std::uint32_t last_seqno = 0;
    std::uint32_t lost = 0;  // not yet told
    bool is_settling = false;
    bool level = false;
    MonoTime settled_from{};
    MonoTime settled_to{};
  };

  void work();
  int wait_ms() const;
  // False: the end.
  bool wait();
  void look();
  void recheck();
  void reopen();
  std::size_t read_events(std::size_t source, bool is_discarding);
  void take_event(std::size_t source, const gpio_v2_line_event& event, bool is_discarding);
  static bool says_nothing_new(Line& line, const Edge& edge);
  enum class Announce { lines_on, all_lines, lines_with_loss };
  void settle(std::size_t source, Announce announce);
  void on_gone(std::size_t source);
  void say(GpioItem::Kind kind, MonoTime since);
  void deliver();
  bool is_any_gone() const;
  bool is_any_loss_untold() const;

  GpioChips& chips_;
  std::vector<GpioSource> sources_;
  std::vector<Line> lines_;
  std::vector<Edge> batch_;
  std::vector<GpioItem> states_;  // down and up that found the queue full; at most 2
  bool is_down_said_ = false;
  MonoTime next_reopen_{};

  const GpioReaderOptions options_;
  BoundedQueue<GpioItem> queue_;
  UniqueFd wake_;
  UniqueFd end_;
  std::thread thread_;
};

}  // namespace berm::hal
