// SPDX-License-Identifier: Apache-2.0
// The entry of the module berm-gps.so (see position_feed.hpp).
#include "hal/linux/gpsd_feed.hpp"
#include "hal/linux/module.hpp"
#include "hal/linux/position_feed.hpp"

BERM_MODULE_BUILD_ID;

extern "C" [[gnu::visibility("default")]] void berm_position_feeds_create(
    berm::hal::EpollLoop& loop, berm::Result<std::unique_ptr<berm::hal::PositionFeeds>>& feeds);

void berm_position_feeds_create(berm::hal::EpollLoop& loop,
                                berm::Result<std::unique_ptr<berm::hal::PositionFeeds>>& feeds) {
  feeds = std::make_unique<berm::hal::GpsdFeeds>(loop);
}
