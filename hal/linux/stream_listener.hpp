// SPDX-License-Identifier: Apache-2.0
// SocketStreamListeners: StreamListeners over Unix stream sockets: the shell's and status's socket
// file.
//
// Promises: a path that is not a socket is never removed (Error exists); a socket on which somebody
// answers is Error exists; one that a dead process left behind is replaced. The file is made 0600
// and then opened to `group` (0660) where the group exists and we may give it away. It is removed
// at the end if it is still ours. A path longer than 107 bytes is Error invalid. A peer is an admin
// if it is root, our user, or has `admin_group` among the groups that the kernel recorded when it
// connected (SO_PEERCRED, SO_PEERGROUPS): no name service is asked on the loop. The two groups are
// looked up once, in `listen`. A peer that has ended its sending (half-close) still gets what was
// answered, then is closed.
//
// Thread: the loop's. Lifetime: the loop outlives the listener; the listener its connections, and
// it must not die inside one of their callbacks. Bounds: see the options; reading takes at most
// kStreamReadBytes a turn and connection.
// Fails: `listen` by Error; later nothing but the end of a connection. Source: unix(7).
#pragma once

#include <memory>

#include "hal/linux/loop.hpp"
#include "hal/stream_listener.hpp"

namespace berm::hal {

inline constexpr std::size_t kStreamReadBytes = 16384;
inline constexpr int kStreamBacklog = 128;

class SocketStreamListeners final : public StreamListeners {
 public:
  explicit SocketStreamListeners(EpollLoop& loop) : loop_(loop) {}
  Result<std::unique_ptr<StreamListener>> listen(
      const StreamListenerOptions& options, StreamListener::OnConnection on_connection) override;

 private:
  EpollLoop& loop_;
};

}  // namespace berm::hal
