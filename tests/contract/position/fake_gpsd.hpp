// SPDX-License-Identifier: Apache-2.0
// FakeGpsd: a TCP server on loopback and on the test's own loop, which greets as gpsd does and then
// says what it is told to. One client at a time.
#pragma once

#include <string>
#include <string_view>

#include "hal/base/unique_fd.hpp"
#include "hal/linux/loop.hpp"

namespace berm::hal::contract {

class FakeGpsd {
 public:
  explicit FakeGpsd(EpollLoop& loop) : loop_(loop) {}
  // On the same port at each start.
  void start();
  void stop();
  // In good order: with what it was sent unread, the kernel would reset the connection.
  void hang_up();
  void say(std::string_view bytes);
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  bool has_client() const { return client_.is_open(); }
  int accepted() const { return accepted_; }
  bool greets = true;

 private:
  void accept();
  EpollLoop& loop_;
  UniqueFd listener_;
  UniqueFd client_;
  FdWatch watch_;
  std::uint16_t port_ = 0;
  int accepted_ = 0;
};

// Runs the loop until the condition holds, at most `limit`.
bool run_loop_until(EpollLoop& loop, const std::function<bool()>& condition, Seconds limit);

}  // namespace berm::hal::contract
