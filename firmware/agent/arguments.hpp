// SPDX-License-Identifier: Apache-2.0
// The words after a verb of `berm`: options with a value (`--config FILE`, `--config=FILE`),
// switches
// (`--json`) and plain words. An unknown option names the nearest; a missing value is an error.
// Pure.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hal/base/result.hpp"

namespace berm::agent {

struct ArgumentSpec {
  std::string_view name;  // "--config"
  bool has_value = false;
  std::string_view alias = {};  // "-S"
};

class Arguments {
 public:
  static Result<Arguments> parse(std::span<const std::string_view> words,
                                 std::span<const ArgumentSpec> specs, std::size_t max_plain);
  bool has(std::string_view name) const { return values_.contains(std::string(name)); }
  // The option's value; else the environment variable's (empty: none), else `fallback`.
  std::string value(std::string_view name, const char* environment,
                    std::string_view fallback) const;
  std::optional<std::string> value(std::string_view name) const;
  const std::vector<std::string>& plain() const { return plain_; }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> plain_;
};

}  // namespace berm::agent
