// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/time_zone.hpp"

#include <fstream>

namespace berm::hal {

Result<TimeZone> read_time_zone(const std::string& name) {
  if (name.empty() || name == "UTC") return TimeZone{};
  if (name.front() == '/' || name.find("..") != std::string::npos)
    return fail(ErrorCode::invalid, "time zone \"" + name + "\" is no name");
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "no time zone \"" + name + "\" (package tzdata)");
  std::string bytes(TimeZone::kMaxFileBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return TimeZone::from_file(bytes);
}

}  // namespace berm::hal
