// SPDX-License-Identifier: Apache-2.0
// SalvageState: what is still to be salvaged, as it stands in the new database: there as long as
// there is something to do, changed in the same transaction as what was done, so a restart goes on
// where the last step ended. A value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::outbox {

inline constexpr std::string_view kSalvageKey = "salvage";  // in meta

struct SalvageState {
  struct Copy {
    std::int64_t number = 0;                                    // of outbox.db.damaged-N
    std::vector<std::pair<std::int64_t, std::int64_t>> series;  // there, here; still to be read
    bool operator==(const Copy&) const = default;
  };
  std::vector<Copy> copies;        // in the order in which they are read
  std::vector<std::int64_t> open;  // series here of which nobody has said yet what they lost
  bool is_over() const { return copies.empty() && open.empty(); }
  bool operator==(const SalvageState&) const = default;

  std::string to_text() const;
  static Result<SalvageState> parse(std::string_view text);
};

}  // namespace berm::outbox
