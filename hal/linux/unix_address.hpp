// SPDX-License-Identifier: Apache-2.0
// The address of a Unix socket from its path (a leading '@' is Linux's abstract name space, as
// NOTIFY_SOCKET uses it). A path longer than 107 bytes is Error invalid. Pure; any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "hal/base/result.hpp"

namespace berm::hal {

struct UnixAddress {
  sockaddr_un address{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Result<UnixAddress> unix_address(const std::string& path);

}  // namespace berm::hal
