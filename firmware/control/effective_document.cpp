// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "firmware/control/configuration_document.hpp"
#include "firmware/control/configuration_sections.hpp"
#include "firmware/control/options.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::control {
namespace {

std::string_view word_of(WhenFull when_full) {
  switch (when_full) {
    case WhenFull::conserve:
      return "conserve";
    case WhenFull::oldest:
      return "oldest";
    case WhenFull::refuse:
      return "refuse";
  }
  return "oldest";
}

Json effective_streams(const Json& given, const ConfigurationSources& sources) {
  Json streams{Json::Object{}};
  for (const KnownStream& known : sources.streams) {
    Json policy;
    policy.set("topic", known.topic);
    policy.set("durability",
               known.group_ms > 0 ? text_of("group %d", known.group_ms) : std::string("sync"));
    policy.set("when_full", word_of(known.when_full));
    policy.set("max_age_s", 0);
    if (const Json* own = given.find(known.name)) policy = merge_patch(policy, *own);
    streams.set(known.name, std::move(policy));
  }
  return streams;
}

Json effective_drivers(const Json& given, const ConfigurationSources& sources) {
  Json drivers{Json::Object{}};
  Faults none;
  for (const auto& [name, entry] : given.object()) {
    const auto* const descriptor = find_descriptor(entry, "", sources, none);
    BERM_ASSERT(descriptor != nullptr);
    Json driver;
    driver.set("driver", descriptor->name);
    const Json full = with_defaults(*descriptor->options, without_key(entry, "driver"));
    for (const auto& [key, value] : full.object()) driver.set(key, value);
    drivers.set(name, std::move(driver));
  }
  return drivers;
}

Json effective_uplinks(const Json& given) {
  Json uplinks{Json::Object{}};
  Faults none;
  for (const auto& [name, entry] : given.object()) {
    const OptionTable* const table = find_uplink_table(entry, "", none);
    BERM_ASSERT(table != nullptr);
    uplinks.set(name, with_defaults(*table, entry));
  }
  return uplinks;
}

Json driver_schema(const drivers::DriverDescriptor& descriptor) {
  const Json options = schema_of(*descriptor.options);
  Json kind;
  kind.set("const", descriptor.name);
  Json properties;
  properties.set("driver", std::move(kind));
  for (const auto& [key, value] : options.find("properties")->object()) properties.set(key, value);
  Json::Array required = {Json("driver")};
  if (const Json* own = options.find("required")) {
    required.insert(required.end(), own->array().begin(), own->array().end());
  }
  Json schema;
  schema.set("title", descriptor.name);
  schema.set("description", descriptor.summary);
  for (const auto& [key, value] : options.object()) schema.set(key, value);
  schema.set("properties", std::move(properties));
  schema.set("required", std::move(required));
  return schema;
}

Json named_schema(Json::Array kinds, std::string_view help) {
  Json names;
  names.set("pattern", "^(?:" + std::string(kNamePattern) + ")$");
  Json entry;
  entry.set("oneOf", std::move(kinds));
  Json schema;
  schema.set("type", "object");
  schema.set("propertyNames", std::move(names));
  schema.set("additionalProperties", std::move(entry));
  schema.set("description", help);
  return schema;
}

Json streams_schema(const Json& row, const ConfigurationSources& sources) {
  Json properties{Json::Object{}};
  const Json* const policy = row.find("additionalProperties");
  for (const KnownStream& known : sources.streams) properties.set(known.name, *policy);
  Json schema = row;
  schema.set("properties", std::move(properties));
  schema.set("additionalProperties", false);
  return schema;
}

}  // namespace

Json effective_document(const Json& document, const ConfigurationSources& sources) {
  Json full = with_defaults(document_table(), document);
  full.set("drivers", effective_drivers(*full.find("drivers"), sources));
  full.set("streams", effective_streams(*full.find("streams"), sources));
  full.set("uplinks", effective_uplinks(*full.find("uplinks")));
  return full;
}

Json configuration_schema(const ConfigurationSources& sources) {
  const Json table = schema_of(document_table());
  Json properties = *table.find("properties");
  Json::Array drivers;
  for (const auto* descriptor : sources.drivers) drivers.push_back(driver_schema(*descriptor));
  properties.set("drivers", named_schema(std::move(drivers), "sensors, by name"));
  Json::Array uplinks;
  for (const OptionTable* uplink : uplink_tables()) uplinks.push_back(schema_of(*uplink));
  properties.set("uplinks", named_schema(std::move(uplinks), "ways out, by name"));
  properties.set("streams", streams_schema(*properties.find("streams"), sources));
  Json schema;
  schema.set("$schema", "https://json-schema.org/draft/2020-12/schema");
  schema.set("title", "Berm configuration");
  for (const auto& [key, value] : table.object()) schema.set(key, value);
  schema.set("properties", std::move(properties));
  return schema;
}

}  // namespace berm::control
