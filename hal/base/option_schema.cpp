// SPDX-License-Identifier: Apache-2.0
#include "hal/base/assert.hpp"
#include "hal/base/option_table.hpp"
#include "hal/base/text.hpp"

namespace berm {
namespace {

void set_range(Json& schema, const OptionSpec& spec) {
  if (spec.min > -9.0e15) schema.set("minimum", spec.min);
  if (spec.max < 9.0e15) schema.set("maximum", spec.max);
}

Json text_schema(const OptionSpec& spec) {
  Json schema;
  schema.set("type", "string");
  if (!spec.choices.empty()) {
    Json::Array choices;
    for (const std::string_view choice : split(spec.choices, '|')) choices.emplace_back(choice);
    schema.set("enum", std::move(choices));
  } else if (!spec.pattern.empty()) {
    schema.set("pattern", "^(?:" + std::string(spec.pattern) + ")$");
  }
  return schema;
}

Json map_schema(const OptionSpec& spec, Json entry) {
  Json schema;
  schema.set("type", "object");
  if (!spec.pattern.empty()) {
    Json names;
    names.set("pattern", "^(?:" + std::string(spec.pattern) + ")$");
    schema.set("propertyNames", std::move(names));
  }
  schema.set("additionalProperties", std::move(entry));
  return schema;
}

Json scalar_schema() {
  Json schema;
  schema.set("type", Json::Array{Json("string"), Json("number"), Json("boolean")});
  return schema;
}

Json typed_schema(const OptionSpec& spec) {
  Json schema;
  switch (spec.kind) {
    case OptionKind::boolean:
      schema.set("type", "boolean");
      break;
    case OptionKind::integer:
    case OptionKind::number:
      schema.set("type", spec.kind == OptionKind::integer ? "integer" : "number");
      set_range(schema, spec);
      break;
    case OptionKind::text:
      return text_schema(spec);
    case OptionKind::text_list:
      schema.set("type", "array");
      schema.set("items", text_schema(spec));
      break;
    case OptionKind::object:
      BERM_ASSERT(spec.table != nullptr);
      return schema_of(*spec.table);
    case OptionKind::object_map:
      BERM_ASSERT(spec.table != nullptr);
      return map_schema(spec, schema_of(*spec.table));
    case OptionKind::value_map:
      return map_schema(spec, scalar_schema());
    case OptionKind::any:
      schema = Json(Json::Object{});
      break;
  }
  return schema;
}

Json parsed_default(const OptionSpec& spec) {
  auto value = Json::parse(spec.default_json);
  BERM_ASSERT(value.has_value());
  return std::move(*value);
}

Json row_schema(const OptionSpec& spec) {
  Json schema = typed_schema(spec);
  if (!spec.help.empty()) schema.set("description", spec.help);
  if (!spec.default_json.empty()) schema.set("default", parsed_default(spec));
  if (!spec.unit.empty()) schema.set("x-unit", spec.unit);
  if (spec.change == OptionChange::live) schema.set("x-change", "live");
  if (spec.is_path) schema.set("x-local-path", true);
  return schema;
}

Json value_with_defaults(const OptionSpec& spec, const Json& value) {
  if (spec.kind == OptionKind::object) return with_defaults(*spec.table, value);
  if (spec.kind != OptionKind::object_map) return value;
  Json map{Json::Object{}};
  for (const auto& [name, entry] : value.object()) map.set(name, with_defaults(*spec.table, entry));
  return map;
}

}  // namespace

Json with_defaults(const OptionTable& table, const Json& document) {
  Json full{Json::Object{}};
  for (const OptionSpec& spec : table.rows) {
    const Json* const given = document.find(spec.key);
    if (given != nullptr) {
      full.set(spec.key, value_with_defaults(spec, *given));
    } else if (!spec.default_json.empty()) {
      full.set(spec.key, value_with_defaults(spec, parsed_default(spec)));
    }
  }
  return full;
}

Json schema_of(const OptionTable& table) {
  Json properties{Json::Object{}};
  Json::Array required;
  for (const OptionSpec& spec : table.rows) {
    properties.set(spec.key, row_schema(spec));
    if (spec.required && spec.default_json.empty()) required.emplace_back(spec.key);
  }
  Json schema;
  schema.set("type", "object");
  schema.set("properties", std::move(properties));
  if (!required.empty()) schema.set("required", std::move(required));
  schema.set("additionalProperties", false);
  return schema;
}

}  // namespace berm
