// SPDX-License-Identifier: Apache-2.0
// StreamListener: a local stream socket (Unix) for shell and status. linux/: a socket file (a stale
// one of a dead process is replaced, a live one is Error exists); sim/: connections made by the
// test. Loop thread only. Bounds: `max_connections` at once (more are closed at once); a connection
// whose peer does not read is closed when more than `max_unsent_bytes` wait.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm::hal {

struct Peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  bool is_admin = false;  // root, our own user, or a member of `admin_group`
};

class StreamConnection {
 public:
  virtual ~StreamConnection() = default;
  // Takes all or closes the connection (peer too slow).
  virtual void send(std::string_view bytes) = 0;
  virtual void close_after_sending() = 0;
  virtual const Peer& peer() const = 0;
  // Taken by `send` and not yet by the peer.
  virtual std::size_t unsent_bytes() const = 0;
  std::function<void(std::string_view bytes)> on_bytes;
  // What had to wait has all been taken by the peer. Never inside a call of `send`.
  std::function<void()> on_drained;
  std::function<void()> on_closed;  // the last call; the connection dies afterwards
};

struct StreamListenerOptions {
  std::string path;
  std::string group = "berm";  // owns the socket (0660); missing: 0600
  std::string admin_group = "berm-admin";
  std::size_t max_connections = 32;
  std::size_t max_unsent_bytes = 4u << 20;
};

class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // The connection belongs to the listener and lives until on_closed has been called, which is
  // never inside a call of `send`. A listener that dies closes its connections and calls nothing
  // any more.
  using OnConnection = std::function<void(StreamConnection& connection)>;
};

class StreamListeners {
 public:
  virtual ~StreamListeners() = default;
  virtual Result<std::unique_ptr<StreamListener>> listen(
      const StreamListenerOptions& options, StreamListener::OnConnection on_connection) = 0;
};

}  // namespace berm::hal
