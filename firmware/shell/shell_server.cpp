// SPDX-License-Identifier: Apache-2.0
#include "firmware/shell/shell_server.hpp"

namespace berm::shell {

Result<std::unique_ptr<ShellServer>> ShellServer::open(hal::StreamListeners& listeners,
                                                       const hal::StreamListenerOptions& options,
                                                       Commands commands) {
  std::unique_ptr<ShellServer> server(new ShellServer(std::move(commands)));
  ShellServer* self = server.get();
  auto listener = listeners.listen(
      options, [self](hal::StreamConnection& connection) { self->serve(connection); });
  if (!listener) return fail(std::move(listener.error()).with_context("local socket"));
  server->listener_ = std::move(*listener);
  return server;
}

void ShellServer::serve(hal::StreamConnection& connection) {
  // What has been read of a request whose line is not yet whole; lives as long as the connection's
  // callback.
  auto waiting = std::make_shared<std::string>();
  connection.on_bytes = [this, &connection, waiting](std::string_view bytes) {
    waiting->append(bytes);
    std::size_t begin = 0;
    for (auto end = waiting->find('\n'); end != std::string::npos;
         end = waiting->find('\n', begin)) {
      answer(connection, std::string_view(*waiting).substr(begin, end - begin));
      begin = end + 1;
    }
    waiting->erase(0, begin);
    if (waiting->size() > kMaxRequestBytes) {
      connection.send(format_answer({2, "the request is too long\n"}));
      connection.close_after_sending();
    }
  };
}

void ShellServer::answer(hal::StreamConnection& connection, std::string_view line) const {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  auto words = split_words(line);
  if (!words) {
    connection.send(format_answer({2, words.error().text + "\n"}));
    return;
  }
  connection.send(
      format_answer(run_command(commands_(), std::move(*words), connection.peer().is_admin)));
}

}  // namespace berm::shell
