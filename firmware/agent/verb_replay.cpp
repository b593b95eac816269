// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/configuration_file.hpp"
#include "firmware/agent/replay.hpp"
#include "firmware/agent/verbs.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {
    {"--config", true}, {"--signals", true}, {"--start", true}, {"--seed", true}};
constexpr std::size_t kOutputBytes = 1u << 16;

Result<ReplayOptions> read_options(const Arguments& arguments) {
  ReplayOptions options;
  const auto signals = arguments.value("--signals");
  if (!signals)
    return fail(ErrorCode::invalid,
                "usage: berm replay --config FILE --signals FILE [--start ISO8601]");
  options.signals = *signals;
  if (const auto start = arguments.value("--start")) {
    const auto us = parse_iso8601_us(*start);
    if (!us)
      return fail(ErrorCode::invalid,
                  "--start wants a time like 2026-11-21T06:00:00Z, is " + *start);
    options.start = wall_us(*us);
  }
  if (const auto seed = arguments.value("--seed")) {
    const auto number = parse_integer(*seed);
    if (!number || *number < 0)
      return fail(ErrorCode::invalid, "--seed wants a number, is " + *seed);
    options.seed = static_cast<std::uint64_t>(*number);
  }
  return options;
}

}  // namespace

int replay_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 0);
  if (!arguments) return complain("replay", arguments.error().text, kBadUsage);
  const auto options = read_options(*arguments);
  if (!options) return complain("replay", options.error().text, kBadUsage);
  const hal::SystemDisk disk;
  const ConfigurationFile file = read_configuration(
      disk, absolute_path(arguments->value("--config", "BERM_CONFIG", kDefaultConfig)));
  for (const std::string& fault : file.parsed.faults) std::fprintf(stderr, "%s\n", fault.c_str());
  if (!file.parsed.configuration) return kBadUsage;
  std::string out;
  out.reserve(kOutputBytes * 2);
  const auto summary = replay(*file.parsed.configuration, *options, [&](std::string_view line) {
    out.append(line).append("\n");
    if (out.size() < kOutputBytes) return;
    std::fwrite(out.data(), 1, out.size(), stdout);
    out.clear();
  });
  std::fwrite(out.data(), 1, out.size(), stdout);
  if (!summary) return complain("replay", summary.error().text, kFailed);
  if (summary->unknown_loops > 0) {
    std::fprintf(stderr, "berm replay: %llu records are of loops that no driver has\n",
                 static_cast<unsigned long long>(summary->unknown_loops));
  }
  return std::fflush(stdout) == 0 ? kDone : complain("replay", "standard output failed", kFailed);
}

}  // namespace berm::agent
