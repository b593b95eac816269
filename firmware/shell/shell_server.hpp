// SPDX-License-Identifier: Apache-2.0
// ShellServer: answers requests on the node's local socket with the commands it was handed. It
// knows no module: the agent gives the list anew for each request, so that what is shown is what is
// there. Loop thread only. Bounds: those of the listener (connections, unsent bytes); a request
// line longer than kMaxRequestBytes is answered with an error and the connection closed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "firmware/shell/command_line.hpp"
#include "hal/stream_listener.hpp"

namespace berm::shell {

class ShellServer {
 public:
  using Commands = std::function<std::vector<Command>()>;
  static Result<std::unique_ptr<ShellServer>> open(hal::StreamListeners& listeners,
                                                   const hal::StreamListenerOptions& options,
                                                   Commands commands);

 private:
  explicit ShellServer(Commands commands) : commands_(std::move(commands)) {}
  void serve(hal::StreamConnection& connection);
  void answer(hal::StreamConnection& connection, std::string_view line) const;

  Commands commands_;
  std::unique_ptr<hal::StreamListener> listener_;
};

}  // namespace berm::shell
