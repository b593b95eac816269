// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/service_notify.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "hal/base/text.hpp"
#include "hal/linux/unix_address.hpp"

namespace berm::hal {

namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// The longest beginning of at most `max` bytes that cuts no UTF-8 character.
std::string_view cut(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xC0) == 0x80) --max;
  return text.substr(0, max);
}

}  // namespace

SystemdNotifyOptions SystemdNotifyOptions::from_environment() {
  SystemdNotifyOptions options;
  options.socket = hal::from_environment("NOTIFY_SOCKET");
  const auto pid = parse_integer(hal::from_environment("WATCHDOG_PID"));
  const auto interval = parse_integer(hal::from_environment("WATCHDOG_USEC"));
  const bool is_for_us = !pid || *pid == ::getpid();
  if (interval && *interval > 0 && is_for_us) options.watchdog = Microseconds{*interval};
  return options;
}

SystemdNotify::SystemdNotify(SystemdNotifyOptions options) : options_(std::move(options)) {
  if (options_.socket.empty()) return;
  fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const timeval wait{0, Microseconds{kNotifyWait}.count()};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

void SystemdNotify::ready() {
  send("READY=1", 0);
}

void SystemdNotify::stopping() {
  send("STOPPING=1", MSG_DONTWAIT);
}

void SystemdNotify::watchdog() {
  send("WATCHDOG=1", MSG_DONTWAIT);
}

void SystemdNotify::status(std::string_view text) {
  std::string message = "STATUS=" + std::string(cut(text, kMaxNotifyStatus));
  std::replace(message.begin(), message.end(), '\n', ' ');
  send(message, MSG_DONTWAIT);
}

void SystemdNotify::send(std::string_view message, int flags) {
  if (options_.socket.empty()) return;
  const auto address = unix_address(options_.socket);
  int number = EINVAL;
  if (address) {
    const ssize_t sent = ::sendto(fd_.get(), message.data(), message.size(), flags | MSG_NOSIGNAL,
                                  address->get(), address->length);
    if (sent >= 0) return;
    number = errno;
  }
  if (std::exchange(has_warned_, true)) return;
  log_.warning(system_error("telling the supervisor on " + options_.socket, number).text);
}

}  // namespace berm::hal
