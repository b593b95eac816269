// SPDX-License-Identifier: Apache-2.0
// `berm status`: asks the running agent over its local socket.
#include "firmware/agent/arguments.hpp"
#include "firmware/agent/shell_client.hpp"
#include "firmware/agent/verbs.hpp"

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {{"--json"}, {"--watch"}, {"--socket", true, "-S"}};

}  // namespace

int status_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain("status", arguments.error().text, kBadUsage);
  const std::string socket = arguments->value("--socket", "BERM_SOCKET", kDefaultSocket);
  const bool json = arguments->has("--json");
  hal::EpollLoop loop;
  Interrupt interrupt(loop);
  if (arguments->has("--watch")) return watch_status(socket, json, loop, interrupt);
  auto client = ShellClient::open(socket, loop, interrupt, kStatusTimeout);
  if (!client) return complain("status", client.error().text, kFailed);
  const auto answer = client->ask(json ? "status --json" : "status");
  if (!answer) return complain("status", answer.error().text, kFailed);
  print(*answer);
  return answer->exit_code;
}

}  // namespace berm::agent
