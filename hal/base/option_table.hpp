// SPDX-License-Identifier: Apache-2.0
// One option table per component: the only place where a key, its type, default, range, unit and
// help are written. Parsing, range errors, defaults, `berm check`, `berm config show`, the JSON
// Schema and remote validation all read it. A component turns the validated Options into its own
// const struct.
//
// Bounds: a text is at most kMaxText bytes, one with a pattern kMaxPatternText.
//
// Faults are collected, never the first only: each has its path ("/drivers/e19/period_s") and, for
// an unknown key, the nearest known one. Nothing is applied where there is a fault; but so that the
// checks beyond the table can still be made and told at once, a faulty value has a stand-in: its
// default, else for a required key a value out of its range or empty, else nothing. What these
// checks then say of a stand-in, `without_consequences` leaves out. Any thread; plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hal/base/json.hpp"

namespace berm {

inline constexpr std::size_t kMaxText = 16384;
// The regular expression engine's stack grows with the text.
inline constexpr std::size_t kMaxPatternText = 512;

enum class OptionKind {
  boolean,
  integer,
  number,
  text,
  text_list,   // array of strings
  object,      // fixed keys: `table`
  object_map,  // any name → object of `table`; names must match `pattern`
  value_map,   // any name → scalar (headers)
  any,         // kept as Json for the component (its own parser reports faults)
};

enum class OptionChange { live, restart };  // restart: of its component, never of the agent

struct OptionTable;

struct OptionSpec {
  std::string_view key;
  OptionKind kind = OptionKind::text;
  std::string_view default_json = {};  // JSON text; empty: required if `required`, else absent
  bool required = false;
  double min = -9.0e15;  // numbers: inclusive
  double max = 9.0e15;
  std::string_view unit = {};  // "s", "ms", "bytes", "m", "km/h"
  OptionChange change = OptionChange::restart;
  std::string_view help = {};     // one line
  std::string_view choices = {};  // text: "oldest|newest"
  std::string_view pattern = {};  // text and map names: ECMAScript regular expression, whole match
  const OptionTable* table = nullptr;  // object and object_map
  bool is_path = false;                // names a local file or directory; never changed remotely
};

struct OptionTable {
  std::string_view name;  // "loop_detector"
  std::span<const OptionSpec> rows;
};

struct OptionFault {
  enum class StandIn {
    none,     // the value is as it was given, or there is none to stand for
    value,    // a default, or something out of range or empty
    nothing,  // an optional key that now looks as if it were not given
  };
  std::string path;  // JSON pointer
  std::string text;  // "must be 1…3600 s, is 0"
  StandIn stand_in = StandIn::none;
};

// Validated values: every key of the table that was given, is required or has a default. Wrong key
// or kind: assert.
class Options {
 public:
  using Map = std::vector<std::pair<std::string, Options>>;
  using Values = std::vector<std::pair<std::string, std::string>>;

  bool has(std::string_view key) const;
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double number(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const std::vector<std::string>& text_list(std::string_view key) const;
  const Options& object(std::string_view key) const;
  // In document order; empty where the key is absent.
  const Map& object_map(std::string_view key) const;
  const Values& value_map(std::string_view key) const;
  const Json& json(std::string_view key) const;

 private:
  friend class OptionParser;
  // A single object is a Map with one entry without a name: the type cannot hold itself directly.
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>, Map,
                             Values, Json>;
  const Value& value(std::string_view key) const;
  std::map<std::string, Value, std::less<>> values_;
};

// Validates `document` against `table`; appends to `faults`. Where any was added, the result is
// good for further checks only.
Options parse_options(const OptionTable& table, const Json& document, std::string_view path,
                      std::vector<OptionFault>& faults);

// Without the faults that only say that a stand-in is not right either: those at or below a path
// that has one, and those of an object that misses a key which was given and refused.
std::vector<OptionFault> without_consequences(std::vector<OptionFault> faults);

// The path of `key` below `path`: escaped as RFC 6901 wants it.
std::string option_path(std::string_view path, std::string_view key);
// `value` as a fault shows it: its JSON text, shortened where it is long.
std::string shown(const Json& value);

// The document with the defaults of all keys it does not name, in the order of the table (keys the
// table does not know are left out). Precondition: parse_options found no fault in it.
Json with_defaults(const OptionTable& table, const Json& document);

// JSON Schema (draft 2020-12) of the table, as an object value.
Json schema_of(const OptionTable& table);

}  // namespace berm
