// SPDX-License-Identifier: Apache-2.0
// The system's tz database (/usr/share/zoneinfo, Debian package tzdata): one small file is read,
// once per call. Fails with `not_found` where the database or the zone is missing, `invalid` where
// the file is damaged. Any thread.
#pragma once

#include <string>

#include "hal/base/time_zone.hpp"

namespace berm::hal {

// `name` as in "Europe/Brussels".
Result<TimeZone> read_time_zone(const std::string& name);

}  // namespace berm::hal
