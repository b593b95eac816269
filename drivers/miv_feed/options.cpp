// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/options.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "drivers/miv_feed/limits.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr OptionSpec kRows[] = {
    {.key = "data_url",
     .kind = OptionKind::text,
     .required = true,
     .help = "http or https address of the minute's data (…/miv/verkeersdata)"},
    {.key = "points_url",
     .kind = OptionKind::text,
     .required = true,
     .help = "http or https address of the list of points (…/miv/configuratie/xml)"},
    {.key = "period_s",
     .kind = OptionKind::integer,
     .default_json = "60",
     .min = 1,
     .max = 3600,
     .unit = "s",
     .help = "from one request to the next; the site has a new minute every minute"},
    {.key = "points",
     .kind = OptionKind::any,
     .default_json = "\"all\"",
     .help = "\"all\", or the list of `unieke_id` to report"},
    {.key = "enrich",
     .kind = OptionKind::boolean,
     .default_json = "true",
     .help = "name, road, km and position of the list of points in each lane period"},
};

bool is_url(std::string_view url) {
  const bool is_tls = url.starts_with("https://");
  if (!is_tls && !url.starts_with("http://")) return false;
  const std::string_view rest = url.substr(is_tls ? 8 : 7);
  const bool has_odd = std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '\x7f'; });
  return !has_odd && !rest.empty() && rest.front() != '/' && url.size() <= kMaxUrlBytes;
}

// An id of the list: a number, or a number as a text, as the XML has it.
std::optional<std::int64_t> id_of(const Json& value) {
  std::optional<std::int64_t> id;
  if (value.is_integer()) id = value.integer();
  if (value.is_string()) id = parse_integer(value.string());
  return id && *id >= 0 ? id : std::nullopt;
}

void check_list(const Json::Array& list, const std::string& path,
                std::vector<OptionFault>& faults) {
  if (list.empty()) faults.push_back({path, "must name at least one point"});
  if (list.size() > kMaxPoints) {
    faults.push_back({path, "must have at most " + std::to_string(kMaxPoints) + " points, has " +
                                std::to_string(list.size())});
  }
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = path + "/" + std::to_string(i);
    const auto id = id_of(list[i]);
    if (!id) {
      faults.push_back({where, "must be a unieke_id (a whole number ≥ 0), is " + shown(list[i])});
    } else if (!seen.insert(*id).second) {
      faults.push_back({where, "point " + std::to_string(*id) + " is listed already"});
    }
  }
}

bool is_all(const Json& points) {
  return points.is_string() && points.string() == "all";
}

}  // namespace

constexpr OptionTable kOptions{"miv_feed", kRows};

bool FeedOptions::wants(std::int64_t uid) const {
  return wants_all || std::ranges::binary_search(points, uid);
}

void check(const Options& options, std::string_view path, std::vector<OptionFault>& faults) {
  for (const std::string_view key : {"data_url", "points_url"}) {
    if (!options.has(key) || is_url(options.text(key))) continue;
    faults.push_back({option_path(path, key),
                      "must be an address that begins with http:// or "
                      "https://, is " +
                          shown(options.text(key))});
  }
  if (!options.has("points")) return;
  const Json& points = options.json("points");
  const std::string where = option_path(path, "points");
  if (points.is_array()) {
    check_list(points.array(), where, faults);
  } else if (!is_all(points)) {
    faults.push_back({where, "must be \"all\" or a list of unieke_id, is " + shown(points)});
  }
}

FeedOptions feed_options(const Options& options) {
  FeedOptions result;
  result.data_url = options.text("data_url");
  result.points_url = options.text("points_url");
  result.period = Seconds{options.integer("period_s")};
  result.points = uids(options);
  result.wants_all = result.points.empty();
  result.enrich = options.boolean("enrich");
  return result;
}

std::vector<std::int64_t> uids(const Options& options) {
  std::vector<std::int64_t> result;
  const Json& points = options.json("points");
  if (!points.is_array()) return result;
  for (const Json& point : points.array()) {
    if (const auto id = id_of(point)) result.push_back(*id);
  }
  std::ranges::sort(result);
  return result;
}

}  // namespace berm::drivers::miv_feed
