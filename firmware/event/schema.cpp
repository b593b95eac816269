// SPDX-License-Identifier: Apache-2.0
#include "firmware/event/schema.hpp"

#include <algorithm>
#include <array>

#include "hal/base/json_writer.hpp"

namespace berm::event {
namespace {

using enum FieldType;
constexpr bool kNull = true;
constexpr bool kAlways = false;

constexpr FieldSpec kCommon[] = {
    {"id", text, kAlways, 0, "", Merge::drop, "",
     "node/epoch/stream/seq; opaque, the same in every repeat"},
    {"v", integer, kAlways, 0, "", Merge::same, "", "version of the stream's schema"},
    {"node", text, kAlways, 0, "", Merge::same, "", "the device"},
    {"epoch", text, kAlways, 0, "", Merge::same, "", "the outbox's life; seq begins anew with it"},
    {"stream", text, kAlways, 0, "", Merge::same, "", ""},
    {"seq", integer, kAlways, 0, "", Merge::drop, "",
     "from 1, without a hole that no gap record explains"},
    {"time", integer, kAlways, 0, "s", Merge::drop, "", "since 1970 UTC; of a period its start"},
    {"clock", text, kAlways, 0, "", Merge::worst, "",
     "who vouches for the time: gps, ntp, rtc, none"},
    {"source", text, kAlways, 0, "", Merge::same, "", "the driver's name"},
};

#define BERM_CLASS_FIELDS(n)                                                        \
  {"measure_class_" n "_count",  integer, kNull, 0, "veh", Merge::sum, "",          \
   "vehicles of length class " n},                                                  \
      {"measure_class_" n "_speed",                                                 \
       number,                                                                      \
       kNull,                                                                       \
       2,                                                                           \
       "km/h",                                                                      \
       Merge::mean,                                                                 \
       "measure_class_" n "_speed_count",                                           \
       "arithmetic mean speed"},                                                    \
      {"measure_class_" n "_speed_harmonic",                                        \
       number,                                                                      \
       kNull,                                                                       \
       2,                                                                           \
       "km/h",                                                                      \
       Merge::harmonic,                                                             \
       "measure_class_" n "_speed_count",                                           \
       "harmonic (space) mean speed"},                                              \
      {"measure_class_" n "_speed_count", integer, kNull, 0, "veh", Merge::sum, "", \
       "vehicles in those means"}

#define BERM_PLACE_FIELDS                                                      \
  {"name", text, kNull, 0, "", Merge::same, "", "of the site, lane or point"}, \
      {"road", text, kNull, 0, "", Merge::same, "", ""},                       \
      {"km", number, kNull, 3, "km", Merge::same, "", "along the road"},       \
      {"direction", text, kNull, 0, "", Merge::same, "", ""},                  \
      {"lat", number, kNull, 6, "deg", Merge::same, "", "WGS 84"},             \
      {"lon", number, kNull, 6, "deg", Merge::same, "", "WGS 84"}

constexpr FieldSpec kLane[] = {
    {"uid", integer, kAlways, 0, "", Merge::same, "", "of the lane, unique in the fleet"},
    {"lane", text, kAlways, 0, "", Merge::same, "", ""},
    {"period_s", integer, kAlways, 0, "s", Merge::sum, "", "length of the period"},
    {"count", integer, kNull, 0, "veh", Merge::sum, "", "vehicles; null: nothing was seen"},
    {"unclassified_count", integer, kNull, 0, "veh", Merge::sum, "",
     "of them without a length class"},
    BERM_CLASS_FIELDS("1"),
    BERM_CLASS_FIELDS("2"),
    BERM_CLASS_FIELDS("3"),
    BERM_CLASS_FIELDS("4"),
    BERM_CLASS_FIELDS("5"),
    {"occupancy", number, kNull, 2, "%", Merge::by_time, "coverage",
     "share of the period the detector was occupied"},
    {"availability", number, kNull, 2, "%", Merge::by_time, "",
     "share of the period the detector worked"},
    {"unrest", number, kNull, 2, "km²/h²", Merge::spread, "", "variance of the vehicles' speeds"},
    {"coverage", number, kNull, 4, "1", Merge::by_time, "", "share of the period really observed"},
    {"valid", integer, kNull, 0, "", Merge::worst, "",
     "0 regular, 1 irregular, 2 extremely, 3 defect"},
    {"defect", integer, kNull, 0, "", Merge::worst, "",
     "0 none, 1 one loop of the pair, 2 many bad counts"},
    {"flags", text, kAlways, 0, "", Merge::words, "", "words separated by spaces"},
    {"expected", number, kNull, 2, "veh", Merge::sum, "", "what the node expected"},
    {"score", number, kNull, 3, "1", Merge::worst, "", "how unusual the period is"},
    BERM_PLACE_FIELDS,
};

constexpr FieldSpec kVehicle[] = {
    {"uid", integer, kAlways, 0, "", Merge::same, "", "of the lane"},
    {"lane", text, kAlways, 0, "", Merge::same, "", ""},
    {"speed_kmh", number, kNull, 2, "km/h", Merge::drop, "", ""},
    {"length_m", number, kNull, 2, "m", Merge::drop, "", ""},
    {"class", integer, kNull, 0, "", Merge::drop, "", "length class 1…5"},
    {"on_ms", integer, kNull, 0, "ms", Merge::drop, "", "time over the first loop"},
    {"headway_ms", integer, kNull, 0, "ms", Merge::drop, "", "leading edge to leading edge"},
    {"gap_ms", integer, kNull, 0, "ms", Merge::drop, "", "previous rear to this front"},
    {"flags", text, kAlways, 0, "", Merge::words, "", "words separated by spaces"},
};

constexpr FieldSpec kPoint[] = {
    {"uid", integer, kAlways, 0, "", Merge::same, "", "unieke_id"},
    {"name", text, kNull},
    {"road", text, kNull},
    {"km", number, kNull, 3, "km"},
    {"lane", text, kNull},
    {"lat", number, kNull, 6, "deg", Merge::same, "", "WGS 84"},
    {"lon", number, kNull, 6, "deg", Merge::same, "", "WGS 84"},
    {"x", number, kNull, 3, "m", Merge::same, "", "Lambert 72 (EPSG 31370)"},
    {"y", number, kNull, 3, "m", Merge::same, "", "Lambert 72 (EPSG 31370)"},
};

#define BERM_PRESENT(n)   \
  {"class_" n "_present", \
   integer,               \
   kNull,                 \
   0,                     \
   "veh",                 \
   Merge::drop,           \
   "",                    \
   "vehicles of class " n " in the picture"}
constexpr FieldSpec kScene[] = {
    {"uid", integer, kAlways},
    BERM_PRESENT("1"),
    BERM_PRESENT("2"),
    BERM_PRESENT("3"),
    BERM_PRESENT("4"),
    BERM_PRESENT("5"),
    {"confidence", number, kNull, 3, "1"},
};

constexpr FieldSpec kPosition[] = {
    {"trip", text, kNull},
    {"course", text, kNull},
    {"lat", number, kNull, 6, "deg"},
    {"lon", number, kNull, 6, "deg"},
    {"alt_m", number, kNull, 1, "m"},
    {"speed_kmh", number, kNull, 2, "km/h"},
    {"track_deg", number, kNull, 1, "deg"},
    {"accuracy_m", number, kNull, 1, "m"},
    {"mode", integer, kNull},
    {"satellites", integer, kNull},
    {"elapsed_s", integer, kNull, 0, "s"},
    {"distance_m", number, kNull, 1, "m"},
    {"off_course", integer, kNull},
};

constexpr FieldSpec kAlarm[] = {
    {"alarm", text, kAlways, 0, "", Merge::same, "", "kind, snake_case"},
    {"subject", text, kAlways, 0, "", Merge::same, "", "what it is about"},
    {"severity", text, kAlways, 0, "", Merge::same, "", "notice, warning, critical"},
    {"state", text, kAlways, 0, "", Merge::same, "", "begin or end"},
    {"since", integer, kNull, 0, "s", Merge::same, "", "epoch seconds of the begin"},
    {"text", text, kAlways, 0, "", Merge::same, "", "in a technician's words"},
};

constexpr FieldSpec kHealth[] = {
    {"version", text, kAlways},
    {"boot_count", integer, kNull},
    {"restart_cause", text, kNull},
    {"uptime_s", integer, kNull, 0, "s"},
    {"waiting", integer, kNull},
    {"oldest_unsent_s", integer, kNull, 0, "s"},
    {"gaps_total", integer, kNull},
    {"bytes_day", integer, kNull, 0, "bytes"},
    {"disk_written_day", integer, kNull, 0, "bytes"},
    {"clock_error_ms", integer, kNull, 0, "ms"},
    {"config_sha", text, kNull},
};

constexpr FieldSpec kGap[] = {
    {"of", text, kAlways, 0, "", Merge::same, "", "stream that has the hole"},
    {"of_epoch", text, kAlways},
    {"ranges", text, kAlways, 0, "", Merge::same, "", "\"12-15 20-20\"; unknown end: \"12-\""},
    {"count", integer, kNull, 0, "", Merge::same, "", "events; null where the end is unknown"},
    {"vehicles", integer, kNull, 0, "veh", Merge::same, "", "sum of their count; 0 for merged"},
    {"cause", text, kAlways, 0, "", Merge::same, "",
     "retention full refused superseded merged damaged"},
    {"uplink", text, kNull, 0, "", Merge::same, "",
     "who did not get them; null: nobody did; empty: all did"},
    {"into", text, kNull, 0, "", Merge::same, "", "ids of the merged events"},
};

constexpr FieldSpec kManifest[] = {
    {"of", text, kAlways},
    {"of_epoch", text, kAlways},
    {"first", integer, kAlways, 0, "", Merge::same, "", "previous last + 1"},
    {"last", integer, kAlways},
    {"count", integer, kAlways},
    {"sum64", text, kAlways, 0, "", Merge::same, "", "16 hex digits"},
    {"gaps", integer, kAlways, 0, "", Merge::same, "",
     "node.gap records of this epoch up to this seq are taken into account"},
};

constexpr FieldSpec kEpoch[] = {
    {"previous", text, kNull, 0, "", Merge::same, "", "epoch before; null: the first"},
    {"reason", text, kAlways},
};

constexpr FieldSpec kClock[] = {
    {"boot", text, kAlways, 0, "", Merge::same, "", "boot the correction is about"},
    {"offset_ms", integer, kAlways, 0, "ms", Merge::same, "", "add to the times of those events"},
    {"of", text, kAlways},
    {"ranges", text, kAlways},
};

using enum WhenFull;
constexpr StreamSchema kStreams[] = {
    {.name = "traffic.lane",
     .topic = "traffic.realtime",
     .keyed_by_uid = true,
     .when_full = conserve,
     .conserve = Conserve::periods,
     .fields = kLane},
    {.name = "traffic.vehicle",
     .topic = "traffic.vehicles",
     .has_time_ms = true,
     .keyed_by_uid = true,
     .group_ms = 60000,
     .conserve = Conserve::folds,
     .fields = kVehicle},
    {.name = "traffic.point", .topic = "traffic.points", .keyed_by_uid = true, .fields = kPoint},
    {.name = "traffic.scene", .topic = "traffic.scenes", .keyed_by_uid = true, .fields = kScene},
    {.name = "position", .topic = "positions", .fields = kPosition},
    {.name = "node.health", .topic = "node.health", .fields = kHealth},
    {.name = "node.alarm",
     .topic = "node.alarms",
     .is_urgent = true,
     .group_ms = 0,
     .fields = kAlarm},
    {.name = "node.gap", .topic = "node.ledger", .is_ledger = true, .fields = kGap},
    {.name = "node.manifest", .topic = "node.ledger", .is_ledger = true, .fields = kManifest},
    {.name = "node.epoch", .topic = "node.ledger", .is_ledger = true, .fields = kEpoch},
    {.name = "node.clock", .topic = "node.ledger", .is_ledger = true, .fields = kClock},
};

constexpr std::string_view json_type(FieldType type) {
  if (type == integer) return "integer";
  return type == number ? "number" : "string";
}

void describe(JsonWriter& writer, const FieldSpec& field) {
  writer.key(field.name).begin_object().key("type");
  if (field.nullable) {
    writer.begin_array().string(json_type(field.type)).string("null").end_array();
  } else {
    writer.string(json_type(field.type));
  }
  if (!field.unit.empty()) writer.key("unit").string(field.unit);
  if (!field.help.empty()) writer.key("description").string(field.help);
  writer.end_object();
}

// What beginners of a line carry: the common fields, and time_ms right after time where the stream
// has it.
template <class Visit>
void for_each_field(const StreamSchema& schema, Visit visit) {
  static constexpr FieldSpec kTimeMs{"time_ms", integer,     kAlways, 0,
                                     "ms",      Merge::drop, "",      "since 1970 UTC"};
  for (const FieldSpec& field : kCommon) {
    visit(field);
    if (schema.has_time_ms && field.name == "time") visit(kTimeMs);
  }
  for (const FieldSpec& field : schema.fields) visit(field);
}

}  // namespace

std::span<const StreamSchema> stream_schemas() {
  return kStreams;
}

const StreamSchema* find_schema(std::string_view stream) {
  const auto* found = std::ranges::find(kStreams, stream, &StreamSchema::name);
  return found == std::end(kStreams) ? nullptr : found;
}

std::vector<std::string_view> stream_names() {
  std::vector<std::string_view> names;
  for (const StreamSchema& schema : kStreams) names.push_back(schema.name);
  return names;
}

std::span<const FieldSpec> common_fields() {
  return kCommon;
}

std::string json_schema(const StreamSchema& schema) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("$schema").string("https://json-schema.org/draft/2020-12/schema");
  writer.key("title").string(schema.name);
  writer.key("version").integer(schema.version);
  writer.key("topic").string(schema.topic);
  writer.key("type").string("object").key("properties").begin_object();
  for_each_field(schema, [&](const FieldSpec& field) { describe(writer, field); });
  writer.end_object().key("required").begin_array();
  for_each_field(schema, [&](const FieldSpec& field) { writer.string(field.name); });
  writer.end_array().key("additionalProperties").boolean(false).end_object();
  return out;
}

}  // namespace berm::event
