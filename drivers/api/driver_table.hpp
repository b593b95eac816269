// SPDX-License-Identifier: Apache-2.0
// All drivers of this build, by name; generated at configure time from the folders under drivers/.
#pragma once

#include <span>

#include "drivers/api/driver.hpp"

namespace berm::drivers {
std::span<const DriverDescriptor* const> driver_table();
}  // namespace berm::drivers
