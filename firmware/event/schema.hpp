// SPDX-License-Identifier: Apache-2.0
// One table per stream: field, type, unit, nullable, how it merges. The event writer, the merger,
// the tests and `berm schema` all read it; nothing else knows a stream's fields. Tables are
// constants; any thread. A change of a table that consumers would notice needs a new `version` and
// a new topic (contract).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berm::event {

enum class FieldType { integer, number, text };

// How the values of one field become one when events are merged (promise outbox 5).
enum class Merge {
  same,      // equal in all that are merged, or null
  sum,       // null if all are null
  mean,      // weighted by the field named in `merge_by`
  harmonic,  // weighted harmonic mean by `merge_by`
  by_time,   // mean weighted by period_s, × the share named in `merge_by` where one is
  spread,    // variance of what the `mean` fields average, by its sums
  worst,     // the largest
  words,     // union of words
  drop,      // becomes null
};

struct FieldSpec {
  std::string_view name;
  FieldType type;
  bool nullable = true;
  int decimals = 0;  // numbers: digits kept after the point (at least one is written)
  std::string_view unit = {};
  Merge merge = Merge::same;
  std::string_view merge_by = {};
  std::string_view help = {};
};

enum class WhenFull { conserve, oldest, refuse };

// What conserving does to a stream's events: nothing can be made of them (they are dropped), whole
// periods become longer ones, or they fold into nothing, because periods of another stream already
// count them.
enum class Conserve { nothing, periods, folds };

struct StreamSchema {
  std::string_view name;
  int version = 1;
  std::string_view topic;     // default
  bool has_time_ms = false;   // finer than a second
  bool keyed_by_uid = false;  // Kafka key: uid, else the node
  bool is_ledger = false;     // gaps, manifests, epochs: no manifests of their own, go last
  bool is_urgent = false;     // alarms: go last, pass budgets
  int group_ms = 1000;        // default durability; 0: sync
  WhenFull when_full = WhenFull::oldest;
  Conserve conserve = Conserve::nothing;
  std::span<const FieldSpec> fields;
};

std::span<const StreamSchema> stream_schemas();
const StreamSchema* find_schema(std::string_view stream);  // nullptr: unknown
std::vector<std::string_view> stream_names();

// Fields every event begins with, before the stream's own: id, v, node, epoch, stream, seq, time,
// [time_ms,] clock, source.
std::span<const FieldSpec> common_fields();

// JSON Schema of one stream's event line (`berm schema json STREAM`).
std::string json_schema(const StreamSchema& schema);

}  // namespace berm::event
