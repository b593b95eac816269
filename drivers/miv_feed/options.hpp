// SPDX-License-Identifier: Apache-2.0
// Options of the miv_feed driver: the table that everything reads, the checks it cannot say, and
// the const struct the driver is made from. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/driver.hpp"
#include "hal/base/option_table.hpp"

namespace berm::drivers::miv_feed {

extern const OptionTable kOptions;

struct FeedOptions {
  std::string data_url, points_url;
  Seconds period{60};
  bool wants_all = true;
  std::vector<std::int64_t> points;  // sorted; where not all
  bool enrich = true;

  bool wants(std::int64_t uid) const;
};

// URLs that are none, `points` that is neither "all" nor a list of ids.
void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults);
// Precondition: parsed and checked without fault.
FeedOptions feed_options(const Options& options);
// The listed points; none for "all", whose ids only the site knows.
std::vector<std::int64_t> uids(const Options& options);

}  // namespace berm::drivers::miv_feed
