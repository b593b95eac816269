// SPDX-License-Identifier: Apache-2.0
// What the oracle does with each arrival; its judgement at the end is in oracle_judge.cpp.
#include "tests/scenario/oracle.hpp"

#include <algorithm>
#include <charconv>

#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::scenario {
namespace {

constexpr std::int64_t kMaxSeq = 1 << 28;  // beyond it an id is nonsense

// The raw value of a top-level field of a line that the event writer made.
std::string_view raw_field(std::string_view line, std::string_view quoted_name) {
  const std::size_t at = line.find(quoted_name);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + quoted_name.size();
  if (from >= line.size()) return {};
  if (line[from] == '"') {
    const std::size_t end = line.find('"', from + 1);
    return end == std::string_view::npos ? std::string_view()
                                         : line.substr(from + 1, end - from - 1);
  }
  return line.substr(from, line.find_first_of(",}", from) - from);
}

std::int64_t integer_field(std::string_view line, std::string_view quoted_name,
                           std::int64_t otherwise) {
  const std::string_view text = raw_field(line, quoted_name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? value
                                                                                   : otherwise;
}

// The largest number in the text of a gap record's ranges.
std::int64_t last_named(std::string_view ranges) {
  std::int64_t last = 0;
  for (const std::string_view word : split(ranges, ' ')) {
    for (const std::string_view number : split(word, '-')) {
      last = std::max(last, parse_integer(number).value_or(0));
    }
  }
  return last;
}

}  // namespace

std::size_t Oracle::RowHash::operator()(const RowKey& key) const {
  const auto mix = static_cast<std::uint64_t>(key.time) * 0x9e3779b97f4a7c15U +
                   static_cast<std::uint64_t>(key.uid) * 0xbf58476d1ce4e5b9U +
                   static_cast<std::uint64_t>(key.period_s);
  return static_cast<std::size_t>(mix ^ (mix >> 29U));
}

Receiver& Oracle::add_receiver(const std::string& name) {
  audits_.push_back(std::make_unique<analytics::Audit>(name));
  told_.emplace_back();
  return *receivers_.emplace_back(std::make_unique<Receiver>(name));
}

std::string instant_text(MonoTime time) {
  const std::int64_t s = (time - hal::SimLoop::kDefaultStart).count() / 1'000'000;
  return text_of("day %lld %02lld:%02lld:%02lld", static_cast<long long>(s / 86400),
                 static_cast<long long>(s / 3600 % 24), static_cast<long long>(s / 60 % 60),
                 static_cast<long long>(s % 60));
}

void Oracle::violation(MonoTime now, const std::string& what) {
  if (violations_.size() >= kMaxViolations) return;
  const bool is_long = what.size() > kMaxViolationText;
  violations_.push_back(instant_text(now) + ": " + what.substr(0, kMaxViolationText) +
                        (is_long ? "…" : ""));
}

std::size_t Oracle::series_of(std::string_view epoch, std::string_view stream) {
  if (last_series_ < series_.size() && series_[last_series_].stream == stream &&
      series_[last_series_].epoch == epoch) {
    return last_series_;
  }
  std::string name = std::string(epoch) + "/" + std::string(stream);
  const auto [known, is_new] = series_by_name_.emplace(std::move(name), series_.size());
  if (is_new) {
    series_.push_back({.epoch = std::string(epoch), .stream = std::string(stream)});
    series_.back().is_ours = is_ours_ && is_ours_(epoch);
  }
  return last_series_ = known->second;
}

bool Oracle::read(std::string_view line, Arrival& arrival) {
  arrival.line = line;
  arrival.id = raw_field(line, "{\"id\":");
  arrival.node = raw_field(line, ",\"node\":");
  arrival.epoch = raw_field(line, ",\"epoch\":");
  arrival.stream = raw_field(line, ",\"stream\":");
  arrival.seq = integer_field(line, ",\"seq\":", 0);
  if (arrival.node != node_ || arrival.seq < 1 || arrival.seq > kMaxSeq) return false;
  const std::string id = node_ + "/" + std::string(arrival.epoch) + "/" +
                         std::string(arrival.stream) + "/" + std::to_string(arrival.seq);
  if (arrival.id != id) return false;
  arrival.series = series_of(arrival.epoch, arrival.stream);
  arrival.digest = sum64_of(line);
  if (arrival.stream == "traffic.lane") {
    arrival.count = std::max<std::int64_t>(0, integer_field(line, ",\"count\":", 0));
  }
  return series_[arrival.series].is_ours;
}

void Oracle::receive(Receiver& receiver, std::string_view line, MonoTime now) {
  Arrival arrival;
  if (!read(line, arrival)) {
    violation(now, receiver.name() + " got a foreign event: " + std::string(line));
    return;
  }
  bool is_new = false;
  const std::string fault = receiver.take(arrival, is_new);
  if (!fault.empty()) violation(now, receiver.name() + ": " + fault);
  Series& series = series_[arrival.series];
  const auto place = static_cast<std::size_t>(arrival.seq);
  if (series.digests.size() <= place) {
    series.digests.resize(place + 1);
    series.serials.resize(place + 1, -1);
  }
  if (series.digests[place] == 0) {
    series.digests[place] = arrival.digest;
    take_first(arrival, now);
  } else if (is_new && series.digests[place] != arrival.digest) {
    violation(now,
              receiver.name() + " got other bytes than another receiver: " + std::string(line));
  }
  audit(receiver, arrival);
  if (is_new && arrival.stream == "node.gap") take_gap(receiver, arrival, now);
  if (is_new && arrival.stream == "node.manifest") take_manifest(index_of(receiver), arrival);
}

void Oracle::audit(const Receiver& receiver, const Arrival& arrival) {
  analytics::Audit& audit = *audits_[index_of(receiver)];
  if (analytics::Audit::says_more(arrival.stream)) {
    audit.read_line(arrival.line);
  } else {
    audit.take(arrival.node, arrival.epoch, arrival.stream, arrival.seq, arrival.digest);
  }
}

std::size_t Oracle::index_of(const Receiver& receiver) const {
  const auto found = std::ranges::find(receivers_, &receiver, &std::unique_ptr<Receiver>::get);
  return static_cast<std::size_t>(found - receivers_.begin());
}

// The first time that anybody gets it.
void Oracle::take_first(const Arrival& arrival, MonoTime now) {
  if (arrival.stream == "traffic.lane") {
    const std::string_view dyed = raw_field(arrival.line, ",\"name\":");
    if (dyed == "null") {
      take_merged(arrival);
    } else {
      take_serial(arrival, dyed, now);
    }
    take_row(arrival, now);
  } else if (arrival.stream == "traffic.vehicle") {
    take_serial(arrival, raw_field(arrival.line, ",\"lane\":"), now);
  }
}

void Oracle::take_serial(const Arrival& arrival, std::string_view dyed, MonoTime now) {
  std::int64_t serial = -1;
  const std::size_t mark = dyed.find('#');
  if (mark != std::string_view::npos) {
    std::from_chars(dyed.data() + mark + 1, dyed.data() + dyed.size(), serial);
  }
  const auto& emissions = witness_.emissions();
  if (serial < 0 || serial >= static_cast<std::int64_t>(emissions.size())) {
    violation(now, "nobody emitted this: " + std::string(arrival.line));
    return;
  }
  const auto index = static_cast<std::size_t>(serial);
  const Emission& emission = emissions[index];
  const std::int64_t uid = integer_field(arrival.line, ",\"uid\":", -1);
  const std::int64_t count = integer_field(arrival.line, ",\"count\":", -1);
  const std::int64_t period_s = integer_field(arrival.line, ",\"period_s\":", 0);
  if (uid != emission.uid || count != emission.count || period_s != emission.period_s) {
    violation(now, "this is not what was emitted: " + std::string(arrival.line));
  }
  if (places_.size() <= index) places_.resize(index + 1);
  if (places_[index].series >= 0) {
    violation(now, "one observation became two events, the second is " + std::string(arrival.id));
  }
  places_[index] = {static_cast<std::int32_t>(arrival.series), arrival.seq};
  series_[arrival.series].serials[static_cast<std::size_t>(arrival.seq)] = serial;
}

void Oracle::take_merged(const Arrival& arrival) {
  const bool is_dated = raw_field(arrival.line, ",\"clock\":") != "none";
  if (!is_dated) return;  // by an estimate: nobody knows which rows these were
  merged_.push_back({integer_field(arrival.line, ",\"uid\":", -1),
                     integer_field(arrival.line, ",\"time\":", -1),
                     integer_field(arrival.line, ",\"period_s\":", -1),
                     std::max<std::int64_t>(integer_field(arrival.line, ",\"count\":", 0), 0),
                     std::string(arrival.id)});
}

void Oracle::take_row(const Arrival& arrival, MonoTime now) {
  const RowKey key{integer_field(arrival.line, ",\"uid\":", -1),
                   integer_field(arrival.line, ",\"time\":", -1),
                   integer_field(arrival.line, ",\"period_s\":", -1)};
  const Place place{static_cast<std::int32_t>(arrival.series), arrival.seq};
  const auto [known, is_new] = rows_.emplace(key, place);
  if (is_new || has_twin_ || is_restored_) return;
  const Series& first = series_[static_cast<std::size_t>(known->second.series)];
  violation(now, "two rows of one period: " + first.epoch + "/" +
                     std::to_string(known->second.seq) + " and " + std::string(arrival.line));
}

void Oracle::take_gap(Receiver& receiver, const Arrival& arrival, MonoTime now) {
  const std::string_view uplink = raw_field(arrival.line, ",\"uplink\":");
  const std::string_view of = raw_field(arrival.line, ",\"of\":");
  const bool is_merged = raw_field(arrival.line, ",\"cause\":") == "merged";
  if (of == "traffic.lane" && !is_merged) has_lane_gaps_ = true;
  ClosedRange closed{.series = series_of(raw_field(arrival.line, ",\"of_epoch\":"), of),
                     .made_in = std::string(arrival.epoch),
                     .seq = arrival.seq};
  if (auto all = analytics::SeqRanges::parse(raw_field(arrival.line, ",\"ranges\":"))) {
    closed.ranges = std::move(*all);
    told_[index_of(receiver)].closed.push_back(std::move(closed));
  }
  const auto uplinks = split(uplink, ' ');
  const bool is_ours = std::ranges::find(uplinks, receiver.name()) != uplinks.end();
  if (uplink != "null" && !is_ours) return;
  auto ranges = analytics::SeqRanges::parse(raw_field(arrival.line, ",\"ranges\":"));
  if (!ranges) {
    violation(now, "a gap record nobody can read: " + std::string(arrival.line));
    return;
  }
  GapClaim claim{.series = series_of(raw_field(arrival.line, ",\"of_epoch\":"), of)};
  claim.ranges = std::move(*ranges);
  claim.last = last_named(raw_field(arrival.line, ",\"ranges\":"));
  claim.vehicles = integer_field(arrival.line, ",\"vehicles\":", -1);
  claim.knows_vehicles = claim.vehicles >= 0;
  claim.is_merged = is_merged;
  if (is_merged) take_into(raw_field(arrival.line, ",\"into\":"), now);
  receiver.claim(std::move(claim));
}

void Oracle::take_manifest(std::size_t receiver, const Arrival& arrival) {
  ManifestClaim claim{.series = series_of(raw_field(arrival.line, ",\"of_epoch\":"),
                                          raw_field(arrival.line, ",\"of\":"))};
  claim.first = integer_field(arrival.line, ",\"first\":", 0);
  claim.last = integer_field(arrival.line, ",\"last\":", 0);
  claim.count = integer_field(arrival.line, ",\"count\":", -1);
  claim.gaps = integer_field(arrival.line, ",\"gaps\":", 0);
  claim.sum64 = std::string(raw_field(arrival.line, ",\"sum64\":"));
  claim.made_in = std::string(arrival.epoch);
  claim.gap_series = series_of(claim.made_in, "node.gap");
  told_[receiver].manifests.push_back(std::move(claim));
}

// "node/epoch/stream/first-last"
void Oracle::take_into(std::string_view into, MonoTime now) {
  if (into == "null") return;  // passages fold into nothing
  const auto parts = split(into, '/');
  std::string range(parts.back());
  if (!range.contains('-')) range += "-" + range;
  const auto made = analytics::SeqRanges::parse(range);
  if (!made || parts.size() != 4 || parts[0] != node_) {
    violation(now, "merged into what nobody can read: " + std::string(into));
    return;
  }
  series_[series_of(parts[1], parts[2])].merged.add(*made);
}

void Oracle::mark_backup() {
  const auto& emissions = witness_.emissions();
  backup_serial_ = static_cast<std::int64_t>(emissions.size());
  backup_pending_.clear();
  for (std::size_t serial = 0; serial < emissions.size(); ++serial) {
    const bool is_pending = !emissions[serial].is_durable;
    if (is_pending) backup_pending_.push_back(static_cast<std::int64_t>(serial));
  }
  backup_highest_.clear();
  for (std::size_t i = 0; i < series_.size(); ++i) backup_highest_.push_back(highest_of(i));
}

void Oracle::excuse_restored() {
  is_restored_ = true;
  is_clock_steady_ = false;
  for (const std::int64_t serial : backup_pending_) excused_.push_back({serial, serial + 1});
  excused_.push_back({backup_serial_, static_cast<std::int64_t>(witness_.emissions().size())});
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const std::int64_t highest = i < backup_highest_.size() ? backup_highest_[i] : 0;
    series_[i].excused_above = std::min(series_[i].excused_above, highest);
  }
}

bool Oracle::is_excused(std::int64_t serial) const {
  return std::ranges::any_of(excused_, [serial](const Excused& range) {
    return serial >= range.first_serial && serial < range.end_serial;
  });
}

std::int64_t Oracle::highest_of(std::size_t series) const {
  return static_cast<std::int64_t>(series_[series].digests.size()) - 1;
}

std::int64_t Oracle::count_of(const Receiver& receiver, std::string_view stream) const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].stream != stream) continue;
    const auto& digests = receiver.series(i).digests;
    count += std::ranges::count_if(digests, [](std::uint64_t digest) { return digest != 0; });
  }
  return count;
}

std::int64_t Oracle::epochs() const {
  std::vector<std::string> all;
  for (const Series& series : series_) all.push_back(series.epoch);
  std::ranges::sort(all);
  const auto [first, last] = std::ranges::unique(all);
  return first - all.begin();
}

}  // namespace berm::scenario
