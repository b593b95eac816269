// SPDX-License-Identifier: Apache-2.0
// The outbox's own events: what is missing and why (node.gap), what was sent (node.manifest), a new
// epoch (node.epoch), a time
// that was wrong (node.clock). Pure apart from reading the clock; source "outbox".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "firmware/event/event.hpp"
#include "hal/clock.hpp"

namespace berm::outbox {

struct Gap {
  std::string of;
  std::string of_epoch;
  std::string ranges;
  std::optional<std::int64_t> count;     // empty: the end is unknown
  std::optional<std::int64_t> vehicles;  // empty: unknown, or no lane periods
  std::string_view cause;
  std::optional<std::string> uplink;  // who did not get them; nullopt: nobody did; "": all did
  std::optional<std::string> into;    // merged: the events that carry them
};

struct Manifest {
  std::string of;
  std::string of_epoch;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t count = 0;
  std::uint64_t sum64 = 0;
  std::int64_t gaps = 0;  // the newest gap record of this epoch that it takes into account
};

event::Draft gap_event(const Gap& gap, hal::Clock& clock);
event::Draft manifest_event(const Manifest& manifest, hal::Clock& clock);
event::Draft epoch_event(const std::optional<std::string>& previous, std::string_view reason,
                         hal::Clock& clock);
event::Draft clock_event(std::string_view boot, std::int64_t offset_ms, std::string_view of,
                         const std::string& ranges, hal::Clock& clock);

}  // namespace berm::outbox
