// SPDX-License-Identifier: Apache-2.0
// What one TCP socket has carried and whether it still does, as the kernel counts it: payload of
// the segments, so TLS records and HTTP headers are in it, bytes sent again too; IP and TCP headers
// are not. Loop thread; a system call.
#pragma once

#include <cstdint>

namespace berm::hal {

struct SocketBytes {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  SocketBytes& operator+=(const SocketBytes& other) {
    sent += other.sent;
    received += other.received;
    return *this;
  }
};

// The connection is over in both directions and nothing is left to read. True for what is no
// socket.
bool is_over(int fd);

// Zero where `fd` is no TCP socket or the kernel is too old (before 4.19) to say.
SocketBytes bytes_of_socket(int fd);

}  // namespace berm::hal
