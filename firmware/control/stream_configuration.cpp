// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "firmware/control/configuration_sections.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::int64_t kMaxGroupMs = 3'600'000;

WhenFull when_full_of(std::string_view word) {
  if (word == "conserve") return WhenFull::conserve;
  return word == "refuse" ? WhenFull::refuse : WhenFull::oldest;
}

void set_durability(std::string_view text, const std::string& path, StreamPolicy& policy,
                    Faults& faults) {
  policy.group.reset();
  policy.stretched = Milliseconds{0};
  if (text == "sync") return;
  const auto ends = split(text.substr(std::string_view("group ").size()), '-');
  const auto ms = parse_integer(ends.front());
  const auto most = ends.size() == 2 ? parse_integer(ends.back()) : ms;
  if (!ms || !most || *ms < 1 || *most > kMaxGroupMs) {
    faults.push_back(
        {option_path(path, "durability"),
         text_of("the group must be 1…%lld ms, is \"", static_cast<long long>(kMaxGroupMs)) +
             std::string(text) + "\""});
    return;
  }
  if (*most < *ms) {
    faults.push_back({option_path(path, "durability"),
                      "the group's range ends before it begins: \"" + std::string(text) + "\""});
    return;
  }
  policy.group = Milliseconds{*ms};
  if (ends.size() == 2) policy.stretched = Milliseconds{*most};
}

StreamPolicy own_policy(const KnownStream& known) {
  StreamPolicy policy;
  policy.stream = known.name;
  policy.topic = known.topic;
  if (known.group_ms > 0) policy.group = Milliseconds{known.group_ms};
  policy.when_full = known.when_full;
  return policy;
}

void add_unknown_stream(const std::string& name, const ConfigurationSources& sources,
                        Faults& faults) {
  std::vector<std::string_view> known;
  for (const KnownStream& stream : sources.streams) known.push_back(stream.name);
  const std::string_view near = nearest(name, known);
  std::string text = "unknown stream";
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  faults.push_back({option_path("/streams", name), std::move(text)});
}

}  // namespace

std::vector<StreamPolicy> read_streams(const Options::Map& streams,
                                       const ConfigurationSources& sources, Faults& faults) {
  std::vector<StreamPolicy> policies;
  for (const KnownStream& known : sources.streams) policies.push_back(own_policy(known));
  for (const auto& [name, options] : streams) {
    const auto found = std::find_if(policies.begin(), policies.end(),
                                    [&](const StreamPolicy& p) { return p.stream == name; });
    if (found == policies.end()) {
      add_unknown_stream(name, sources, faults);
      continue;
    }
    if (options.has("topic")) found->topic = options.text("topic");
    if (options.has("when_full")) found->when_full = when_full_of(options.text("when_full"));
    if (options.has("max_age_s")) found->max_age = Seconds{options.integer("max_age_s")};
    if (options.has("durability")) {
      set_durability(options.text("durability"), option_path("/streams", name), *found, faults);
    }
  }
  return policies;
}

}  // namespace berm::control
