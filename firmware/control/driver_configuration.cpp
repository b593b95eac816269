// SPDX-License-Identifier: Apache-2.0
#include <regex>

#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/options.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

void add_unknown_driver(const std::string& name, std::string_view path,
                        const ConfigurationSources& sources, Faults& faults) {
  std::vector<std::string_view> known;
  for (const auto* descriptor : sources.drivers) known.push_back(descriptor->name);
  std::string text = "this build has no driver " + shown(Json(name));
  const std::string_view near = nearest(name, known);
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  faults.push_back({option_path(path, "driver"), std::move(text)});
}

void check_name(const std::string& name, const std::string& path, Faults& faults) {
  static const std::regex kExpression{std::string(kNamePattern)};
  if (name.size() <= kMaxPatternText && std::regex_match(name, kExpression)) return;
  faults.push_back({path, "the name must have the form " + std::string(kNamePattern)});
}

}  // namespace

Json without_key(const Json& object, std::string_view key) {
  Json::Object rest;
  for (const Json::Member& member : object.object()) {
    if (member.first != key) rest.push_back(member);
  }
  return Json(std::move(rest));
}

const drivers::DriverDescriptor* find_descriptor(const Json& entry, std::string_view path,
                                                 const ConfigurationSources& sources,
                                                 Faults& faults) {
  if (!entry.is_object()) {
    faults.push_back({std::string(path), "must be an object, is " + shown(entry)});
    return nullptr;
  }
  const Json* const kind = entry.find("driver");
  if (kind == nullptr || !kind->is_string()) {
    faults.push_back({option_path(path, "driver"), kind == nullptr
                                                       ? "is missing: the kind of driver"
                                                       : "must be a text, is " + shown(*kind)});
    return nullptr;
  }
  for (const auto* descriptor : sources.drivers) {
    if (descriptor->name == kind->string()) return descriptor;
  }
  add_unknown_driver(kind->string(), path, sources, faults);
  return nullptr;
}

std::vector<DriverConfiguration> read_drivers(const Json& drivers,
                                              const ConfigurationSources& sources, Faults& faults) {
  std::vector<DriverConfiguration> read;
  if (!drivers.is_object()) {
    faults.push_back({"/drivers", "must be an object, is " + shown(drivers)});
    return read;
  }
  if (drivers.object().size() > kMaxDrivers) {
    faults.push_back({"/drivers", text_of("must be at most %zu, are %zu", kMaxDrivers,
                                          drivers.object().size())});
    return read;
  }
  for (const auto& [name, entry] : drivers.object()) {
    const std::string path = option_path("/drivers", name);
    check_name(name, path, faults);
    const auto* const descriptor = find_descriptor(entry, path, sources, faults);
    if (descriptor == nullptr) continue;
    Options options =
        parse_options(*descriptor->options, without_key(entry, "driver"), path, faults);
    if (descriptor->check != nullptr) descriptor->check(options, path, faults);
    read.push_back({name, descriptor, std::move(options)});
  }
  return read;
}

}  // namespace berm::control
