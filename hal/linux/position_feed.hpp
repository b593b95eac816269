// SPDX-License-Identifier: Apache-2.0
// Loads the position feeds (gpsd through libgps) as the module berm-gps.so, when the configuration
// names a receiver: a program that never does maps no libgps (1.2 MB). Used by the agent.
//
// What the feeds promise stands in gpsd_feed.hpp; their code and libgps are in the module only.
// Thread: the loop's, at start: it blocks for some milliseconds. Lifetime: loop > feeds; the module
// stays mapped. Fails: as load_module, naming the file.
#pragma once

#include <memory>
#include <string>

#include "hal/base/result.hpp"
#include "hal/linux/loop.hpp"
#include "hal/position_feed.hpp"

namespace berm::hal {

inline constexpr char kGpsModule[] = "berm-gps.so";
inline constexpr char kGpsModuleEntry[] = "berm_position_feeds_create";

// The function kGpsModuleEntry.
using GpsModuleEntry = void (*)(EpollLoop& loop, Result<std::unique_ptr<PositionFeeds>>& feeds);

Result<std::unique_ptr<PositionFeeds>> load_position_feeds(EpollLoop& loop,
                                                           const std::string& module_directory);

}  // namespace berm::hal
