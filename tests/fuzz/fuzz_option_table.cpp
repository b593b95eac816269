// SPDX-License-Identifier: Apache-2.0
// Any document against a table with every kind of option: without a fault, all that the table
// promises can be read.
#include <cstdint>
#include <string_view>

#include "hal/base/assert.hpp"
#include "hal/base/option_table.hpp"

namespace berm {
namespace {

constexpr OptionSpec kLaneRows[] = {
    {.key = "uid", .kind = OptionKind::integer, .required = true, .min = 1, .max = 100},
    {.key = "loops", .kind = OptionKind::text_list, .pattern = "[0-9A-F]{2}"},
};
constexpr OptionTable kLane = {"lane", kLaneRows};

constexpr OptionSpec kRows[] = {
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s"},
    {.key = "share", .kind = OptionKind::number, .default_json = "0.5", .min = 0, .max = 1},
    {.key = "vehicles", .kind = OptionKind::boolean, .default_json = "false"},
    {.key = "order", .default_json = "\"oldest\"", .choices = "oldest|newest"},
    {.key = "name", .pattern = "[a-z0-9][a-z0-9._-]{0,62}"},
    {.key = "lanes", .kind = OptionKind::object_map, .pattern = "[A-Z][0-9]+", .table = &kLane},
    {.key = "lane", .kind = OptionKind::object, .table = &kLane},
    {.key = "headers", .kind = OptionKind::value_map},
    {.key = "mapping", .kind = OptionKind::any},
};
constexpr OptionTable kTable = {"fuzz", kRows};

void read_all(const Options& options) {
  BERM_ASSERT(options.integer("period_s") >= 1 && options.integer("period_s") <= 3600);
  BERM_ASSERT(options.number("share") >= 0.0 && options.number("share") <= 1.0);
  BERM_ASSERT(!options.text("order").empty());
  BERM_ASSERT(options.boolean("vehicles") || !options.boolean("vehicles"));
  for (const auto& [name, lane] : options.object_map("lanes")) {
    BERM_ASSERT(!name.empty() && lane.integer("uid") >= 1);
  }
  if (options.has("lane")) BERM_ASSERT(options.object("lane").integer("uid") <= 100);
  for (const auto& [name, value] : options.value_map("headers")) BERM_ASSERT(!name.empty());
}

}  // namespace
}  // namespace berm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto json = berm::Json::parse({reinterpret_cast<const char*>(bytes), size});
  if (!json) return 0;
  std::vector<berm::OptionFault> faults;
  const berm::Options options = berm::parse_options(berm::kTable, *json, "", faults);
  for (const berm::OptionFault& fault : faults) BERM_ASSERT(!fault.text.empty());
  if (faults.empty()) berm::read_all(options);
  return 0;
}
