// SPDX-License-Identifier: Apache-2.0
#include "firmware/event/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "hal/base/assert.hpp"
#include "hal/base/json_writer.hpp"

namespace berm::event {
namespace {

using drivers::LanePeriod;
using drivers::Row;
using drivers::VehiclePassage;

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// Writes a stream's fields in the order of its table and holds the caller to it: a name that is not
// the next one of the table is a defect of this file, found by the first test that writes the
// stream.
class TailWriter {
 public:
  TailWriter(const StreamSchema& schema, std::string& out) : fields_(schema.fields), out_(out) {}

  void integer(std::string_view name, std::optional<std::int64_t> value) {
    if (begin(name, FieldType::integer, value.has_value())) append_integer(out_, *value);
  }
  void number(std::string_view name, std::optional<double> value) {
    if (begin(name, FieldType::number, value.has_value())) {
      JsonWriter(out_).number(*value, fields_[next_ - 1].decimals);
    }
  }
  void text(std::string_view name, const std::optional<std::string>& value) {
    if (begin(name, FieldType::text, value.has_value())) append_json_string(out_, *value);
  }
  void place(const drivers::Place& place) {
    text("name", place.name);
    text("road", place.road);
    number("km", place.km);
    text("direction", place.direction);
    number("lat", place.lat);
    number("lon", place.lon);
  }
  void finish() const { BERM_ASSERT(next_ == fields_.size()); }

 private:
  // True: the value is to follow. Otherwise null was written.
  bool begin(std::string_view name, FieldType type, bool known) {
    BERM_ASSERT(next_ < fields_.size());
    const FieldSpec& field = fields_[next_++];
    BERM_ASSERT(field.name == name && field.type == type && (known || field.nullable));
    out_ += ",\"";
    out_ += name;
    out_ += known ? "\":" : "\":null";
    return known;
  }

  std::span<const FieldSpec> fields_;
  std::string& out_;
  std::size_t next_ = 0;
};

struct ClassNames {
  std::string_view count, speed, harmonic, speed_count;
};
#define BERM_CLASS_NAMES(n)                                                                        \
  {"measure_class_" n "_count", "measure_class_" n "_speed", "measure_class_" n "_speed_harmonic", \
   "measure_class_" n "_speed_count"}
constexpr std::array<ClassNames, drivers::kClasses> kClassNames{
    {BERM_CLASS_NAMES("1"), BERM_CLASS_NAMES("2"), BERM_CLASS_NAMES("3"), BERM_CLASS_NAMES("4"),
     BERM_CLASS_NAMES("5")}};

void write_tail(const LanePeriod& period, TailWriter& tail) {
  tail.integer("uid", period.uid);
  tail.text("lane", period.lane);
  tail.integer("period_s", period.period_s);
  tail.integer("count", period.count);
  tail.integer("unclassified_count", period.unclassified_count);
  for (std::size_t i = 0; i < kClassNames.size(); ++i) {
    tail.integer(kClassNames[i].count, period.classes[i].count);
    tail.number(kClassNames[i].speed, period.classes[i].speed_kmh);
    tail.number(kClassNames[i].harmonic, period.classes[i].speed_harmonic_kmh);
    tail.integer(kClassNames[i].speed_count, period.classes[i].speed_count);
  }
  tail.number("occupancy", period.occupancy_percent);
  tail.number("availability", period.availability_percent);
  tail.number("unrest", period.unrest);
  tail.number("coverage", period.coverage);
  tail.integer("valid", period.valid);
  tail.integer("defect", period.defect);
  tail.text("flags", period.flags);
  tail.number("expected", period.expected);
  tail.number("score", period.score);
  tail.place(period.place);
}

void write_tail(const VehiclePassage& passage, TailWriter& tail) {
  tail.integer("uid", passage.uid);
  tail.text("lane", passage.lane);
  tail.number("speed_kmh", passage.speed_kmh);
  tail.number("length_m", passage.length_m);
  tail.integer("class", passage.length_class);
  tail.integer("on_ms", passage.on_ms);
  tail.integer("headway_ms", passage.headway_ms);
  tail.integer("gap_ms", passage.gap_ms);
  tail.text("flags", passage.flags);
}

const Row::Value* find_value(const Row& row, std::string_view name) {
  for (const auto& [key, value] : row.values) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Error: what is wrong with this value for this field. An integer is fine where a number is wanted.
Result<void> write_value(const FieldSpec& field, const Row::Value* value, TailWriter& tail) {
  const bool known = value != nullptr && !std::holds_alternative<std::monostate>(*value);
  if (!known && !field.nullable) {
    return fail(ErrorCode::invalid, "field " + std::string(field.name) + " is missing");
  }
  const auto* integer = known ? std::get_if<std::int64_t>(value) : nullptr;
  const auto* number = known ? std::get_if<double>(value) : nullptr;
  const auto* text = known ? std::get_if<std::string>(value) : nullptr;
  switch (field.type) {
    case FieldType::integer:
      if (known && integer == nullptr) break;
      tail.integer(field.name, known ? std::optional(*integer) : std::nullopt);
      return {};
    case FieldType::number:
      if (known && integer == nullptr && number == nullptr) break;
      tail.number(field.name, !known   ? std::nullopt
                              : number ? std::optional(*number)
                                       : std::optional(static_cast<double>(*integer)));
      return {};
    case FieldType::text:
      if (known && text == nullptr) break;
      tail.text(field.name, known ? std::optional(*text) : std::nullopt);
      return {};
  }
  return fail(ErrorCode::invalid,
              "field " + std::string(field.name) + " has a value of another type");
}

Result<void> write_tail(const Row& row, const StreamSchema& schema, TailWriter& tail) {
  for (const auto& [name, value] : row.values) {
    if (std::ranges::find(schema.fields, name, &FieldSpec::name) == schema.fields.end()) {
      return fail(ErrorCode::invalid, "stream " + row.stream + " has no field " + name);
    }
  }
  for (const FieldSpec& field : schema.fields) {
    BERM_CHECK(write_value(field, find_value(row, field.name), tail));
  }
  return {};
}

Draft begin_draft(const StreamSchema& schema, const drivers::When& when, std::string_view source,
                  Made made) {
  Draft draft;
  draft.schema = &schema;
  draft.source = source;
  draft.mono = when.mono;
  draft.wall = when.wall;
  draft.clock = when.wall ? when.clock : ClockSource::none;
  draft.made_mono = made.mono;
  draft.made_wall = made.wall;
  draft.tail.reserve(schema.fields.size() * 28);
  return draft;
}

template <class T>
Draft write_struct(std::string_view stream, const T& what, const drivers::When& when,
                   std::string_view source, Made made) {
  static_assert(requires(TailWriter& tail) { write_tail(what, tail); });
  const StreamSchema* schema = find_schema(stream);
  BERM_ASSERT(schema != nullptr);
  Draft draft = begin_draft(*schema, when, source, made);
  TailWriter tail(*schema, draft.tail);
  write_tail(what, tail);
  tail.finish();
  draft.tail.shrink_to_fit();  // thousands may wait for their commit
  draft.key = std::to_string(what.uid);
  return draft;
}

Result<Draft> write_row(const Row& row, std::string_view source, Made made) {
  const StreamSchema* schema = find_schema(row.stream);
  if (schema == nullptr) return fail(ErrorCode::invalid, "unknown stream " + row.stream);
  Draft draft = begin_draft(*schema, row.when, source, made);
  TailWriter tail(*schema, draft.tail);
  BERM_CHECK(write_tail(row, *schema, tail));
  tail.finish();
  draft.tail.shrink_to_fit();
  if (!schema->keyed_by_uid) return draft;
  const Row::Value* uid = find_value(row, "uid");
  BERM_ASSERT(uid != nullptr);
  draft.key = std::to_string(std::get<std::int64_t>(*uid));
  return draft;
}

}  // namespace

Result<Draft> write_draft(const drivers::Observation& observation, std::string_view source,
                          Made made) {
  if (const auto* period = std::get_if<LanePeriod>(&observation)) {
    Draft draft = write_struct("traffic.lane", *period, period->start, source, made);
    draft.vehicles = period->count.value_or(0);
    return draft;
  }
  if (const auto* passage = std::get_if<VehiclePassage>(&observation)) {
    return write_struct("traffic.vehicle", *passage, passage->leading_edge, source, made);
  }
  return write_row(std::get<Row>(observation), source, made);
}

std::string event_id(const StreamSchema& schema, const Identity& identity) {
  std::string id;
  id.append(identity.node)
      .append("/")
      .append(identity.epoch)
      .append("/")
      .append(schema.name)
      .append("/");
  append_integer(id, identity.seq);
  return id;
}

void compose_line(const StreamSchema& schema, const Identity& identity, SettledTime when,
                  std::string_view source, std::string_view tail, std::string& out) {
  // node, epoch and stream are checked names: nothing in them needs escaping.
  out.append("{\"id\":\"").append(identity.node).append("/").append(identity.epoch).append("/");
  out.append(schema.name).append("/");
  append_integer(out, identity.seq);
  out += "\",\"v\":";
  append_integer(out, schema.version);
  out.append(",\"node\":\"").append(identity.node).append("\",\"epoch\":\"").append(identity.epoch);
  out.append("\",\"stream\":\"").append(schema.name).append("\",\"seq\":");
  append_integer(out, identity.seq);
  out += ",\"time\":";
  append_integer(out, s_of(when.time));
  if (schema.has_time_ms) {
    out += ",\"time_ms\":";
    append_integer(out, ms_of(when.time));
  }
  out.append(",\"clock\":\"").append(name_of(when.clock)).append("\",\"source\":");
  append_json_string(out, source);
  out.append(tail).append("}");
}

}  // namespace berm::event
