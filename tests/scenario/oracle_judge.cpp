// SPDX-License-Identifier: Apache-2.0
// The oracle's judgement at the end of a life.
#include <algorithm>

#include "hal/base/text.hpp"
#include "tests/scenario/feed_site.hpp"
#include "tests/scenario/oracle.hpp"

namespace berm::scenario {
namespace {

constexpr std::int64_t kMaxNamed = 3;  // of one kind of violation

// The first of what is wrong and how much more there is.
class Findings {
 public:
  void add(const std::string& what) {
    if (count_++ < kMaxNamed) text_ += (text_.empty() ? "" : ", ") + what;
  }
  std::int64_t count() const { return count_; }
  std::string text() const {
    return count_ <= kMaxNamed ? text_
                               : text_ + " and " + std::to_string(count_ - kMaxNamed) + " more";
  }

 private:
  std::string text_;
  std::int64_t count_ = 0;
};

// Vehicles whose leading edge lies in [from, to).
std::int64_t passed_between(const std::vector<MonoTime>& times, MonoTime from, MonoTime to) {
  return std::ranges::lower_bound(times, to) - std::ranges::lower_bound(times, from);
}

}  // namespace

void Oracle::judge(MonoTime now) {
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    judge_conservation(*receivers_[i], now);
    judge_audit(i, now);
    judge_vehicles(*receivers_[i], now);
    judge_manifests(i, now);
  }
  judge_durable(now);
  judge_emission_order(now);
  judge_truth(now);
  judge_feed(now);
  judge_merged(now);
  judge_rows(now);
}

void Oracle::judge_conservation(const Receiver& receiver, MonoTime now) {
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const Series& series = series_[i];
    Findings missing;
    for (std::int64_t seq = 1; seq <= highest_of(i); ++seq) {
      if (!receiver.is_known(i, seq) && seq <= series.excused_above) {
        missing.add(std::to_string(seq));
      }
    }
    if (missing.count() == 0) continue;
    violation(now, receiver.name() + " never got " + series.epoch + "/" + series.stream + "/" +
                       missing.text() + " of " + std::to_string(highest_of(i)) +
                       ", and no gap record explains it");
  }
}

void Oracle::judge_audit(std::size_t receiver, MonoTime now) {
  if (is_restored_ || audits_[receiver]->is_clean()) return;
  const std::string& name = receivers_[receiver]->name();
  for (const analytics::StreamFinding& finding : audits_[receiver]->findings()) {
    if (finding.missing == 0 && finding.differing == 0 && finding.manifests_broken == 0 &&
        finding.into_missing == 0) {
      continue;
    }
    violation(now, text_of("berm audit at %s: %s/%s: %lld missing (%s), %lld differing, %lld "
                           "manifests broken, %lld merged into nothing",
                           name.c_str(), finding.epoch.c_str(), finding.stream.c_str(),
                           static_cast<long long>(finding.missing), finding.missing_ranges.c_str(),
                           static_cast<long long>(finding.differing),
                           static_cast<long long>(finding.manifests_broken),
                           static_cast<long long>(finding.into_missing)));
  }
  if (audits_[receiver]->unreadable() > 0)
    violation(now, "berm audit: unreadable lines at " + name);
}

// Sequences that nobody received stand in gap records (judge_conservation saw to that): at most so
// many acknowledged observations may not have arrived anywhere.
void Oracle::judge_durable(MonoTime now) {
  std::int64_t hidden[2] = {0, 0};  // passages, periods
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const bool is_lane = series_[i].stream == "traffic.lane";
    if (!is_lane && series_[i].stream != "traffic.vehicle") continue;
    const std::size_t kind = is_lane ? 1 : 0;
    for (const auto& receiver : receivers_) {
      if (receiver->series(i).gaps.contains(analytics::kOpenEnd)) hidden[kind] = INT64_MAX / 2;
    }
    std::int64_t highest = highest_of(i);
    for (const auto& receiver : receivers_) {
      for (const GapClaim& claim : receiver->series(i).claims) {
        highest = std::max(highest, claim.last);
      }
    }
    for (std::int64_t seq = 1; seq <= highest; ++seq) {
      const auto place = static_cast<std::size_t>(seq);
      if (place >= series_[i].digests.size() || series_[i].digests[place] == 0) ++hidden[kind];
    }
  }
  Findings lost[2];
  const auto& emissions = witness_.emissions();
  for (std::size_t serial = 0; serial < emissions.size(); ++serial) {
    const bool has_arrived = serial < places_.size() && places_[serial].series >= 0;
    if (!emissions[serial].is_durable || has_arrived) continue;
    if (is_excused(static_cast<std::int64_t>(serial))) continue;
    lost[emissions[serial].is_period() ? 1 : 0].add("#" + std::to_string(serial));
  }
  for (const std::size_t kind : {0u, 1u}) {
    if (lost[kind].count() <= hidden[kind]) continue;
    violation(now, text_of("%lld %s acknowledged as durable arrived nowhere (%s), gap records "
                           "explain %lld",
                           static_cast<long long>(lost[kind].count()),
                           kind == 1 ? "lane periods" : "passages", lost[kind].text().c_str(),
                           static_cast<long long>(hidden[kind])));
  }
}

void Oracle::judge_emission_order(MonoTime now) {
  for (const Series& series : series_) {
    std::int64_t last = -1;
    for (std::size_t seq = 1; seq < series.serials.size(); ++seq) {
      const std::int64_t serial = series.serials[seq];
      // What a step of merging left alone it may have numbered anew.
      if (serial < 0 || series.merged.contains(static_cast<std::int64_t>(seq))) continue;
      if (serial <= last) {
        violation(now, text_of("%s/%s/%zu was emitted before its predecessor", series.epoch.c_str(),
                               series.stream.c_str(), seq));
        break;
      }
      last = serial;
    }
  }
}

// Between the acknowledged alone and all that was emitted: what was committed and not acknowledged
// when the power went may be either.
void Oracle::judge_vehicles(const Receiver& receiver, MonoTime now) {
  if (is_restored_) return;
  std::int64_t least = 0;
  std::int64_t most = 0;
  for (const Emission& emission : witness_.emissions()) {
    if (!emission.is_period() || emission.count < 0) continue;
    most += emission.count;
    if (emission.is_durable) least += emission.count;
  }
  std::int64_t told = 0;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    if (series_[i].stream != "traffic.lane") continue;
    const Receiver::Series& got = receiver.series(i);
    told += got.vehicles;
    analytics::SeqRanges claimed;
    for (const GapClaim& claim : got.claims) {
      if (claim.is_merged) continue;
      const std::int64_t end = claim.last;
      if (!claim.knows_vehicles || claimed.count_within(1, end) > 0) return;  // not exact any more
      told += claim.vehicles;
      claimed.add(claim.ranges);
    }
    for (std::int64_t seq = 1; seq <= got.highest(); ++seq) {
      if (claimed.contains(seq)) told -= got.counts[static_cast<std::size_t>(seq)];
    }
  }
  if (told >= least && told <= most) return;
  violation(now, text_of("%s knows of %lld vehicles, received or in gap records; produced were "
                         "%lld to %lld",
                         receiver.name().c_str(), static_cast<long long>(told),
                         static_cast<long long>(least), static_cast<long long>(most)));
}

// In every stretch of whole periods that one process declared as seen, the counts are what passed.
void Oracle::judge_truth(MonoTime now) {
  struct Stretch {
    MonoTime begin;
    std::int64_t counted = 0;
    std::int32_t life = -1;  // −1: none
  };
  std::map<std::int64_t, Stretch> open;
  Findings wrong;
  const auto& vehicles = witness_.vehicles();
  const auto close = [&](std::int64_t uid, Stretch& stretch, MonoTime end) {
    const auto truth = vehicles.find(uid);
    const std::int64_t passed =
        truth == vehicles.end() ? 0 : passed_between(truth->second, stretch.begin, end);
    if (passed == stretch.counted) return;
    wrong.add(text_of("uid %lld from %.1f s to %.1f s: %lld passed, %lld counted",
                      static_cast<long long>(uid),
                      static_cast<double>(stretch.begin.time_since_epoch().count()) * 1e-6,
                      static_cast<double>(end.time_since_epoch().count()) * 1e-6,
                      static_cast<long long>(passed), static_cast<long long>(stretch.counted)));
  };
  for (const Emission& emission : witness_.emissions()) {
    if (!emission.is_period() || emission.is_feed) continue;
    Stretch& stretch = open[emission.uid];
    const bool is_seen = emission.coverage >= 1.0 && !emission.is_partial;
    if (stretch.life == emission.life && emission.start >= stretch.begin) {
      close(emission.uid, stretch, emission.start);
    }
    stretch.life = is_seen ? emission.life : -1;
    stretch.begin = emission.start;
    stretch.counted = is_seen ? emission.count : 0;
  }
  if (wrong.count() > 0) violation(now, "counts differ from what passed: " + wrong.text());
}

void Oracle::judge_feed(MonoTime now) {
  Findings wrong;
  for (const Emission& emission : witness_.emissions()) {
    if (!emission.is_feed) continue;
    const std::int64_t minute_s = us_of(emission.start) / 1'000'000;
    const std::int64_t served = feed_count(emission.uid, minute_s);
    if (emission.count == served && emission.period_s == 60) continue;
    wrong.add(text_of("point %lld at %lld: %lld served, %lld emitted",
                      static_cast<long long>(emission.uid), static_cast<long long>(minute_s),
                      static_cast<long long>(served), static_cast<long long>(emission.count)));
  }
  if (wrong.count() > 0) violation(now, "rows of the feed differ: " + wrong.text());
}

// Between what was acknowledged and all that was emitted: of what arrived nowhere by itself.
void Oracle::judge_merged(MonoTime now) {
  if (!is_clock_steady_ || has_twin_ || is_restored_) return;
  std::map<std::int64_t, std::map<std::int64_t, std::size_t>> hidden;  // [uid][label]: serial
  const auto& emissions = witness_.emissions();
  for (std::size_t serial = 0; serial < emissions.size(); ++serial) {
    const bool has_arrived = serial < places_.size() && places_[serial].series >= 0;
    const Emission& emission = emissions[serial];
    if (!emission.is_period() || has_arrived) continue;
    if (emission.label_s < 0) return;  // dated later: by whatever the clock said then
    hidden[emission.uid][emission.label_s] = serial;
  }
  Findings wrong;
  for (const MergedRow& row : merged_) {
    const auto& all = hidden[row.uid];
    std::int64_t covered = 0;
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (auto it = all.lower_bound(row.time);
         it != all.end() && it->first < row.time + row.period_s; ++it) {
      const Emission& emission = emissions[it->second];
      const std::int64_t count = std::max<std::int64_t>(emission.count, 0);
      covered += emission.period_s;
      most += count;
      if (emission.is_durable) least += count;
    }
    if (covered >= row.period_s && row.count >= least && row.count <= most) continue;
    wrong.add(text_of("%s: %lld vehicles in %lld s, its periods had %lld to %lld in %lld s",
                      row.id.c_str(), static_cast<long long>(row.count),
                      static_cast<long long>(row.period_s), static_cast<long long>(least),
                      static_cast<long long>(most), static_cast<long long>(covered)));
  }
  if (wrong.count() > 0) violation(now, "merged rows differ from what they were: " + wrong.text());
}

// When the period of this row began.
MonoTime Oracle::emitted_at(const Place& place) const {
  const auto& serials = series_[static_cast<std::size_t>(place.series)].serials;
  const std::int64_t serial = serials[static_cast<std::size_t>(place.seq)];
  return serial < 0 ? MonoTime{} : witness_.emissions()[static_cast<std::size_t>(serial)].start;
}

// No silent hole: by their labels the rows of a lane follow one another without one.
void Oracle::judge_rows(MonoTime now) {
  if (!is_clock_steady_ || has_lane_gaps_ || has_twin_) return;
  struct Row {
    std::int64_t time, period_s;
    Place place;
  };
  std::map<std::int64_t, std::vector<Row>> by_uid;
  for (const auto& [key, place] : rows_) {
    if (key.uid >= kFirstFeedUid) continue;  // a site may be away
    by_uid[key.uid].push_back({key.time, key.period_s, place});
  }
  for (auto& [uid, rows] : by_uid) {
    std::ranges::sort(rows, {}, &Row::time);
    Findings holes;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const std::int64_t end = rows[i - 1].time + rows[i - 1].period_s;
      if (rows[i].time == end) continue;
      holes.add(text_of("%lld to %lld (%s)", static_cast<long long>(end),
                        static_cast<long long>(rows[i].time),
                        instant_text(emitted_at(rows[i].place)).c_str()));
    }
    if (holes.count() == 0) continue;
    violation(now,
              "rows of uid " + std::to_string(uid) + " do not follow one another: " + holes.text());
  }
}

}  // namespace berm::scenario
