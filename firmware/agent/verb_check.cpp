// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <set>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/configuration_file.hpp"
#include "firmware/agent/verbs.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

void print_topics(const control::NodeConfiguration& configuration) {
  std::set<std::string> topics;
  for (const control::StreamPolicy& policy : configuration.streams) topics.insert(policy.topic);
  for (const std::string& topic : topics) std::puts(topic.c_str());
}

}  // namespace

int check_verb(Words words) {
  constexpr ArgumentSpec kSpecs[] = {{"--schema"}, {"--topics"}};
  const auto arguments = Arguments::parse(words, kSpecs, 1);
  if (!arguments) return complain("check", arguments.error().text, kBadUsage);
  if (arguments->has("--schema")) {
    std::puts(control::configuration_schema(build_sources()).to_text(true).c_str());
    if (arguments->plain().empty()) return kDone;
  }
  if (arguments->plain().empty())
    return complain("check", "usage: berm check FILE [--schema] [--topics]", kBadUsage);
  const hal::SystemDisk disk;
  const std::string& name = arguments->plain()[0];
  const ConfigurationFile file = read_configuration(disk, name);
  for (const std::string& fault : file.parsed.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!file.parsed.configuration) return kBadUsage;
  if (arguments->has("--topics")) {
    print_topics(*file.parsed.configuration);
  } else if (!arguments->has("--schema")) {
    std::printf("%s: in order\n", name.c_str());
  }
  return kDone;
}

}  // namespace berm::agent
