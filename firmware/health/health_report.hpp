// SPDX-License-Identifier: Apache-2.0
// HealthReport: the node's own pulse, a `node.health` event every kInterval and at start: flat
// scalars taken from the one Status that everybody reads. At most 1 kB a line. Pure; loop thread.
#pragma once

#include "drivers/api/observation.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time.hpp"
#include "hal/clock.hpp"

namespace berm::health {

inline constexpr Seconds kHealthInterval{300};

// `status` is the agent's root Status.
drivers::Row health_row(const Status& status, const hal::Clock& clock);

}  // namespace berm::health
