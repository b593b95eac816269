// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/ledger.hpp"

#include <utility>

#include "drivers/api/observation.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

using Value = drivers::Row::Value;

template <class T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

event::Draft draft_of(drivers::Row row, hal::Clock& clock) {
  const hal::WallReading wall = clock.wall();
  row.when.mono = clock.mono();
  if (wall.source != ClockSource::none) {
    row.when.wall = wall.time;
    row.when.clock = wall.source;
  }
  const event::Made made{row.when.mono, row.when.wall};
  auto draft = event::write_draft(std::move(row), "outbox", made);
  BERM_ASSERT(draft.has_value());  // a field this file and the schema do not agree on
  return std::move(*draft);
}

}  // namespace

event::Draft gap_event(const Gap& gap, hal::Clock& clock) {
  drivers::Row row{.stream = "node.gap"};
  row.values = {{"of", gap.of},
                {"of_epoch", gap.of_epoch},
                {"ranges", gap.ranges},
                {"count", or_null(gap.count)},
                {"vehicles", or_null(gap.vehicles)},
                {"cause", std::string(gap.cause)},
                {"uplink", or_null(gap.uplink)},
                {"into", or_null(gap.into)}};
  return draft_of(std::move(row), clock);
}

event::Draft manifest_event(const Manifest& manifest, hal::Clock& clock) {
  drivers::Row row{.stream = "node.manifest"};
  row.values = {{"of", manifest.of},
                {"of_epoch", manifest.of_epoch},
                {"first", manifest.first},
                {"last", manifest.last},
                {"count", manifest.count},
                {"sum64", text_of("%016llx", static_cast<unsigned long long>(manifest.sum64))},
                {"gaps", manifest.gaps}};
  return draft_of(std::move(row), clock);
}

event::Draft epoch_event(const std::optional<std::string>& previous, std::string_view reason,
                         hal::Clock& clock) {
  drivers::Row row{.stream = "node.epoch"};
  row.values = {{"previous", or_null(previous)}, {"reason", std::string(reason)}};
  return draft_of(std::move(row), clock);
}

event::Draft clock_event(std::string_view boot, std::int64_t offset_ms, std::string_view of,
                         const std::string& ranges, hal::Clock& clock) {
  drivers::Row row{.stream = "node.clock"};
  row.values = {{"boot", std::string(boot)},
                {"offset_ms", offset_ms},
                {"of", std::string(of)},
                {"ranges", ranges}};
  return draft_of(std::move(row), clock);
}

}  // namespace berm::outbox
