// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/stream_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "hal/linux/clock.hpp"
#include "hal/linux/unix_address.hpp"

namespace berm::hal {

namespace {

constexpr std::size_t kPieceBytes = 16384;

// Waits until `fd` is ready for `events` or `deadline` has passed.
Result<void> wait_for(int fd, short events, MonoTime deadline) {
  while (true) {
    const Microseconds left = deadline - read_mono_clock();
    if (left <= Microseconds{0}) return fail(ErrorCode::timeout, "the agent does not answer");
    pollfd waited{fd, events, 0};
    const auto ms = std::chrono::ceil<Milliseconds>(left).count();
    if (::poll(&waited, 1, static_cast<int>(ms)) > 0) return {};
  }
}

bool is_again(int number) {
  return number == EAGAIN || number == EINTR;
}

}  // namespace

Result<StreamClient> StreamClient::connect(const std::string& path, Milliseconds timeout) {
  BERM_TRY(const UnixAddress address, unix_address(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return fail(system_error("making a Unix socket", errno));
  // A blocking connect waits while the backlog is full; for that its limit is the send timeout.
  const auto us = Microseconds{timeout}.count();
  const timeval limit{us / 1000000, us % 1000000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), address.get(), address.length) == 0) return StreamClient(std::move(fd));
  const int number = errno;
  if (number == ENOENT || number == ECONNREFUSED) {
    return fail(ErrorCode::unavailable, "no agent listens on " + path, number);
  }
  if (number == EAGAIN) return fail(ErrorCode::timeout, "the agent does not answer on " + path);
  return fail(system_error("connecting to " + path, number));
}

Result<void> StreamClient::send(std::string_view bytes, Milliseconds timeout) {
  const MonoTime deadline = read_mono_clock() + timeout;
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (!is_again(errno)) return fail(ErrorCode::closed, "the agent has closed the connection");
    BERM_CHECK(wait_for(fd_.get(), POLLOUT, deadline));
  }
  return {};
}

Result<std::string> StreamClient::receive(Milliseconds timeout) {
  const MonoTime deadline = read_mono_clock() + timeout;
  std::array<char, kPieceBytes> piece;
  while (true) {
    const ssize_t count = ::recv(fd_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count >= 0) return std::string(piece.data(), static_cast<std::size_t>(count));
    if (errno == ECONNRESET) return std::string();  // it closed with something of ours unread
    if (!is_again(errno)) return fail(system_error("reading the agent's answer", errno));
    BERM_CHECK(wait_for(fd_.get(), POLLIN, deadline));
  }
}

Result<std::string> ask(const std::string& path, std::string_view line, Milliseconds timeout,
                        std::size_t max_bytes) {
  BERM_TRY(StreamClient client, StreamClient::connect(path, timeout));
  BERM_CHECK(client.send(std::string(line) + "\n", timeout));
  std::string answer;
  while (true) {
    BERM_TRY(const std::string piece, client.receive(timeout));
    if (piece.empty()) return answer;
    if (answer.size() + piece.size() > max_bytes) {
      return fail(ErrorCode::full,
                  "the answer is longer than " + std::to_string(max_bytes) + " bytes");
    }
    answer += piece;
  }
}

}  // namespace berm::hal
