// SPDX-License-Identifier: Apache-2.0
// A TCP server on a free loopback port, living on the test's own loop: it answers each piece that
// it reads with what the script says. `backlog_is_full` makes it a black hole: a SYN gets no
// answer.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hal/linux/loop.hpp"

namespace berm::hal {

class ScriptedServer {
 public:
  static constexpr const char* kHangUp = "(hang up)";
  // The answer to a piece; empty: none; kHangUp: the connection ends.
  using Script = std::function<std::string(const std::string& piece)>;

  ScriptedServer(EpollLoop& loop, Script script) : loop_(loop), script_(std::move(script)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    ::bind(listener_.get(), raw(), size);
    ::getsockname(listener_.get(), raw(), &size);
  }
  void listen() {
    ::listen(listener_.get(), 16);
    watch_ = loop_.watch(listener_.get(), {.read = true}, [this](FdEvents) { accept(); });
  }
  void listen_as_black_hole() {
    ::listen(listener_.get(), 0);
    for (UniqueFd& filler : fillers_) {
      filler.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(filler.get(), raw(), sizeof(address_));
    }
  }
  int port() const { return ntohs(address_.sin_port); }
  int connections() const { return static_cast<int>(clients_.size()); }
  const std::string& received() const { return received_; }

 private:
  struct Client {
    UniqueFd fd;
    FdWatch watch;
  };
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&address_); }
  void accept() {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    auto client = std::make_unique<Client>();
    client->fd.reset(fd);
    client->watch =
        loop_.watch(fd, {.read = true}, [this, raw = client.get()](FdEvents) { serve(*raw); });
    clients_.push_back(std::move(client));
  }
  void serve(Client& client) {
    std::array<char, 4096> piece{};
    const ssize_t got = ::read(client.fd.get(), piece.data(), piece.size());
    if (got <= 0) {
      client.watch.reset();
      client.fd.reset();
      return;
    }
    const std::string text(piece.data(), static_cast<std::size_t>(got));
    received_ += text;
    const std::string answer = script_(text);
    if (answer == kHangUp) {
      client.watch.reset();
      client.fd.reset();
      return;
    }
    if (!answer.empty()) ::send(client.fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  EpollLoop& loop_;
  Script script_;
  sockaddr_in address_{};
  UniqueFd listener_;
  FdWatch watch_;
  std::array<UniqueFd, 4> fillers_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::string received_;
};

// Runs the loop until the condition holds; false: not within 20 s.
inline bool run_until(EpollLoop& loop, const std::function<bool()>& condition) {
  const MonoTime give_up_at = loop.now() + Seconds{20};
  Timer timer(loop);
  const std::function<void()> look = [&] {
    if (condition() || loop.now() >= give_up_at) {
      loop.stop();
    } else {
      timer.after(Milliseconds{1}, look);
    }
  };
  timer.after(Microseconds{0}, look);
  loop.run();
  return condition();
}

}  // namespace berm::hal
