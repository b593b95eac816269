// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/socket_bytes.hpp"

#include <linux/tcp.h>  // glibc's own tcp_info ends before the byte counters
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace berm::hal {

bool is_over(int fd) {
  constexpr unsigned kClosed = 7;  // TCP_CLOSE of the kernel's state list
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  int unread = 0;
  return info.tcpi_state == kClosed && (::ioctl(fd, FIONREAD, &unread) != 0 || unread == 0);
}

SocketBytes bytes_of_socket(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  SocketBytes bytes;
  if (size >= offsetof(tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received)) {
    bytes.received = static_cast<std::int64_t>(info.tcpi_bytes_received);
  }
  if (size >= offsetof(tcp_info, tcpi_bytes_sent) + sizeof(info.tcpi_bytes_sent)) {
    bytes.sent = static_cast<std::int64_t>(info.tcpi_bytes_sent);
  }
  return bytes;
}

}  // namespace berm::hal
