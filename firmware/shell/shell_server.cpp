// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/shell_server.hpp"

#include "firmware/shell/session.hpp"

namespace berm::shell {

Result<std::unique_ptr<ShellServer>> ShellServer::open(hal::Loop& loop,
                                                       hal::StreamListeners& listeners,
                                                       hal::StreamListenerOptions options,
                                                       Commands commands) {
  std::unique_ptr<ShellServer> server(new ShellServer(loop, std::move(commands)));
  const ShellServer* const self = server.get();
  options.max_connections = kMaxClients;
  options.max_unsent_bytes = kMaxAnswersBytes;
  auto listener = listeners.listen(
      options, [self](hal::StreamConnection& connection) { self->serve(connection); });
  if (!listener) return fail(std::move(listener.error()).with_context("local socket"));
  server->listener_ = std::move(*listener);
  return server;
}

// The connection's callbacks own the session.
void ShellServer::serve(hal::StreamConnection& connection) const {
  const auto session = std::make_shared<Session>(loop_, connection, commands_);
  connection.on_bytes = [session](std::string_view bytes) { session->take(bytes); };
  connection.on_drained = [session] { session->work(); };
  connection.on_closed = [session] { session->gone(); };
}

}  // namespace berm::shell
