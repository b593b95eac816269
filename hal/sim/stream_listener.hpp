// SPDX-License-Identifier: Apache-2.0
// SimStreamListeners: local stream sockets without sockets; a test connects to a path and is the
// peer. Bytes cross in the next turn of the loop, in order; nothing is called inside `send`. The
// bounds are those of the real one: connections beyond `max_connections` are closed at once, and a
// peer that does not read is closed when more than `max_unsent_bytes` wait for it. Who: tests of
// the shell and of status. Loop thread only. It outlives its listeners; a SimStreamPeer may outlive
// its connection (it then sees it closed), and closes it when it dies.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "hal/loop.hpp"
#include "hal/stream_listener.hpp"

namespace berm::hal {

struct SimStreamWire;  // one connection, both ends
class SimStreamListener;

class SimStreamPeer {
 public:
  explicit SimStreamPeer(std::shared_ptr<SimStreamWire> wire);
  SimStreamPeer(const SimStreamPeer&) = delete;
  SimStreamPeer& operator=(const SimStreamPeer&) = delete;
  ~SimStreamPeer();
  void send(std::string_view bytes);
  // What the agent's side sends waits while false, and counts as unsent.
  void set_reading(bool is_reading);
  const std::string& received() const;
  // The agent's side has ended the connection and all it sent was read.
  bool is_closed() const;

 private:
  std::shared_ptr<SimStreamWire> wire_;
};

class SimStreamListeners final : public StreamListeners {
 public:
  explicit SimStreamListeners(Loop& loop);
  SimStreamListeners(const SimStreamListeners&) = delete;
  SimStreamListeners& operator=(const SimStreamListeners&) = delete;
  ~SimStreamListeners() override;
  Result<std::unique_ptr<StreamListener>> listen(
      const StreamListenerOptions& options, StreamListener::OnConnection on_connection) override;
  // nullptr: nobody listens there. The default peer is our own user, an admin.
  std::unique_ptr<SimStreamPeer> connect(const std::string& path, Peer peer = {.uid = 1000,
                                                                               .gid = 1000,
                                                                               .pid = 4242,
                                                                               .is_admin = true});

 private:
  friend class SimStreamListener;
  Loop& loop_;
  std::map<std::string, SimStreamListener*> listeners_;
};

}  // namespace berm::hal
