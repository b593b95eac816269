// SPDX-License-Identifier: Apache-2.0
#include "hal/base/option_table.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm {
namespace {

constexpr double kNoMin = -9.0e15;
constexpr double kNoMax = 9.0e15;

std::string_view kind_of(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "true or false";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::string:
      return "a text";
    case Json::Kind::array:
      return "a list";
    case Json::Kind::object:
      return "an object";
  }
  return "something else";
}

std::string range_of(const OptionSpec& spec) {
  const bool has_min = spec.min > kNoMin;
  const bool has_max = spec.max < kNoMax;
  std::string text = "must be ";
  if (has_min && has_max) {
    text += Json(spec.min).to_text() + "…" + Json(spec.max).to_text();
  } else {
    text += (has_min ? "at least " : "at most ") + Json(has_min ? spec.min : spec.max).to_text();
  }
  if (!spec.unit.empty()) text += " " + std::string(spec.unit);
  return text;
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  const std::regex expression(pattern.begin(), pattern.end(), std::regex::ECMAScript);
  return std::regex_match(text.begin(), text.end(), expression);
}

// Empty: fine.
std::string text_fault(const OptionSpec& spec, const std::string& text) {
  if (text.size() > kMaxText) {
    return text_of("must be at most %zu bytes, is %zu", kMaxText, text.size());
  }
  if (!spec.choices.empty()) {
    const auto choices = split(spec.choices, '|');
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return {};
    std::string listed;
    for (const std::string_view choice : choices) {
      listed += (listed.empty() ? "" : ", ") + std::string(choice);
    }
    return "must be one of " + listed + ", is " + shown(Json(text));
  }
  if (spec.pattern.empty()) return {};
  if (text.size() > kMaxPatternText) {
    return text_of("must be at most %zu bytes, is %zu", kMaxPatternText, text.size());
  }
  if (matches_pattern(text, spec.pattern)) return {};
  return "must have the form " + std::string(spec.pattern) + ", is " + shown(Json(text));
}

}  // namespace

std::string shown(const Json& value) {
  static constexpr std::size_t kMaxShown = 60;
  std::string text = value.to_text();
  if (text.size() <= kMaxShown) return text;
  std::size_t cut = kMaxShown;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return text.substr(0, cut) + "…";
}

std::string option_path(std::string_view path, std::string_view key) {
  std::string joined(path);
  joined.push_back('/');
  for (const char c : key) {
    if (c == '~') {
      joined += "~0";
    } else if (c == '/') {
      joined += "~1";
    } else {
      joined.push_back(c);
    }
  }
  return joined;
}

class OptionParser {
 public:
  explicit OptionParser(std::vector<OptionFault>& faults) : faults_(faults) {}

  Options parse(const OptionTable& table, const Json& document, std::string_view path) {
    Options options;
    const bool is_object = document.is_object();
    if (is_object) {
      refuse_unknown(table, document, path);
    } else {
      refuse(path, "must be an object, is " + std::string(kind_of(document)), StandIn::value);
    }
    for (const OptionSpec& spec : table.rows) {
      const Json* const given = is_object ? document.find(spec.key) : nullptr;
      const std::string at = option_path(path, spec.key);
      if (given != nullptr) {
        read(spec, *given, at, options);
      } else if (!spec.default_json.empty()) {
        read_default(spec, at, options);
      } else if (spec.required && is_object) {
        refuse(at, "is missing" + (spec.help.empty() ? "" : ": " + std::string(spec.help)),
               StandIn::value);
      }
      if (!options.has(spec.key)) stand_in(spec, at, options);
    }
    return options;
  }

 private:
  using Value = Options::Value;
  using StandIn = OptionFault::StandIn;

  void refuse(std::string_view path, std::string text, StandIn stand_in = StandIn::none) {
    faults_.push_back({std::string(path), std::move(text), stand_in});
  }

  void refuse_value(const OptionSpec& spec, std::string_view path, std::string text) {
    const bool has_value = spec.required || !spec.default_json.empty();
    refuse(path, std::move(text), has_value ? StandIn::value : StandIn::nothing);
  }

  void refuse_kind(const OptionSpec& spec, std::string_view path, std::string_view wanted,
                   const Json& value) {
    refuse_value(spec, path, "must be " + std::string(wanted) + ", is " + shown(value));
  }

  // For a key that was refused or is missing.
  void stand_in(const OptionSpec& spec, const std::string& path, Options& options) {
    if (!spec.default_json.empty()) return read_default(spec, path, options);
    if (spec.required) options.values_.insert_or_assign(std::string(spec.key), no_value(spec));
  }

  // Nothing that a sound document could say.
  static Value no_value(const OptionSpec& spec) {
    const double number = spec.min > kNoMin ? std::min(spec.min - 1, -1.0) : 0;
    switch (spec.kind) {
      case OptionKind::boolean:
        return false;
      case OptionKind::integer:
        return static_cast<std::int64_t>(number);
      case OptionKind::number:
        return number;
      case OptionKind::text:
        return std::string();
      case OptionKind::text_list:
        return std::vector<std::string>();
      case OptionKind::object:
        return no_object(spec);
      case OptionKind::object_map:
        return Options::Map();
      case OptionKind::value_map:
        return Options::Values();
      case OptionKind::any:
        break;
    }
    return Json();
  }

  static Value no_object(const OptionSpec& spec) {
    std::vector<OptionFault> unheard;
    return Options::Map{{"", OptionParser(unheard).parse(*spec.table, Json(), "")}};
  }

  void refuse_unknown(const OptionTable& table, const Json& document, std::string_view path) {
    std::vector<std::string_view> known;
    known.reserve(table.rows.size());
    for (const OptionSpec& spec : table.rows) known.push_back(spec.key);
    for (const auto& [key, value] : document.object()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const std::string_view near = nearest(key, known);
      std::string text = "unknown key";
      if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
      refuse(option_path(path, key), std::move(text));
    }
  }

  void read_default(const OptionSpec& spec, const std::string& path, Options& options) {
    const auto value = Json::parse(spec.default_json);
    BERM_ASSERT(value.has_value());
    // An object by default may still miss a required key of its own: that is the document's fault.
    const std::size_t before = faults_.size();
    read(spec, *value, path, options);
    BERM_ASSERT(spec.kind == OptionKind::object || faults_.size() == before);
  }

  void read(const OptionSpec& spec, const Json& value, const std::string& path, Options& options) {
    const auto keep = [&](Value kept) {
      options.values_.insert_or_assign(std::string(spec.key), std::move(kept));
    };
    switch (spec.kind) {
      case OptionKind::boolean:
        if (!value.is_boolean()) return refuse_kind(spec, path, "true or false", value);
        return keep(value.boolean());
      case OptionKind::integer:
        if (!value.is_integer()) return refuse_kind(spec, path, "a whole number", value);
        if (in_range(spec, value.number(), path)) keep(value.integer());
        return;
      case OptionKind::number:
        if (!value.is_number()) return refuse_kind(spec, path, "a number", value);
        if (in_range(spec, value.number(), path)) keep(value.number());
        return;
      case OptionKind::text:
        if (!value.is_string()) return refuse_kind(spec, path, "a text", value);
        if (good_text(spec, value.string(), path)) keep(value.string());
        return;
      case OptionKind::text_list:
        if (!value.is_array()) return refuse_kind(spec, path, "a list of texts", value);
        return keep(text_list(spec, value, path));
      case OptionKind::object:
        return keep(Options::Map{{"", nested(spec, value, path)}});
      case OptionKind::object_map:
        if (!value.is_object()) return refuse_kind(spec, path, "an object", value);
        return keep(object_map(spec, value, path));
      case OptionKind::value_map:
        if (!value.is_object()) return refuse_kind(spec, path, "an object", value);
        return keep(value_map(spec, value, path));
      case OptionKind::any:
        return keep(value);
    }
  }

  bool in_range(const OptionSpec& spec, double value, const std::string& path) {
    if (value >= spec.min && value <= spec.max) return true;
    refuse_value(spec, path, range_of(spec) + ", is " + Json(value).to_text());
    return false;
  }

  bool good_text(const OptionSpec& spec, const std::string& text, std::string_view path) {
    std::string fault = text_fault(spec, text);
    if (fault.empty()) return true;
    refuse_value(spec, path, std::move(fault));
    return false;
  }

  Options nested(const OptionSpec& spec, const Json& value, const std::string& path) {
    BERM_ASSERT(spec.table != nullptr);
    return parse(*spec.table, value, path);
  }

  std::vector<std::string> text_list(const OptionSpec& spec, const Json& value,
                                     const std::string& path) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < value.array().size(); ++i) {
      const Json& element = value.array()[i];
      const std::string at = option_path(path, std::to_string(i));
      const bool is_text = element.is_string();
      std::string fault =
          is_text ? text_fault(spec, element.string()) : "must be a text, is " + shown(element);
      if (!fault.empty()) refuse(at, std::move(fault), StandIn::value);
      texts.push_back(is_text ? element.string() : shown(element));
    }
    return texts;
  }

  // The pattern of a map is about its names.
  void check_name(const OptionSpec& spec, const std::string& name, std::string_view path) {
    if (name.empty()) return refuse(path, "a name must not be empty");
    if (name.size() > kMaxPatternText) {
      return refuse(path, text_of("a name must be at most %zu bytes", kMaxPatternText));
    }
    if (spec.pattern.empty() || matches_pattern(name, spec.pattern)) return;
    refuse(path, "the name must have the form " + std::string(spec.pattern));
  }

  Options::Map object_map(const OptionSpec& spec, const Json& value, const std::string& path) {
    Options::Map map;
    for (const auto& [name, entry] : value.object()) {
      const std::string at = option_path(path, name);
      check_name(spec, name, at);
      map.emplace_back(name, nested(spec, entry, at));
    }
    return map;
  }

  Options::Values value_map(const OptionSpec& spec, const Json& value, const std::string& path) {
    Options::Values values;
    for (const auto& [name, entry] : value.object()) {
      const std::string at = option_path(path, name);
      check_name(spec, name, at);
      if (entry.is_string()) {
        values.emplace_back(name, entry.string());
      } else if (entry.is_number() || entry.is_boolean()) {
        values.emplace_back(name, entry.to_text());
      } else {
        refuse(at, "must be a text, a number, true or false, is " + shown(entry));
      }
    }
    return values;
  }

  std::vector<OptionFault>& faults_;
};

Options parse_options(const OptionTable& table, const Json& document, std::string_view path,
                      std::vector<OptionFault>& faults) {
  return OptionParser(faults).parse(table, document, path);
}

std::vector<OptionFault> without_consequences(std::vector<OptionFault> faults) {
  using StandIn = OptionFault::StandIn;
  std::set<std::string, std::less<>> replaced;  // paths that have a stand-in
  std::set<std::string, std::less<>> lacking;   // objects that miss a key which was refused
  for (const OptionFault& fault : faults) {
    if (fault.stand_in != StandIn::none) replaced.insert(fault.path);
    if (fault.stand_in == StandIn::nothing) {
      lacking.insert(fault.path.substr(0, std::min(fault.path.rfind('/'), fault.path.size())));
    }
  }
  const auto is_below_a_stand_in = [&](std::string_view path) {
    while (!replaced.contains(path)) {
      const std::size_t slash = path.rfind('/');
      if (slash == path.npos) return false;
      path = path.substr(0, slash);
    }
    return true;
  };
  std::erase_if(faults, [&](const OptionFault& fault) {
    return fault.stand_in == StandIn::none &&
           (lacking.contains(fault.path) || is_below_a_stand_in(fault.path));
  });
  return faults;
}

bool Options::has(std::string_view key) const {
  return values_.find(key) != values_.end();
}

const Options::Value& Options::value(std::string_view key) const {
  const auto found = values_.find(key);
  BERM_ASSERT(found != values_.end());
  return found->second;
}

bool Options::boolean(std::string_view key) const {
  const auto* const found = std::get_if<bool>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

std::int64_t Options::integer(std::string_view key) const {
  const auto* const found = std::get_if<std::int64_t>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

double Options::number(std::string_view key) const {
  const auto* const found = std::get_if<double>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

const std::string& Options::text(std::string_view key) const {
  const auto* const found = std::get_if<std::string>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

const std::vector<std::string>& Options::text_list(std::string_view key) const {
  const auto* const found = std::get_if<std::vector<std::string>>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

const Options& Options::object(std::string_view key) const {
  const auto* const found = std::get_if<Map>(&value(key));
  BERM_ASSERT(found != nullptr && found->size() == 1);
  return found->front().second;
}

const Options::Map& Options::object_map(std::string_view key) const {
  static const Map kNone;
  if (!has(key)) return kNone;
  const auto* const found = std::get_if<Map>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

const Options::Values& Options::value_map(std::string_view key) const {
  static const Values kNone;
  if (!has(key)) return kNone;
  const auto* const found = std::get_if<Values>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

const Json& Options::json(std::string_view key) const {
  const auto* const found = std::get_if<Json>(&value(key));
  BERM_ASSERT(found != nullptr);
  return *found;
}

}  // namespace berm
