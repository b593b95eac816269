// SPDX-License-Identifier: Apache-2.0
// ShellServer: answers requests on the node's local socket with the commands it was handed. It
// knows no module: the agent gives the list anew for each request, so that what is shown is what is
// there. On one connection answers come in the order of the requests: one that is answered later
// holds up those behind it, on that connection only.
//
// Bounds: kMaxClients connections (more are closed at once); a request line, or requests that wait
// behind one that is not answered or not read yet, of more than kMaxRequestBytes end the connection
// after an error; who has kMaxUnsentBytes to read is asked to read first, who has kMaxAnswersBytes
// is cut off; at most kMaxAnswersPerTurn answers of a connection before others have their turn.
//
// Loop thread only. Lifetime: as long as its commands may be called; a CommandReply may outlive it.
// Fails: `open` by Error (the socket is taken).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "firmware/shell/command_line.hpp"
#include "hal/loop.hpp"
#include "hal/stream_listener.hpp"

namespace berm::shell {

class ShellServer {
 public:
  using Commands = std::function<std::vector<Command>()>;
  // Of the options: path and groups; the bounds are ours.
  static Result<std::unique_ptr<ShellServer>> open(hal::Loop& loop, hal::StreamListeners& listeners,
                                                   hal::StreamListenerOptions options,
                                                   Commands commands);

 private:
  ShellServer(hal::Loop& loop, Commands commands) : loop_(loop), commands_(std::move(commands)) {}
  void serve(hal::StreamConnection& connection) const;

  hal::Loop& loop_;
  const Commands commands_;
  std::unique_ptr<hal::StreamListener> listener_;
};

}  // namespace berm::shell
