// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/driver.hpp"

#include <algorithm>
#include <utility>

#include "drivers/miv_feed/hash.hpp"
#include "drivers/miv_feed/lane_minute.hpp"
#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr char kCheckpointVersion = 1;
constexpr std::size_t kCheckpointHead = 17;  // version, digest, told_all_at in seconds
constexpr std::size_t kUnknownNamed = 5;

void put_word(std::string& out, std::uint64_t word) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(word >> shift);
}
std::uint64_t word_at(std::string_view bytes, std::size_t at) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return word;
}

}  // namespace

Result<void> MivFeed::DataPieces::feed(std::string_view piece) {
  auto read = document_.feed(piece);
  feed_.keep_memory();  // with what this piece gave, or a restart would repeat it
  return read;
}

Result<void> MivFeed::DataPieces::finish() {
  BERM_CHECK(document_.finish());
  const DataCounts& counts = document_.counts();
  if (counts.points + counts.unwanted > 0) return {};
  return fail(ErrorCode::invalid, "the document has no point that can be read, and " +
                                      std::to_string(counts.missing_id + counts.bad_time) +
                                      " that cannot");
}

Result<void> MivFeed::ListPieces::finish() {
  BERM_CHECK(document_.finish());
  if (document_.has_points()) return {};
  return fail(ErrorCode::invalid, "the list has no point that can be read");
}

MivFeed::MivFeed(std::string_view instance, FeedOptions options, DriverContext& context)
    : instance_(instance),
      options_(std::move(options)),
      context_(context),
      round_timer_(context.loop()) {}

// --- life ----------------------------------------------------------------------------------------

Result<void> MivFeed::start(std::string_view checkpoint) {
  hal::HttpClient* client = context_.http();
  if (client == nullptr) return fail(ErrorCode::unsupported, "there is no HTTP client here");
  list_.fetch = std::make_unique<DocumentFetch>(*client, options_.points_url);
  data_.fetch = std::make_unique<DocumentFetch>(*client, options_.data_url);
  restore(checkpoint);
  is_running_ = true;
  begin_round();
  return {};
}

void MivFeed::stop() {
  if (!is_running_) return;
  is_running_ = false;
  is_data_due_ = false;
  telling_.reset();
  round_timer_.cancel();
  list_.fetch.reset();
  data_.fetch.reset();
  has_news_ = true;
  keep_memory();
}

void MivFeed::restore(std::string_view checkpoint) {
  const bool is_ours = checkpoint.size() >= kCheckpointHead && checkpoint[0] == kCheckpointVersion;
  if (!is_ours || !memory_.restore(checkpoint.substr(kCheckpointHead))) return;
  told_digest_ = word_at(checkpoint, 1);
  const auto told_s = static_cast<std::int64_t>(word_at(checkpoint, 9));
  const auto now = known_wall();
  if (!now || told_s <= 0 || told_s > s_of(*now)) return;
  told_all_at_ = wall_s(told_s);
  told_all_ = context_.loop().now() - (*now - *told_all_at_);
}

void MivFeed::keep_memory() {
  if (!std::exchange(has_news_, false)) return;
  std::string bytes(1, kCheckpointVersion);
  put_word(bytes, told_digest_);
  put_word(bytes, static_cast<std::uint64_t>(told_all_at_ ? s_of(*told_all_at_) : 0));
  context_.checkpoint(bytes + memory_.save(kMaxCheckpointBytes - kCheckpointHead));
}

std::optional<WallTime> MivFeed::known_wall() const {
  const hal::WallReading wall = context_.clock().wall();
  return wall.source == ClockSource::none ? std::nullopt : std::optional(wall.time);
}

// --- rounds: the list where it is due, then the data ---------------------------------------------

void MivFeed::begin_round() {
  round_began_ = context_.loop().now();
  if (is_list_due()) {
    fetch_list();
  } else {
    fetch_data();
  }
}

bool MivFeed::is_list_due() const {
  if (round_began_ < list_not_before_) return false;
  return table_.is_empty() || list_.failures > 0 || list_.fetch->is_conditional() ||
         is_list_renamed_ || round_began_ - list_read_ >= kListPeriod;
}

void MivFeed::fetch_list() {
  is_list_renamed_ = false;
  list_pieces_ = std::make_unique<ListPieces>();
  list_.fetch->begin(*list_pieces_, [this](const FetchReport& report) { list_done(report); });
}

void MivFeed::list_done(const FetchReport& report) {
  note(list_, report);
  const bool is_fine = report.end == FetchEnd::read || report.end == FetchEnd::unchanged;
  list_not_before_ = is_fine ? MonoTime{} : context_.loop().now() + retry_delay(list_);
  if (is_fine) list_read_ = round_began_;
  if (report.end == FetchEnd::read || report.end == FetchEnd::invalid) {
    take_list(report.end == FetchEnd::read);
  }
  list_pieces_.reset();
  const bool is_day_over = told_all_ && round_began_ - *told_all_ >= kPointPeriod && has_told_list_;
  if (is_day_over) tell_all_points();
  keep_memory();
  fetch_data_soon();
}

// Points told are committed first: their memory is free again when thousands of minutes come.
void MivFeed::fetch_data_soon() {
  if (telling_ == nullptr) return fetch_data();
  is_data_due_ = true;
  round_timer_.after(kTellingPatience, [this] { on_told(); });
}

void MivFeed::on_told() {
  telling_.reset();
  if (!std::exchange(is_data_due_, false)) return;
  round_timer_.cancel();
  fetch_data();
}

void MivFeed::take_list(bool is_whole) {
  PointsDocument& document = list_pieces_->document();
  const PointsCounts& counts = document.counts();
  totals_.missing_id += counts.missing_id;
  totals_.odd_values += counts.odd_values;
  totals_.too_many += counts.too_many;
  totals_.cut += counts.cut;
  auto points = document.take_points();
  if (points.empty()) return;
  const auto changed = table_.take(std::move(points), is_whole);
  if (is_whole) list_configured_ = document.configured();
  const std::uint64_t digest = is_whole ? list_digest() : 0;
  const bool was_told = has_told_list_ || (is_whole && told_all_ && digest == told_digest_);
  if (!was_told) {
    tell_all_points();
  } else if (has_told_list_) {
    tell_points(changed);
  }
  has_told_list_ = true;
  has_news_ = has_news_ || digest != told_digest_;
  told_digest_ = digest;
  if (is_whole) name_unknown_points();
}

void MivFeed::fetch_data() {
  memory_.begin_document();
  is_old_.reset();
  data_pieces_ = std::make_unique<DataPieces>(*this);
  data_.fetch->begin(*data_pieces_, [this](const FetchReport& report) { data_done(report); });
}

void MivFeed::data_done(const FetchReport& report) {
  note(data_, report);
  const DataDocument& document = data_pieces_->document();
  const DataCounts& counts = document.counts();
  totals_.missing_id += counts.missing_id;
  totals_.bad_time += counts.bad_time;
  totals_.odd_values += counts.odd_values;
  totals_.cut += counts.cut;
  if (document.times().published) last_times_ = document.times();
  const auto configured = document.times().configured;
  if (configured && configured != list_configured_ && configured != configured_asked_) {
    configured_asked_ = configured;
    is_list_renamed_ = true;
  }
  data_pieces_.reset();
  plan_round(report);
}

void MivFeed::plan_round(const FetchReport& report) {
  const MonoTime now = context_.loop().now();
  MonoTime next = std::max(now, round_began_ + options_.period);
  if (data_.failures > 0) {
    const Microseconds asked = report.retry_after.value_or(Seconds{0});
    next = now + std::max(retry_delay(data_), asked);
  }
  round_timer_.at(next, [this] { begin_round(); });
}

Microseconds MivFeed::retry_delay(const Source& source) const {
  Microseconds delay = kFirstRetry;
  for (int i = 1; i < source.failures && delay < kLastRetry; ++i) delay *= 2;
  delay = std::min<Microseconds>(delay, kLastRetry);
  Hash hash;
  hash.add(context_.site().node);
  hash.add(instance_);
  hash.add(source.name);
  hash.add(static_cast<std::uint64_t>(source.failures));
  return delay -
         Microseconds{static_cast<std::int64_t>(hash.value() >> 32) * (delay.count() / 2) >> 32};
}

void MivFeed::note(Source& source, const FetchReport& report) {
  const std::string subject(source.name);
  if (report.end == FetchEnd::read || report.end == FetchEnd::unchanged) {
    ++(report.end == FetchEnd::read ? source.read : source.unchanged);
    source.failures = 0;
    context_.end_alarm("feed_down", subject);
    context_.end_alarm("feed_invalid", subject);
    return;
  }
  ++source.failures;
  ++source.faults[report.reason];
  source.last_fault = report.text;
  const std::string words(source.words);
  if (report.end == FetchEnd::invalid) {
    context_.log().warning(words + ": " + report.text);
    context_.begin_alarm(
        "feed_invalid", subject, Severity::warning,
        "What the site gives as " + words + " cannot be used: " + report.text + ".");
  } else if (source.failures >= kAlarmAfterFailures) {
    context_.begin_alarm("feed_down", subject, Severity::critical,
                         "The site does not give " + words + ": " + report.text + ".");
  }
}

// --- what is emitted -----------------------------------------------------------------------------

void MivFeed::on_point(const DocumentTimes& times, const MeasuredPoint& measured) {
  const Seen seen = memory_.take(measured.uid, s_of(measured.observed));
  if (seen == Seen::repeated) ++totals_.repeated;
  if (seen == Seen::full) ++totals_.too_many;
  if (seen != Seen::fresh) return;
  if (!is_old_) is_old_ = is_old_document(times, known_wall());
  LaneMinute minute = lane_minute(times, measured, table_.find(measured.uid), options_.enrich,
                                  *is_old_, context_.loop().now());
  totals_.odd_values += minute.odd_values;
  ++totals_.minutes;
  has_news_ = true;
  context_.emit(std::move(minute.period));
}

void MivFeed::tell_points(const std::vector<std::int64_t>& uids) {
  When when{context_.loop().now(), std::nullopt, ClockSource::none};
  const hal::WallReading wall = context_.clock().wall();
  if (wall.source != ClockSource::none) {
    when.wall = wall.time;
    when.clock = wall.source;
  }
  std::vector<const Point*> wanted;
  for (const std::int64_t uid : uids) {
    const Point* point = options_.wants(uid) ? table_.find(uid) : nullptr;
    if (point != nullptr) wanted.push_back(point);
  }
  if (wanted.empty()) return;
  totals_.points_told += wanted.size();
  has_news_ = true;
  telling_ = std::make_shared<bool>(true);
  const auto committed = [this, telling = std::weak_ptr(telling_)] {
    if (!telling.expired()) on_told();
  };
  for (const Point* point : wanted) {
    const bool is_last = point == wanted.back();
    context_.emit(point_row(*point, when), is_last ? committed : std::function<void()>());
  }
}

void MivFeed::tell_all_points() {
  tell_points(table_.uids());
  told_all_ = round_began_;
  told_all_at_ = known_wall();
  has_news_ = true;
}

void MivFeed::name_unknown_points() {
  std::string named;
  unknown_points_ = 0;
  for (const std::int64_t uid : options_.points) {
    if (table_.find(uid) != nullptr) continue;
    if (++unknown_points_ <= kUnknownNamed) named += " " + std::to_string(uid);
  }
  if (unknown_points_ == 0) return context_.end_alarm("unknown_points", "points");
  if (unknown_points_ > kUnknownNamed) named += " …";
  context_.begin_alarm("unknown_points", "points", Severity::notice,
                       std::to_string(unknown_points_) +
                           " points of the configuration are not in the site's list:" + named);
}

// Of the list and of which of its points are wanted.
std::uint64_t MivFeed::list_digest() const {
  Hash hash;
  hash.add(table_.digest());
  for (const std::int64_t uid : options_.points) hash.add(static_cast<std::uint64_t>(uid));
  return std::max<std::uint64_t>(hash.value(), 1);
}

// --- status --------------------------------------------------------------------------------------

Status MivFeed::status() const {
  const auto now = known_wall();
  Status status(instance_);
  status.set("driver", "miv_feed");
  status.set("state", !is_running_         ? "stopped"
                      : data_.failures > 0 ? "feed_down"
                      : data_.read > 0     ? "running"
                                           : "waiting");
  status.set("period_s", options_.period.count());
  status.set("minutes", totals_.minutes);
  status.set("repeated", totals_.repeated);
  status.set("points", table_.size());
  status.set("points_told", totals_.points_told);
  status.set("unknown_points", unknown_points_);
  if (last_times_.published) {
    status.set("published", s_of(*last_times_.published));
  } else {
    status.set_unknown("published");
  }
  if (last_times_.published && now) {
    status.set("document_age_s", s_of(*now) - s_of(*last_times_.published));
  } else {
    status.set_unknown("document_age_s");
  }
  status.set("missing_id", totals_.missing_id);
  status.set("bad_time", totals_.bad_time);
  status.set("odd_values", totals_.odd_values);
  status.set("cut", totals_.cut);
  status.set("too_many", totals_.too_many);
  for (const Source* source : {&list_, &data_}) {
    Status child{std::string(source->name)};
    child.set("read", source->read);
    child.set("unchanged", source->unchanged);
    child.set("failures", source->failures);
    child.set("last_fault", source->last_fault);
    Status faults("faults");
    for (const auto& [reason, count] : source->faults) faults.set(reason, count);
    child.add(std::move(faults));
    status.add(std::move(child));
  }
  return status;
}

}  // namespace berm::drivers::miv_feed

namespace berm::drivers {

namespace {
Result<std::unique_ptr<Driver>> create_miv_feed(std::string_view instance, const Options& options,
                                                DriverContext& context) {
  return std::unique_ptr<Driver>(
      std::make_unique<miv_feed::MivFeed>(instance, miv_feed::feed_options(options), context));
}
}  // namespace

extern const DriverDescriptor miv_feed_driver;
const DriverDescriptor miv_feed_driver = {
    .name = "miv_feed",
    .summary = "the measuring points of Flanders (MIV), each minute, over HTTP",
    .options = &miv_feed::kOptions,
    .check = miv_feed::check,
    .uids = miv_feed::uids,
    .signals = nullptr,
    .create = create_miv_feed,
    .needs_http = true,
};

}  // namespace berm::drivers
