// SPDX-License-Identifier: Apache-2.0
// The parts of reading a configuration document that have a file of their own;
// configuration_document.cpp calls them in turn. Each appends its faults and returns all it could
// make of the section, with stand-ins for faulty values, so that one fault hides no other. Pure;
// used inside firmware/control only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "firmware/control/configuration.hpp"
#include "firmware/control/configuration_document.hpp"

namespace berm::control {

using Faults = std::vector<OptionFault>;

// An entry of `drivers` or `uplinks` without the key that says its kind.
Json without_key(const Json& object, std::string_view key);

// Where relative file names begin: "/etc/berm" of "/etc/berm/berm.json"; empty: the working
// directory.
std::string folder_of(std::string_view file_name);
// `path` as seen from `folder`; empty stays empty.
std::string resolved(std::string_view folder, std::string_view path);

// The descriptor or table that an entry names; nullptr: none (and a fault was added).
const drivers::DriverDescriptor* find_descriptor(const Json& entry, std::string_view path,
                                                 const ConfigurationSources& sources,
                                                 Faults& faults);
const OptionTable* find_uplink_table(const Json& entry, std::string_view path, Faults& faults);

std::vector<DriverConfiguration> read_drivers(const Json& drivers,
                                              const ConfigurationSources& sources, Faults& faults);
std::vector<UplinkConfiguration> read_uplinks(const Json& uplinks, std::string_view folder,
                                              const ConfigurationSources& sources, Faults& faults);
std::vector<StreamPolicy> read_streams(const Options::Map& streams,
                                       const ConfigurationSources& sources, Faults& faults);

// What only shows between sections. `configuration` may hold stand-ins.
void check_between_sections(const NodeConfiguration& configuration, Faults& faults);
void check_remote(const NodeConfiguration& configuration, const RemoteConfiguration& remote,
                  bool is_unsigned, Faults& faults);

}  // namespace berm::control
