// SPDX-License-Identifier: Apache-2.0
// berm: the verbs. What each does and its exit codes: verbs.hpp.
#include <malloc.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "firmware/agent/verbs.hpp"
#include "firmware/agent/version.hpp"
#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

struct Verb {
  std::string_view name, usage, help;
  int (*run)(Words words);
};

constexpr std::array kVerbs{
    Verb{"run", "run --config FILE [--state DIR] [--socket PATH]", "the agent, in the foreground",
         run_verb},
    Verb{"check", "check FILE [--schema] [--topics]", "validates a configuration", check_verb},
    Verb{"status", "status [--json] [--watch] [-S SOCKET]", "one snapshot of the running agent",
         status_verb},
    Verb{"shell", "shell [-c 'COMMAND'] [-S SOCKET]", "the diagnostics shell, or one command of it",
         shell_verb},
    Verb{"replay", "replay --config FILE --signals FILE [--start ISO8601]",
         "drives the drivers from a recording", replay_verb},
    Verb{"audit", "audit [--json | --resend] [--uplink NAME] [FILE…]",
         "proves from received events that nothing is missing", audit_verb},
    Verb{"export", "export [--state DIR | -S SOCKET] [--stream S] [--since T]",
         "what an outbox keeps, as JSON lines", export_verb},
    Verb{"sign", "sign --key FILE --target TARGET [--for 7d] FILE",
         "signs a document or command for nodes with a key", sign_verb},
    Verb{"fleet", "fleet list|set-config|cmd|reconcile [--broker URL] …",
         "many nodes at once, over MQTT", fleet_verb},
    Verb{"schema", "schema json [STREAM]", "the streams' field tables", schema_verb},
};

void print_usage(std::FILE* out) {
  std::fprintf(out, "berm %s: the agent in the cabinet beside the road\n\n", kVersion);
  for (const Verb& verb : kVerbs) {
    std::fprintf(out, "  berm %-56s %s\n", std::string(verb.usage).c_str(),
                 std::string(verb.help).c_str());
  }
}

int unknown_verb(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Verb& verb : kVerbs) names.push_back(verb.name);
  const std::string_view near = nearest(name, names);
  std::fprintf(stderr, "berm: unknown verb '%s'%s%s\n", std::string(name).c_str(),
               near.empty() ? "; try berm help" : ", did you mean ", std::string(near).c_str());
  return kBadUsage;
}

int main_with(const std::vector<std::string_view>& words) {
  if (words.empty()) {
    print_usage(stderr);
    return kBadUsage;
  }
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    print_usage(stdout);
    return kDone;
  }
  if (words[0] == "version" || words[0] == "--version") {
    std::printf("berm %s\n", kVersion);
    return kDone;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name == words[0]) return verb.run(Words(words).subspan(1));
  }
  return unknown_verb(words[0]);
}

}  // namespace

int complain(std::string_view verb, std::string_view text, int code) {
  std::fprintf(stderr, "berm %s: %s\n", std::string(verb).c_str(), std::string(text).c_str());
  return code;
}

}  // namespace berm::agent

int main(int count, char** words) {
  // One arena: a second thread must not cost 130 kB of its own.
  ::mallopt(M_ARENA_MAX, 1);
  return berm::agent::main_with({words + 1, words + count});
}
