// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/arguments.hpp"

#include <algorithm>
#include <cstdlib>

#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

const ArgumentSpec* find_spec(std::span<const ArgumentSpec> specs, std::string_view name) {
  const auto found = std::ranges::find_if(
      specs, [&](const ArgumentSpec& spec) { return spec.name == name || spec.alias == name; });
  return found == specs.end() ? nullptr : &*found;
}

std::unexpected<Error> unknown_option(std::span<const ArgumentSpec> specs, std::string_view name) {
  std::vector<std::string_view> names;
  for (const ArgumentSpec& spec : specs) names.push_back(spec.name);
  const std::string_view near = nearest(name, names);
  return fail(ErrorCode::invalid,
              "unknown option " + std::string(name) +
                  (near.empty() ? "" : ", did you mean " + std::string(near) + "?"));
}

}  // namespace

Result<Arguments> Arguments::parse(std::span<const std::string_view> words,
                                   std::span<const ArgumentSpec> specs, std::size_t max_plain) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.size() < 2 || word.front() != '-') {
      if (arguments.plain_.size() == max_plain)
        return fail(ErrorCode::invalid, "unexpected '" + std::string(word) + "'");
      arguments.plain_.emplace_back(word);
      continue;
    }
    const auto equals = word.starts_with("--") ? word.find('=') : std::string_view::npos;
    const std::string_view name = word.substr(0, equals);
    const ArgumentSpec* spec = find_spec(specs, name);
    if (spec == nullptr) return unknown_option(specs, name);
    std::string value;
    if (spec->has_value && equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else if (spec->has_value) {
      if (++i == words.size())
        return fail(ErrorCode::invalid, std::string(name) + " needs a value");
      value = words[i];
    } else if (equals != std::string_view::npos) {
      return fail(ErrorCode::invalid, std::string(name) + " takes no value");
    }
    arguments.values_[std::string(spec->name)] = std::move(value);
  }
  return arguments;
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

std::string Arguments::value(std::string_view name, const char* environment,
                             std::string_view fallback) const {
  if (const auto given = value(name)) return *given;
  const char* from_environment = std::getenv(environment);
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return std::string(fallback);
}

}  // namespace berm::agent
