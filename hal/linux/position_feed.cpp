// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/position_feed.hpp"

#include "hal/linux/module.hpp"

namespace berm::hal {

Result<std::unique_ptr<PositionFeeds>> load_position_feeds(EpollLoop& loop,
                                                           const std::string& module_directory) {
  BERM_TRY(void* const address, load_module(module_directory + "/" + kGpsModule, kGpsModuleEntry));
  const auto entry = reinterpret_cast<GpsModuleEntry>(address);
  Result<std::unique_ptr<PositionFeeds>> feeds = fail(ErrorCode::unavailable, "GPS: not made");
  entry(loop, feeds);
  return feeds;
}

}  // namespace berm::hal
