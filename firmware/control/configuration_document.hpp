// SPDX-License-Identifier: Apache-2.0
// The configuration document: JSON (comments allowed) in, NodeConfiguration or every fault out.
// Used by the agent at start, by `berm check`, `berm config show` and remote control, so all of
// them say the same.
//
// Nothing is half applied: with one fault there is no configuration. All faults are collected, each
// one line `FILE:/uplinks/flume/url: text`, at most kMaxFaults of them. Beyond the option tables it
// is checked that: no node is named "group"; a uid and a signal belong to one driver; a signal of a
// driver is wired (board "sim" needs no wires) and its bus exists; streams and their globs are
// known ones; a topic named is an allowed one; URLs have a scheme, host and port that can work;
// no broker has two uplinks; user, certificate and key come in pairs; headers cannot break out of
// their line; remote control names an mqtt uplink and says who may use it; with a rate other than 1
// no uplink leaves the machine. No file is read and no name looked up. Pure; any thread; a document
// of 1 MiB takes some ten milliseconds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "firmware/control/configuration.hpp"
#include "hal/base/json.hpp"
#include "hal/base/option_table.hpp"

namespace berm::control {

// A stream of this build with its own policy (from firmware/event, which control does not know).
struct KnownStream {
  std::string_view name;
  std::string_view topic;
  int group_ms = 1000;  // 0: sync
  WhenFull when_full = WhenFull::oldest;
};

// What a document is checked against. Everything in it outlives the call.
struct ConfigurationSources {
  std::span<const drivers::DriverDescriptor* const> drivers;
  std::span<const KnownStream> streams;
};

struct ParsedConfiguration {
  std::optional<NodeConfiguration> configuration;  // exactly if `faults` is empty
  std::vector<std::string> faults;                 // lines, without newline
  Json effective;                                  // with all defaults; null where there are faults
  std::string sha256;                              // of the effective document in one line
};

// `file_name`: named in the faults; its folder is where relative file names begin.
ParsedConfiguration parse_configuration(std::string_view text, std::string_view file_name,
                                        const ConfigurationSources& sources);

// The same for a document already parsed (file merged with remote layers); `name` stands for it in
// faults.
ParsedConfiguration check_document(const Json& document, std::string_view name,
                                   const ConfigurationSources& sources);

// The document with all defaults, as `berm config show` prints it. Precondition: it has no fault.
Json effective_document(const Json& document, const ConfigurationSources& sources);

// JSON Schema (draft 2020-12) of the whole document, from the same tables.
Json configuration_schema(const ConfigurationSources& sources);

}  // namespace berm::control
