// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/gpsd_feed.hpp"
#include "tests/contract/position/bench.hpp"
#include "tests/contract/position/fake_gpsd.hpp"

namespace berm::hal::contract {

void FakeGpsd::start() {
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  BERM_ASSERT(::bind(listener_.get(), generic, length) == 0);
  BERM_ASSERT(::listen(listener_.get(), 4) == 0);
  BERM_ASSERT(::getsockname(listener_.get(), generic, &length) == 0);
  port_ = ntohs(address.sin_port);
  watch_ =
      loop_.watch(listener_.get(), {.read = true, .write = false}, [this](FdEvents) { accept(); });
}

void FakeGpsd::stop() {
  watch_.reset();
  listener_.reset();
  client_.reset();
}

void FakeGpsd::accept() {
  client_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client_.is_open()) return;
  ++accepted_;
  if (greets) say("{\"class\":\"VERSION\",\"release\":\"3.22\",\"proto_major\":3}\r\n");
}

void FakeGpsd::hang_up() {
  std::array<char, 256> question{};
  while (::recv(client_.get(), question.data(), question.size(), MSG_DONTWAIT) > 0) {
  }
  client_.reset();
}

void FakeGpsd::say(std::string_view bytes) {
  ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool run_loop_until(EpollLoop& loop, const std::function<bool()>& condition, Seconds limit) {
  const MonoTime end = loop.now() + limit;
  Timer poll(loop);
  std::function<void()> look = [&] {
    if (condition() || loop.now() >= end) return loop.stop();
    poll.after(Milliseconds{2}, look);
  };
  look();
  loop.run();
  return condition();
}

namespace {

class LinuxBench final : public PositionBench {
 public:
  Loop& loop() override { return loop_; }
  bool run_until(const std::function<bool()>& condition, Seconds limit) override {
    return run_loop_until(loop_, condition, limit);
  }
  PositionFeeds& feeds() override { return feeds_; }
  std::string address() override { return gpsd_.address(); }
  void gpsd_starts() override { gpsd_.start(); }
  void gpsd_dies() override { gpsd_.stop(); }
  void say_fix(double lat, double lon) override {
    gpsd_.say(text_of("{\"class\":\"TPV\",\"mode\":3,\"lat\":%.9f,\"lon\":%.9f,\"eph\":4.0}\r\n",
                      lat, lon));
  }
  void say_no_fix() override { gpsd_.say("{\"class\":\"TPV\",\"mode\":1}\r\n"); }

 private:
  EpollLoop loop_;
  GpsdFeeds feeds_{loop_};
  FakeGpsd gpsd_{loop_};
};

}  // namespace

std::unique_ptr<PositionBench> make_linux_position() {
  return std::make_unique<LinuxBench>();
}

}  // namespace berm::hal::contract
