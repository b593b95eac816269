// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/displaced.hpp"

#include "firmware/outbox/limits.hpp"

namespace berm::outbox {

std::string why_unusable(hal::Disk& disk, const std::string& path) {
  if (disk.list(path)) return path + " is a directory";
  if (!disk.exists(path)) return {};
  // Nothing is written: this only asks. Other errors will pass, or are met where they matter.
  const auto opened = disk.open_append(path);
  if (opened || opened.error().code != ErrorCode::permission) return {};
  return opened.error().text;
}

Result<bool> displace(hal::Disk& disk, const std::string& directory, std::string_view name) {
  const std::string path = directory + "/" + std::string(name);
  if (why_unusable(disk, path).empty()) return false;
  for (int number = 1; number <= kMaxDisplaced; ++number) {
    const std::string target = path + ".displaced-" + std::to_string(number);
    if (disk.exists(target)) continue;
    BERM_CHECK(disk.rename(path, target));
    BERM_CHECK(disk.sync_directory(directory));
    return true;
  }
  return fail(ErrorCode::exists, path + ": too many displaced already; remove some");
}

}  // namespace berm::outbox
