// SPDX-License-Identifier: Apache-2.0
// The option tables of the configuration document: every key with its kind, range, unit, default
// and help, and nowhere else. `drivers` and `uplinks` are dispatched on their key "driver" or
// "uplink"; the drivers' tables stand in their own folders. Constants; any thread.
#pragma once

#include <span>
#include <string_view>

#include "hal/base/option_table.hpp"

namespace berm::control {

const OptionTable& document_table();

// "http", "mqtt", "file"; the name of a table is what "uplink" says.
std::span<const OptionTable* const> uplink_tables();

inline constexpr std::string_view kNamePattern =
    "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";  // of what has a name
inline constexpr std::string_view kNodePattern = "[a-z0-9][a-z0-9._-]{0,62}";
inline constexpr std::string_view kTopicPattern = "[A-Za-z0-9._-]{1,249}";  // what Kafka takes

}  // namespace berm::control
