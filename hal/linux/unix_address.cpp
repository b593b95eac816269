// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/unix_address.hpp"

#include <algorithm>
#include <cstddef>

namespace berm::hal {

Result<UnixAddress> unix_address(const std::string& path) {
  UnixAddress result;
  result.address.sun_family = AF_UNIX;
  const std::size_t most = sizeof result.address.sun_path - 1;
  if (path.empty()) return fail(ErrorCode::invalid, "a socket needs a path");
  if (path.size() > most) {
    return fail(ErrorCode::invalid,
                "socket path " + path + " is longer than " + std::to_string(most) + " bytes");
  }
  std::copy(path.begin(), path.end(), result.address.sun_path);
  const bool is_abstract = path.front() == '@';
  if (is_abstract) result.address.sun_path[0] = '\0';
  // An abstract name ends with its length, a path with a zero byte.
  result.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
  return result;
}

}  // namespace berm::hal
