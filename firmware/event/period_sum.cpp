// SPDX-License-Identifier: Apache-2.0
#include "firmware/event/period_sum.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <set>

#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::event {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kPacePerVehicle =
    1'000'000'000'000;                          // 1e-10 h/km where speeds have 2 digits
constexpr std::int64_t kFullCoverage = 10'000;  // coverage has 4 digits
constexpr std::int64_t kSquare = 100;           // unrest has 2 digits, the square of a speed 4

bool is_text_rule(const FieldSpec& field) {
  return field.merge == Merge::same || field.merge == Merge::words;
}

bool is_weighted(const FieldSpec& field) {
  return field.merge == Merge::mean || field.merge == Merge::harmonic ||
         field.merge == Merge::by_time || field.merge == Merge::spread;
}

// To the nearest, halves away from 0. Precondition: divisor > 0.
Wide divided(Wide number, Wide divisor) {
  const Wide half = divisor / 2;
  return number >= 0 ? (number + half) / divisor : -((-number + half) / divisor);
}

// The value at the begin of `text`, which ends before a comma or at the end.
std::string_view value_token(std::string_view text) {
  if (!text.starts_with('"')) return text.substr(0, text.find(','));
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return text.substr(0, at + 1);
    }
  }
  return {};
}

// A number in units of its last digit: "91.5" with 2 is 9150. Empty: no such number.
std::optional<std::int64_t> in_units(std::string_view token, int decimals) {
  std::array<char, 24> digits;
  std::size_t size = 0;
  const std::size_t point = token.find('.');
  const std::string_view whole = token.substr(0, point);
  std::string_view fraction;
  if (point != std::string_view::npos) fraction = token.substr(point + 1);
  if (fraction == "0") fraction = {};
  const auto kept = static_cast<std::size_t>(decimals);
  if (whole.empty() || fraction.size() > kept || whole.size() + kept > digits.size()) {
    return std::nullopt;
  }
  for (const char digit : whole) digits[size++] = digit;
  for (const char digit : fraction) digits[size++] = digit;
  for (std::size_t i = fraction.size(); i < kept; ++i) digits[size++] = '0';
  return parse_integer({digits.data(), size});
}

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// As the event writer does: at least one digit after the point, no zeros at the end.
void append_in_units(std::string& out, std::int64_t value, int decimals) {
  if (value < 0) out += '-';
  std::string digits = std::to_string(std::abs(value));
  const auto kept = static_cast<std::size_t>(decimals);
  if (digits.size() <= kept) digits.insert(0, kept + 1 - digits.size(), '0');
  out.append(digits, 0, digits.size() - kept);
  out += '.';
  std::string_view fraction = std::string_view(digits).substr(digits.size() - kept);
  while (fraction.size() > 1 && fraction.ends_with('0')) fraction.remove_suffix(1);
  out.append(fraction.empty() ? "0" : fraction);
}

void put_signed(std::string& out, std::int64_t value) {
  auto bits = static_cast<std::uint64_t>(value) << 1;
  if (value < 0) bits = ~bits;
  for (; bits >= 0x80; bits >>= 7) out += static_cast<char>((bits & 0x7f) | 0x80);
  out += static_cast<char>(bits);
}

// 0 at the end of the bytes: zeros there are not written.
std::int64_t take_signed(std::string_view& bytes) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto part = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    bits |= std::uint64_t{part & 0x7fu} << shift;
    if ((part & 0x80) == 0) break;
  }
  const auto magnitude = static_cast<std::int64_t>(bits >> 1);
  return (bits & 1) != 0 ? ~magnitude : magnitude;
}

// Both between quotes, words separated by spaces.
std::string united(std::string_view a, std::string_view b) {
  std::set<std::string_view> words;
  for (const std::string_view text : {a, b}) {
    for (const std::string_view word : split(text.substr(1, text.size() - 2), ' ')) {
      if (!word.empty()) words.insert(word);
    }
  }
  std::string out = "\"";
  for (const std::string_view word : words) {
    if (out.size() > 1) out += ' ';
    out += word;
  }
  return out + '"';
}

std::unexpected<Error> not_ours(std::string_view field) {
  return fail(ErrorCode::invalid, "not a period of this table: " + std::string(field));
}

}  // namespace

PeriodTable::PeriodTable(const StreamSchema& schema) : schema_(&schema) {
  BERM_ASSERT(schema.conserve == Conserve::periods);
  for (const FieldSpec& field : schema.fields) {
    Place place{.field = &field};
    if (is_text_rule(field)) place.own = texts_++;
    if (is_weighted(field)) place.own = weighted_++;
    places_.push_back(place);
  }
  for (Place& place : places_) {
    if (!place.field->merge_by.empty()) place.by = find(place.field->merge_by);
  }
  period_ = find("period_s");
}

std::size_t PeriodTable::find(std::string_view name) const {
  const auto found = std::ranges::find(places_, name, [](const Place& p) { return p.field->name; });
  BERM_ASSERT(found != places_.end());
  return static_cast<std::size_t>(found - places_.begin());
}

Result<void> PeriodTable::parse(std::string_view tail, PeriodSum& into) const {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const FieldSpec& field = *places_[i].field;
    const std::size_t head = field.name.size() + 4;  // ,"name":
    const bool is_here = tail.size() > head && tail.starts_with(",\"") &&
                         tail.substr(2, field.name.size()) == field.name &&
                         tail.substr(head - 2, 2) == "\":";
    if (!is_here) return not_ours(field.name);
    tail.remove_prefix(head);
    const std::string_view token = value_token(tail);
    if (token.empty()) return not_ours(field.name);
    tail.remove_prefix(token.size());
    const bool is_null = token == "null";
    if (is_null && !field.nullable) return not_ours(field.name);
    if (is_text_rule(field)) {
      if (!is_null && token.front() != '"' && !parse_number(token)) return not_ours(field.name);
      into.texts_[places_[i].own] = token;
      continue;
    }
    if (is_null || field.merge == Merge::drop) continue;
    const auto value = in_units(token, field.type == FieldType::number ? field.decimals : 0);
    const std::int64_t least = field.merge == Merge::worst ? -PeriodSum::kMaxTerm : 0;
    const bool is_sound = value && *value >= least && *value <= PeriodSum::kMaxTerm;
    if (!is_sound) return not_ours(field.name);
    into.values_[i] = *value;
  }
  return tail.empty() ? Result<void>() : not_ours("its end");
}

Result<PeriodSum> PeriodTable::read(std::string_view tail, std::string_view rest) const {
  PeriodSum sum(*this);
  BERM_CHECK(parse(tail, sum));
  if (sum.period_s() <= 0) return not_ours("period_s");
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (is_weighted(*places_[i].field)) sum.gather(i, rest);
  }
  return sum;
}

PeriodSum::PeriodSum(const PeriodTable& table)
    : table_(&table),
      values_(table.places_.size(), kNull),
      weighted_(table.weighted_),
      texts_(table.texts_) {}

std::int64_t PeriodSum::period_s() const {
  return values_[table_->period_];
}

// Of a mean: the vehicles in it.
std::int64_t PeriodSum::weight_of(std::size_t place) const {
  const std::int64_t vehicles = values_[table_->places_[place].by];
  return vehicles == kNull ? 0 : vehicles;
}

// What a period of this length and coverage weighs, if it says anything.
PeriodSum::Wide PeriodSum::time_weight(std::size_t place, std::int64_t shown_value) const {
  if (shown_value == kNull) return 0;
  const PeriodTable::Place& at = table_->places_[place];
  if (at.field->merge_by.empty()) return period_s();
  const std::int64_t coverage = shown(at.by);
  return Wide{period_s()} * (coverage == kNull ? kFullCoverage : coverage);
}

PeriodSum::Speeds PeriodSum::speeds() const {
  Speeds all;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const PeriodTable::Place& place = table_->places_[i];
    if (place.field->merge != Merge::mean || weight_of(i) == 0) continue;
    all.vehicles += weight_of(i);
    all.sum += weighted_[place.own].sum;
    all.is_known = all.is_known && !weighted_[place.own].is_unknown;
  }
  return all;
}

// The sum of which that value would be the mean.
PeriodSum::Wide PeriodSum::implied(std::size_t place, std::int64_t shown_value) const {
  if (shown_value == kNull) return 0;
  const PeriodTable::Place& at = table_->places_[place];
  switch (at.field->merge) {
    case Merge::mean:
      return Wide{shown_value} * weight_of(place);
    case Merge::harmonic:
      return shown_value == 0 ? 0 : divided(Wide{weight_of(place)} * kPacePerVehicle, shown_value);
    case Merge::by_time:
      return Wide{shown_value} * weighted_[at.own].weight;
    default:
      break;
  }
  const Speeds all = speeds();
  if (all.vehicles == 0) return 0;
  return Wide{all.vehicles} * shown_value * kSquare + divided(all.sum * all.sum, all.vehicles);
}

// From the values as they were read, and what rounding had taken away.
void PeriodSum::gather(std::size_t place, std::string_view& rest) {
  const PeriodTable::Place& at = table_->places_[place];
  Weighted& one = weighted_[at.own];
  const std::int64_t value = values_[place];
  if (at.field->merge == Merge::by_time) {
    // The coverage as it was read: its own sum may not be gathered yet.
    const std::int64_t coverage = at.field->merge_by.empty() ? 1 : values_[at.by];
    if (value != kNull)
      one.weight = Wide{period_s()} * (coverage == kNull ? kFullCoverage : coverage);
    const std::int64_t missing = take_signed(rest);
    one.weight += missing;
    one.sum = implied(place, value) + take_signed(rest);
    return;
  }
  const Speeds all = speeds();
  const bool is_spread = at.field->merge == Merge::spread;
  const std::int64_t weight = is_spread ? all.vehicles : weight_of(place);
  const bool has_value = value != kNull && (at.field->merge != Merge::harmonic || value > 0);
  one.is_unknown = weight > 0 && (!has_value || (is_spread && !all.is_known));
  one.sum = implied(place, weight > 0 ? value : kNull) + take_signed(rest);
}

std::int64_t PeriodSum::shown_spread(const Weighted& one) const {
  const Speeds all = speeds();
  if (all.vehicles == 0) return kNull;
  const Wide around = one.sum - divided(all.sum * all.sum, all.vehicles);
  return static_cast<std::int64_t>(
      divided(std::max<Wide>(around, 0), Wide{all.vehicles} * kSquare));
}

// What is written, in units of the last digit.
std::int64_t PeriodSum::shown(std::size_t place) const {
  const PeriodTable::Place& at = table_->places_[place];
  if (!is_weighted(*at.field)) return values_[place];
  const Weighted& one = weighted_[at.own];
  if (one.is_unknown) return kNull;
  if (at.field->merge == Merge::spread) return shown_spread(one);
  if (at.field->merge == Merge::by_time) {
    if (one.weight <= 0) return kNull;
    return static_cast<std::int64_t>(divided(one.sum, one.weight));
  }
  const std::int64_t weight = weight_of(place);
  if (weight == 0) return kNull;
  if (at.field->merge == Merge::mean) {
    return static_cast<std::int64_t>(divided(one.sum, weight));
  }
  if (one.sum <= 0) return kNull;
  const Wide speed = divided(Wide{weight} * kPacePerVehicle, one.sum);
  return static_cast<std::int64_t>(std::max<Wide>(speed, 1));
}

bool PeriodSum::is_of_one_lane(const PeriodSum& other) const {
  for (const PeriodTable::Place& place : table_->places_) {
    if (place.field->merge != Merge::same || place.field->nullable) continue;
    if (texts_[place.own] != other.texts_[place.own]) return false;
  }
  return true;
}

void PeriodSum::add(const PeriodSum& other) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const PeriodTable::Place& place = table_->places_[i];
    const std::int64_t theirs = other.values_[i];
    std::int64_t& value = values_[i];
    switch (place.field->merge) {
      case Merge::same:
        if (texts_[place.own] != other.texts_[place.own]) texts_[place.own] = "null";
        break;
      case Merge::words:
        texts_[place.own] = united(texts_[place.own], other.texts_[place.own]);
        break;
      case Merge::sum:
        value = value == kNull ? theirs : theirs == kNull ? value : value + theirs;
        break;
      case Merge::worst:
        value = std::max(value, theirs);  // null is the smallest
        break;
      case Merge::drop:
        break;
      default: {
        Weighted& one = weighted_[place.own];
        const Weighted& more = other.weighted_[place.own];
        one.sum += more.sum;
        one.weight += more.weight;
        one.is_unknown = one.is_unknown || more.is_unknown;
      }
    }
  }
}

void PeriodSum::append_value(std::size_t place, std::string& out) const {
  const FieldSpec& field = *table_->places_[place].field;
  if (is_text_rule(field)) {
    out += texts_[table_->places_[place].own];
    return;
  }
  const std::int64_t value = field.merge == Merge::drop ? kNull : shown(place);
  if (value == kNull) {
    out += "null";
  } else if (field.type == FieldType::integer) {
    append_integer(out, value);
  } else {
    append_in_units(out, value, field.decimals);
  }
}

std::string PeriodSum::tail() const {
  std::string out;
  out.reserve(values_.size() * 28);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    out.append(",\"").append(table_->places_[i].field->name).append("\":");
    append_value(i, out);
  }
  return out;
}

std::string PeriodSum::rest() const {
  std::string out;
  std::size_t used = 0;
  const auto put = [&](Wide value) {
    put_signed(out, static_cast<std::int64_t>(value));
    if (value != 0) used = out.size();
  };
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const PeriodTable::Place& place = table_->places_[i];
    if (!is_weighted(*place.field)) continue;
    const Weighted& one = weighted_[place.own];
    const std::int64_t value = shown(i);
    if (place.field->merge == Merge::by_time) put(one.weight - time_weight(i, value));
    const bool is_lost = one.is_unknown;  // its sum means nothing any more
    put(is_lost ? 0 : one.sum - implied(i, value));
  }
  out.resize(used);
  return out;
}

}  // namespace berm::event
