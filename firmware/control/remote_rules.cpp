// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_rules.hpp"

#include <algorithm>
#include <array>

#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/options.hpp"
#include "firmware/control/url.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

constexpr std::array<std::string_view, 5> kFixed = {"node", "board", "remote", "local_http",
                                                    "allowed_topics"};
constexpr std::array<std::string_view, 4> kCredentials = {"user", "password_file", "key_file",
                                                          "headers"};
constexpr std::array<std::string_view, 4> kSecretWords = {"password", "secret", "token",
                                                          "authoriz"};
constexpr std::string_view kRemoved = "(not shown)";

const Json* member(const Json* object, std::string_view key) {
  return object == nullptr ? nullptr : object->find(key);
}

bool same(const Json* a, const Json* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

bool names_a_file(std::string_view key) {
  return key.ends_with("_file") || key.ends_with("_files") || key == "file" ||
         key.ends_with("directory") || key == "device";
}

// Compares what names files, through all that an option table knows and all that only looks so.
class FileGuard {
 public:
  explicit FileGuard(std::vector<OptionFault>& faults) : faults_(faults) {}

  void check(const OptionTable& table, const Json* file, const Json& merged,
             const std::string& path) {
    if (!merged.is_object()) return;
    for (const OptionSpec& row : table.rows) {
      const Json* const now = merged.find(row.key);
      const Json* const was = member(file, row.key);
      const std::string own = option_path(path, row.key);
      if (row.is_path || names_a_file(row.key)) {
        compare(was, now, own);
      } else if (row.table != nullptr && now != nullptr) {
        descend(row, was, *now, own);
      }
    }
  }

 private:
  void descend(const OptionSpec& row, const Json* was, const Json& now, const std::string& path) {
    if (row.kind == OptionKind::object) return check(*row.table, was, now, path);
    if (!now.is_object()) return;
    for (const auto& [name, entry] : now.object()) {
      check(*row.table, member(was, name), entry, option_path(path, name));
    }
  }

  void compare(const Json* was, const Json* now, const std::string& path) {
    if (same(was, now)) return;
    faults_.push_back({path,
                       "is never changed remotely: it names a file, directory or device "
                       "of the node"});
  }

  std::vector<OptionFault>& faults_;
};

bool has_credential(const Json& uplink) {
  const auto is_there = [&](std::string_view key) { return uplink.find(key) != nullptr; };
  if (std::any_of(kCredentials.begin(), kCredentials.end(), is_there)) return true;
  const Json* const url = uplink.find("url");
  return url != nullptr && url->is_string() && url->string().find('@') != std::string::npos;
}

std::string place_of(const Json& uplink) {
  const Json* const url = uplink.find("url");
  if (url == nullptr || !url->is_string()) return {};
  const std::string& text = url->string();
  const auto begin = text.find("://");
  if (begin == std::string::npos) return text;
  const auto end = text.find_first_of("/?#", begin + 3);
  std::string place = text.substr(0, end);
  const auto at = place.rfind('@');
  if (at != std::string::npos) place.erase(begin + 3, at - begin - 2);
  return place;
}

void check_place(const Json& file, const Json& merged, std::vector<OptionFault>& faults) {
  const Json* const before = file.find("uplinks");
  const Json* const after = merged.find("uplinks");
  if (before == nullptr || after == nullptr || !after->is_object()) return;
  for (const auto& [name, uplink] : after->object()) {
    const Json* const was = before->find(name);
    if (was == nullptr || !has_credential(*was)) continue;
    const std::string path = option_path("/uplinks", name);
    if (place_of(*was) != place_of(uplink)) {
      faults.push_back({option_path(path, "url"),
                        "an uplink with a credential changes its host only in a signed document"});
    }
    if (!same(was->find("proxy"), uplink.find("proxy"))) {
      faults.push_back({option_path(path, "proxy"),
                        "an uplink with a credential changes its proxy only in a signed document"});
    }
  }
}

void check_files(const Json& file, const Json& merged, const ConfigurationSources& sources,
                 std::vector<OptionFault>& faults) {
  FileGuard guard(faults);
  guard.check(document_table(), &file, merged, "");
  Faults none;
  if (const Json* const uplinks = merged.find("uplinks")) {
    for (const auto& [name, entry] : uplinks->object()) {
      const std::string path = option_path("/uplinks", name);
      const OptionTable* const table = find_uplink_table(entry, path, none);
      if (table != nullptr) guard.check(*table, member(file.find("uplinks"), name), entry, path);
    }
  }
  if (const Json* const drivers = merged.find("drivers")) {
    for (const auto& [name, entry] : drivers->object()) {
      const std::string path = option_path("/drivers", name);
      const auto* const descriptor = find_descriptor(entry, path, sources, none);
      if (descriptor == nullptr) continue;
      guard.check(*descriptor->options, member(file.find("drivers"), name), entry, path);
    }
  }
}

// --- what a change restarts ---

// Whether all that differs between two objects of a table may change live; `path`: the first.
bool differs_live(const OptionTable& table, const Json& before, const Json& after,
                  const std::string& own, std::string& path) {
  bool is_live = true;
  for (const OptionSpec& row : table.rows) {
    const Json* const was = before.find(row.key);
    const Json* const now = after.find(row.key);
    if (same(was, now)) continue;
    if (path.empty()) path = option_path(own, row.key);
    is_live = is_live && row.change == OptionChange::live;
  }
  return is_live && !path.empty();
}

class Comparer {
 public:
  Comparer(const Json& before, const Json& after, const ConfigurationSources& sources)
      : before_(before), after_(after), sources_(sources) {}

  std::vector<Change> compare() {
    for (const OptionSpec& row : document_table().rows) {
      const Json* const was = before_.find(row.key);
      const Json* const now = after_.find(row.key);
      if (same(was, now)) continue;
      if (row.key == "drivers" || row.key == "uplinks" || row.key == "streams") {
        each_of(row, was, now);
      } else {
        whole(row, was, now);
      }
    }
    return std::move(changes_);
  }

 private:
  void whole(const OptionSpec& row, const Json* was, const Json* now) {
    Change change{std::string(row.key), "", row.change == OptionChange::live};
    if (row.kind == OptionKind::object && was != nullptr && now != nullptr) {
      change.is_live = differs_live(*row.table, *was, *now, option_path("", row.key), change.path);
    }
    if (change.path.empty()) change.path = option_path("", row.key);
    changes_.push_back(std::move(change));
  }

  void each_of(const OptionSpec& row, const Json* was, const Json* now) {
    std::vector<std::string> names;
    for (const Json* const side : {was, now}) {
      if (side == nullptr || !side->is_object()) continue;
      for (const auto& [name, entry] : side->object()) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    for (const std::string& name : names) entry(row, name, member(was, name), member(now, name));
  }

  void entry(const OptionSpec& row, const std::string& name, const Json* was, const Json* now) {
    if (same(was, now)) return;
    const std::string own = option_path(option_path("", row.key), name);
    Change change{std::string(row.key) + "/" + name, "", false};
    const OptionTable* const table = table_of(row, was, now);
    if (table != nullptr) change.is_live = differs_live(*table, *was, *now, own, change.path);
    if (change.path.empty()) change.path = own;
    changes_.push_back(std::move(change));
  }

  // Both of one kind; nullptr: it came, went, or became another.
  const OptionTable* table_of(const OptionSpec& row, const Json* was, const Json* now) const {
    if (was == nullptr || now == nullptr) return nullptr;
    if (row.key == "streams") return row.table;
    Faults none;
    if (row.key == "uplinks") {
      const auto* const table = find_uplink_table(*now, "", none);
      return table == find_uplink_table(*was, "", none) ? table : nullptr;
    }
    const auto* const descriptor = find_descriptor(*now, "", sources_, none);
    const bool is_same = descriptor == find_descriptor(*was, "", sources_, none);
    return is_same && descriptor != nullptr ? descriptor->options : nullptr;
  }

  const Json& before_;
  const Json& after_;
  const ConfigurationSources& sources_;
  std::vector<Change> changes_;
};

void differ(const Json* before, const Json* after, const std::string& path, std::size_t most,
            std::vector<std::string>& lines) {
  if (same(before, after) || lines.size() > most) return;
  const bool is_deeper =
      before != nullptr && after != nullptr && before->is_object() && after->is_object();
  if (!is_deeper) {
    const auto text = [](const Json* json) { return json == nullptr ? "nothing" : shown(*json); };
    lines.push_back((path.empty() ? "/" : path) + ": " + text(before) + " → " + text(after));
    return;
  }
  for (const auto& [key, value] : before->object()) {
    differ(&value, after->find(key), option_path(path, key), most, lines);
  }
  for (const auto& [key, value] : after->object()) {
    if (before->find(key) == nullptr) differ(nullptr, &value, option_path(path, key), most, lines);
  }
}

bool is_secret(std::string_view key) {
  std::string lower(key);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower.ends_with("_file")) return false;  // a name, not what is in it
  return std::any_of(kSecretWords.begin(), kSecretWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string without_userinfo(const std::string& text) {
  const auto begin = text.find("://");
  if (begin == std::string::npos) return text;
  const auto end = std::min(text.find_first_of("/?#", begin + 3), text.size());
  const auto at = text.rfind('@', end);
  if (at == std::string::npos || at < begin) return text;
  return text.substr(0, begin + 3) + std::string(kRemoved) + text.substr(at);
}

}  // namespace

std::vector<OptionFault> forbidden_changes(const Json& file, const Json& merged, bool is_signed,
                                           const ConfigurationSources& sources) {
  std::vector<OptionFault> faults;
  for (const std::string_view key : kFixed) {
    if (same(file.find(key), merged.find(key))) continue;
    faults.push_back({option_path("", key), "is never changed remotely"});
  }
  const Json* const pace = member(file.find("simulation"), "rate");
  if (!same(pace, member(merged.find("simulation"), "rate"))) {
    faults.push_back({"/simulation/rate", "is never changed remotely: a clock's pace is a life's"});
  }
  check_files(file, merged, sources, faults);
  if (!is_signed) check_place(file, merged, faults);
  return faults;
}

std::vector<Change> changes_between(const Json& before, const Json& after,
                                    const ConfigurationSources& sources) {
  return Comparer(before, after, sources).compare();
}

std::vector<std::string> difference(const Json& before, const Json& after, std::size_t most) {
  std::vector<std::string> lines;
  differ(&before, &after, "", most, lines);
  if (lines.size() <= most) return lines;
  lines.resize(most);
  lines.emplace_back("… and more");
  return lines;
}

Json without_secrets(const Json& document) {
  if (document.is_string()) return Json(without_userinfo(document.string()));
  if (document.is_array()) {
    Json::Array all;
    for (const Json& one : document.array()) all.push_back(without_secrets(one));
    return Json(std::move(all));
  }
  if (!document.is_object()) return document;
  Json clean{Json::Object{}};
  for (const auto& [key, value] : document.object()) {
    if (key == "headers" && value.is_object()) {
      Json headers{Json::Object{}};
      for (const auto& [name, text] : value.object()) headers.set(name, kRemoved);
      clean.set(key, std::move(headers));
    } else {
      clean.set(key, is_secret(key) ? Json(kRemoved) : without_secrets(value));
    }
  }
  return clean;
}

}  // namespace berm::control
