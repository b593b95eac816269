// SPDX-License-Identifier: Apache-2.0
// GpsdFeed: the PositionFeed of the real machine: a TCP connection to gpsd on the epoll loop. This
// is what the module berm-gps.so holds; the agent loads it with position_feed.hpp, tests link it
// directly. gpsd_report.hpp reads the lines.
//
// Promises: nothing blocks the loop: a name is resolved in a thread (name_lookup.hpp), connecting
// is asynchronous. It is up once gpsd has greeted, and gone down when the connection ends, connects
// or greets not within kGpsdAnswerLimit, is silent for kGpsdSilence and then does not answer a
// question either, or sends a line of more than kMaxGpsdLine bytes. It tries again after kFirst-
// GpsdRetry, doubled up to kLastGpsdRetry, for ever; a greeting resets that. At most
// kMaxGpsdReadsPerTurn reads in a turn of the loop. Memory: one line and 25 kB of libgps.
//
// (gps_open blocks in connect and gps_read never ends on half a line before the end of a
// connection, so libgps only unpacks.) Thread: the loop's. Lifetime: the loop outlives it; on_fix
// and on_state may not destroy it. Fails: by on_state. Source: gpsd(8), gpsd_json(5).
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "hal/base/unique_fd.hpp"
#include "hal/linux/gpsd_report.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/name_lookup.hpp"
#include "hal/position_feed.hpp"

namespace berm::hal {

inline constexpr std::size_t kMaxGpsdLine = 16384;
inline constexpr int kMaxGpsdReadsPerTurn = 16;
inline constexpr Seconds kGpsdAnswerLimit{10};
inline constexpr Seconds kGpsdSilence{60};
inline constexpr Seconds kFirstGpsdRetry{1};
inline constexpr Seconds kLastGpsdRetry{30};

struct GpsdAddress {
  std::string host;
  std::uint16_t port = 2947;
};
Result<GpsdAddress> parse_gpsd_address(const std::string& text);

class GpsdFeed final : public PositionFeed {
 public:
  GpsdFeed(EpollLoop& loop, NameLookups& lookups, GpsdAddress address);
  void start(OnFix on_fix, OnState on_state) override;
  Status status() const override;

 private:
  enum class State { connecting, up, down };

  void look_up();
  void connect_next();
  Result<void> connect_to(const std::string& numeric_host);
  void on_events(FdEvents events);
  void finish_connecting();
  void read();
  bool take_piece(std::string_view piece);
  void take_line(const std::string& line);
  bool send(std::string_view text);
  void watch_over_silence();
  void on_silence();
  void go_up();
  void go_down(std::string reason);
  void close();

  EpollLoop& loop_;
  NameLookups& lookups_;
  const GpsdAddress address_;
  OnFix on_fix_;
  OnState on_state_;
  State state_ = State::connecting;
  std::string reason_;
  bool is_told_ = false;

  std::unique_ptr<NameLookup> lookup_;
  std::deque<std::string> addresses_;  // not tried yet
  UniqueFd fd_;
  FdWatch watch_;
  bool is_connected_ = false;
  std::string last_error_;
  std::string line_;
  GpsdReports reports_;
  Timer timer_;  // the limit of what is under way, or the next attempt
  Seconds retry_ = kFirstGpsdRetry;
  MonoTime last_line_at_;
  bool is_asked_ = false;

  std::uint64_t connects_ = 0;
  std::uint64_t fixes_ = 0;
  std::uint64_t malformed_ = 0;
};

class GpsdFeeds final : public PositionFeeds {
 public:
  explicit GpsdFeeds(EpollLoop& loop) : loop_(loop), lookups_(loop) {}
  Result<std::unique_ptr<PositionFeed>> open(const std::string& address) override;

 private:
  EpollLoop& loop_;
  NameLookups lookups_;
};

}  // namespace berm::hal
