// SPDX-License-Identifier: Apache-2.0
// Columns: the tails of a segment's events, turned so that what is alike stands together: one
// field's values of all events after another's, a value that is the same in all of them once, each
// name once. Compressed, 100 lane periods take half of what they take event by event. Per column:
// '=' (one value for all) or ':' (one each), the field's name, and the values, each with a newline
// behind it. Any tails come back byte for byte or are not turned at all: those that are no JSON
// members, whose names differ from event to event, or that hold a newline. Pure; any thread; memory
// of four bytes per event beside what it makes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::outbox {

// Empty: these cannot be turned. Precondition: at least one tail.
std::optional<std::string> columns_of(std::span<const std::string_view> tails);

// Tails read back; the views are into `bytes`, also after a move.
struct Tails {
  std::unique_ptr<char[]> bytes;
  std::vector<std::string_view> views;
};

// Error damaged: not the columns of `count` tails, or of more than `max_bytes` of them.
Result<Tails> tails_of(std::string_view columns, std::size_t count, std::size_t max_bytes);

}  // namespace berm::outbox
