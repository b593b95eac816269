// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/sqlite_outbox.hpp"

#include <algorithm>
#include <utility>

#include "firmware/outbox/displaced.hpp"
#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::outbox {
namespace {

using drivers::Severity;

constexpr std::size_t kDraftOverhead = 160;  // of a draft in memory beside its texts
constexpr std::size_t kUrgentExtra = 256;    // alarms that still fit when nothing else does

std::string_view describe(hal::FileSystemKind kind) {
  switch (kind) {
    case hal::FileSystemKind::durable:
      return "yes";
    case hal::FileSystemKind::memory:
      return "tmpfs";
    case hal::FileSystemKind::overlay:
      return "overlay";
    case hal::FileSystemKind::read_only:
      return "read-only";
  }
  return "unknown";
}

}  // namespace

SqliteOutbox::SqliteOutbox(const OutboxParts& parts, std::shared_ptr<StoreOwner> owner,
                           std::map<std::string, std::string> checkpoints)
    : parts_(parts),
      options_(owner->options),
      jobs_(parts.loop, parts.executor, owner),
      counters_(owner->counters),
      budget_(owner->options.write_budget_day_bytes),
      durable_(describe(parts.disk.kind(owner->options.directory))),
      on_available_(owner->options.uplinks.size()),
      is_taking_(owner->options.uplinks.size()),
      takers_(owner->options.uplinks.size()),
      commit_timer_(parts.loop),
      save_timer_(parts.loop),
      upkeep_timer_(parts.loop),
      damage_timer_(parts.loop),
      salvage_timer_(parts.loop),
      manifest_timer_(parts.loop) {
  for (auto& [key, bytes] : checkpoints) checkpoints_[key] = std::move(bytes);
  plan_upkeep();
  plan_salvage(kSalvagePause);
}

// --- drivers' side
// ---------------------------------------------------------------------------------

int SqliteOutbox::group_ms(const event::StreamSchema& schema) const {
  const auto it = std::ranges::find(options_.policies, schema.name, &StreamPolicy::stream);
  if (it == options_.policies.end()) return schema.group_ms;
  if (it->stretched_ms <= it->group_ms || it->group_ms == 0) return it->group_ms;
  return static_cast<int>(
      std::min<std::int64_t>(std::int64_t{it->group_ms} * budget_.stretch(), it->stretched_ms));
}

void SqliteOutbox::count_writes() {
  const MonoTime now = parts_.loop.now();
  if (budget_.see(counters_.written_bytes, now)) {
    log_.notice("groups are " + std::to_string(budget_.stretch()) + " times as long, for " +
                std::to_string(budget_.written_day() >> 20) + " MiB were written in a day");
  }
  if (counters_.device_bytes) device_.see(*counters_.device_bytes, now);
}

bool SqliteOutbox::has_room(const event::Draft& draft, std::size_t bytes) const {
  const std::size_t extra = draft.schema->is_urgent ? kUrgentExtra : 0;
  return pending_.drafts.size() + committing_events_ < kMaxPendingEvents + extra &&
         pending_.bytes + committing_bytes_ + bytes <= kMaxPendingBytes + extra * 1024;
}

// Always false: what `append` answers.
bool SqliteOutbox::lose(std::string_view alarm, std::string_view subject, std::string_view text) {
  ++lost_before_commit_;
  set_alarm(std::string(alarm), subject, Severity::critical, text);
  return false;
}

bool SqliteOutbox::append(event::Draft draft, std::function<void()> on_durable) {
  BERM_ASSERT(draft.schema != nullptr);
  const std::size_t bytes =
      draft.tail.size() + draft.source.size() + draft.key.size() + kDraftOverhead;
  if (draft.tail.size() > kMaxEventBytes) {
    return lose("event_too_large", draft.schema->name, "an event over 1 MB was not taken");
  }
  if (counters_.is_pressed && when_full(options_, *draft.schema) == event::WhenFull::refuse) {
    return lose("outbox_refusing", draft.schema->name,
                "the outbox is full and this stream keeps its old events: new ones are lost");
  }
  if (!has_room(draft, bytes)) {
    return lose("outbox_overflow", "outbox",
                "the disk does not keep up: events are lost before they are stored");
  }
  const MonoTime due = parts_.loop.now() + Milliseconds{group_ms(*draft.schema)};
  deadline_ = deadline_ ? std::min(*deadline_, due) : due;
  pending_.bytes += bytes;
  pending_.drafts.push_back(std::move(draft));
  // Memory for one portion at a time, however many events come at once.
  if (pending_.bytes >= kCommitEarlyBytes) deadline_ = parts_.loop.now();
  if (on_durable) pending_.on_durable.push_back(std::move(on_durable));
  plan_commit();
  return true;
}

void SqliteOutbox::checkpoint(std::string_view key, std::string bytes) {
  BERM_ASSERT(bytes.size() <= kMaxCheckpointBytes);
  checkpoints_.insert_or_assign(std::string(key), bytes);
  pending_.checkpoints.insert_or_assign(std::string(key), std::move(bytes));
  plan_save(false);
}

std::string SqliteOutbox::checkpointed(std::string_view key) const {
  const auto it = checkpoints_.find(key);
  return it == checkpoints_.end() ? std::string() : it->second;
}

// --- commits
// ---------------------------------------------------------------------------------------

void SqliteOutbox::plan_commit() {
  if (is_committing_ || !deadline_) return;
  const MonoTime due = not_before_ ? std::max(*deadline_, *not_before_) : *deadline_;
  commit_timer_.at(due, [this] { start_commit(); });
}

void SqliteOutbox::start_commit() {
  BERM_ASSERT(!is_committing_);
  is_committing_ = true;
  commit_timer_.cancel();
  save_timer_.cancel();  // it goes with the commit
  is_saving_soon_ = false;
  deadline_.reset();
  not_before_.reset();
  committing_events_ = pending_.drafts.size();
  committing_bytes_ = pending_.bytes;
  const auto work = std::make_shared<Pending>(std::exchange(pending_, Pending()));
  work->wants_sequences = on_committed_ != nullptr;
  jobs_.submit(
      [work](Store& store) -> Result<void> {
        BERM_CHECK(store.commit(work->drafts, work->checkpoints));
        if (work->wants_sequences) work->sequences = store.sequences_of(work->drafts);
        return {};
      },
      [this, work](const JobReport& report) { commit_done(work, report); });
}

void SqliteOutbox::tell_committed(const Pending& work) const {
  if (!on_committed_) return;
  for (std::size_t i = 0; i < work.sequences.size(); ++i) {
    on_committed_(work.drafts[i], work.sequences[i]);
  }
}

void SqliteOutbox::commit_done(const std::shared_ptr<Pending>& work, const JobReport& report) {
  is_committing_ = false;
  committing_events_ = 0;
  committing_bytes_ = 0;
  accept(report);
  if (!report.result) {
    put_back(*work);
    report_failure(report.result.error());
    plan_commit();
    return;
  }
  backoff_ = Milliseconds{0};
  end_failure();
  tell_committed(*work);
  for (const auto& callback : work->on_durable) callback();
  plan_commit();
  run_flush();
  notify();
}

// Nothing of it was committed: it goes before what has come since.
void SqliteOutbox::put_back(Pending& work) {
  std::ranges::move(pending_.drafts, std::back_inserter(work.drafts));
  std::ranges::move(pending_.on_durable, std::back_inserter(work.on_durable));
  for (auto& [key, bytes] : pending_.checkpoints) {
    work.checkpoints.insert_or_assign(key, std::move(bytes));
  }
  work.bytes += pending_.bytes;
  pending_ = std::move(work);
}

void SqliteOutbox::report_failure(const Error& error) {
  const MonoTime now = parts_.loop.now();
  deadline_ = now;
  if (error.code == ErrorCode::damaged) return;  // there is a new database: at once again
  backoff_ = backoff_.count() == 0 ? kFirstRetry : std::min(2 * backoff_, kLastRetry);
  not_before_ = now + backoff_;
  if (error.code == ErrorCode::full) {
    set_alarm("disk_full", "outbox", Severity::critical,
              "there is no space to store events: " + error.text);
  } else {
    set_alarm("disk_fault", "outbox", Severity::critical, "events cannot be stored: " + error.text);
  }
}

void SqliteOutbox::end_failure() {
  end_alarm("disk_full", "outbox");
  end_alarm("disk_fault", "outbox");
  if (pending_.drafts.size() < kMaxPendingEvents / 2) end_alarm("outbox_overflow", "outbox");
}

// --- uplinks' side
// ---------------------------------------------------------------------------------

void SqliteOutbox::take(UplinkIndex uplink, TakeRequest request,
                        std::function<void(Result<Batch>)> done) {
  BERM_ASSERT(uplink < is_taking_.size() && !is_taking_[uplink]);
  is_taking_[uplink] = true;
  request.max_events = std::max<std::size_t>(request.max_events, 1);
  const auto batch = std::make_shared<Batch>();
  jobs_.submit(
      [uplink, request, batch](Store& store) -> Result<void> {
        BERM_TRY(*batch, store.take(uplink, request));
        return {};
      },
      [this, uplink, batch, taker = takers_[uplink],
       done = std::move(done)](const JobReport& report) {
        accept(report);
        if (takers_[uplink] != taker) return;  // it was returned before it came
        is_taking_[uplink] = false;
        if (!report.result) {
          done(fail(report.result.error()));
        } else {
          done(std::move(*batch));
        }
      });
}

void SqliteOutbox::settle(UplinkIndex uplink, std::vector<Settled> settled) {
  if (settled.empty()) return;
  const bool has_refused = std::ranges::any_of(
      settled, [](const Settled& one) { return one.how == Settlement::refused; });
  unsaved_ += static_cast<std::int64_t>(settled.size());
  jobs_.settle(Settlements{uplink, std::move(settled), false});
  plan_save(unsaved_ >= kMuchSettled);
  if (!has_refused) return;
  // A gap record is due, which is an event for everybody.
  jobs_.submit([](Store&) -> Result<void> { return {}; },
               [this](const JobReport& report) {
                 accept(report);
                 notify();
               });
}

void SqliteOutbox::return_all(UplinkIndex uplink) {
  jobs_.settle(Settlements{uplink, {}, true});
  is_taking_[uplink] = false;
  ++takers_[uplink];
}

void SqliteOutbox::on_available(UplinkIndex uplink, std::function<void()> callback) {
  on_available_[uplink] = std::move(callback);
}

std::int64_t SqliteOutbox::waiting(UplinkIndex uplink) const {
  return std::max<std::int64_t>(counters_.uplinks[uplink].waiting - jobs_.unreported(uplink), 0);
}

void SqliteOutbox::notify() {
  for (UplinkIndex uplink = 0; uplink < on_available_.size(); ++uplink) {
    if (on_available_[uplink] && waiting(uplink) > 0) on_available_[uplink]();
  }
}

// --- set aside
// -------------------------------------------------------------------------------------

template <class T>
void SqliteOutbox::run_command(std::function<Result<T>(Store&)> work,
                               std::function<void(Result<T>)> done) {
  if (commands_ >= kMaxCommands) {
    done(fail(ErrorCode::full, "too many outbox commands at once"));
    return;
  }
  ++commands_;
  const auto made = std::make_shared<T>();
  jobs_.submit(
      [work = std::move(work), made](Store& store) -> Result<void> {
        BERM_TRY(*made, work(store));
        return {};
      },
      [this, made, done = std::move(done)](const JobReport& report) {
        --commands_;
        accept(report);
        if (!report.result) {
          done(fail(report.result.error()));
        } else {
          done(std::move(*made));
        }
      });
}

void SqliteOutbox::list_set_aside(std::int64_t from, std::size_t max,
                                  std::function<void(Result<std::vector<SetAside>>)> done) {
  run_command<std::vector<SetAside>>(
      [from, max](Store& store) { return store.list_set_aside(from, max); }, std::move(done));
}

void SqliteOutbox::requeue(std::int64_t number, std::function<void(Result<void>)> done) {
  if (commands_ >= kMaxCommands) {
    done(fail(ErrorCode::full, "too many outbox commands at once"));
    return;
  }
  ++commands_;
  jobs_.submit([number](Store& store) { return store.put_back(number); },
               [this, done = std::move(done)](const JobReport& report) {
                 --commands_;
                 accept(report);
                 done(report.result);
                 notify();
               });
}

void SqliteOutbox::resend(ResendRequest request, std::function<void(Result<ResendReport>)> done) {
  run_command<ResendReport>(
      [request = std::move(request)](Store& store) { return store.resend(request); },
      [this, done = std::move(done)](Result<ResendReport> report) {
        done(std::move(report));
        notify();
      });
}

void SqliteOutbox::read_on(ExportFilter filter, ExportPlace place,
                           std::function<void(Result<ExportPart>)> done) {
  run_command<ExportPart>(
      [filter = std::move(filter), place](Store& store) { return store.read_on(filter, place); },
      std::move(done));
}

// --- life
// ------------------------------------------------------------------------------------------

// Delivery state and lone checkpoints go with the next commit; this is for when none comes.
void SqliteOutbox::plan_save(bool is_much) {
  if (save_timer_.is_set() && (is_saving_soon_ || !is_much)) return;
  is_saving_soon_ = is_much;
  save_timer_.after(is_much ? kStateDelay : kQuietStateDelay, [this] { save_now(); });
}

void SqliteOutbox::save_now() {
  is_saving_soon_ = false;
  if (is_committing_) return;  // it takes everything along, or a failure brings us back
  if (!pending_.is_empty()) {
    if (!not_before_) start_commit();
    return;
  }
  unsaved_ = 0;
  jobs_.submit([](Store& store) { return store.save(); },
               [this](const JobReport& report) { accept(report); });
}

void SqliteOutbox::flush(std::function<void()> done) {
  flushes_.push_back(std::move(done));
  run_flush();
}

void SqliteOutbox::reconfigure(OutboxOptions options, std::function<void(Result<void>)> done) {
  options.directory = options_.directory;
  options.node = options_.node;
  options.machine_id = options_.machine_id;
  const bool reopens =
      options.uplinks != options_.uplinks || options.max_bytes != options_.max_bytes;
  jobs_.reconfigure(options, reopens,
                    [this, options, done = std::move(done)](const JobReport& report) {
                      options_ = options;
                      budget_.limit(options.write_budget_day_bytes);
                      counters_.uplinks.resize(options_.uplinks.size());
                      on_available_.resize(options_.uplinks.size());
                      is_taking_.assign(options_.uplinks.size(), false);
                      takers_.resize(options_.uplinks.size());
                      if (report.result) accept(report);
                      done(report.result);
                    });
}

void SqliteOutbox::run_flush() {
  if (flushes_.empty() || is_committing_) return;
  if (!pending_.is_empty()) {
    start_commit();
    return;
  }
  unsaved_ = 0;
  jobs_.submit([](Store& store) { return store.save(); },
               [this, flushes = std::exchange(flushes_, {})](const JobReport& report) {
                 accept(report);
                 for (const auto& done : flushes) done();
               });
}

void SqliteOutbox::plan_salvage(Milliseconds pause) {
  if (!counters_.salvage.is_active || is_salvaging_ || salvage_timer_.is_set()) return;
  salvage_timer_.after(pause, [this] { run_salvage(); });
}

void SqliteOutbox::run_salvage() {
  is_salvaging_ = true;
  jobs_.submit([](Store& store) { return store.salvage(); },
               [this](const JobReport& report) {
                 is_salvaging_ = false;
                 if (!report.result) {
                   log_.error("salvaging: " + report.result.error().text);
                   plan_salvage(kSalvageRetry);
                 }
                 accept(report);
                 notify();
               });
}

void SqliteOutbox::plan_manifests() {
  if (!counters_.is_summing || is_summing_ || manifest_timer_.is_set()) return;
  manifest_timer_.after(kManifestPause, [this] { run_manifests(); });
}

void SqliteOutbox::run_manifests() {
  is_summing_ = true;
  jobs_.submit([](Store& store) { return store.sum_manifests(); },
               [this](const JobReport& report) {
                 is_summing_ = false;
                 if (!report.result) log_.error("manifests: " + report.result.error().text);
                 accept(report);
               });
}

void SqliteOutbox::plan_upkeep() {
  const Milliseconds period = counters_.waits_for_clock ? kClockPoll : kUpkeepPeriod;
  upkeep_timer_.after(period, [this] { run_upkeep(); });
}

void SqliteOutbox::run_upkeep() {
  jobs_.submit([may_join = budget_.has_room()](Store& store) { return store.upkeep(may_join); },
               [this, before = counters_.commits](const JobReport& report) {
                 accept(report);
                 plan_upkeep();
                 if (counters_.commits != before) notify();
               });
}

void SqliteOutbox::accept(const JobReport& report) {
  const bool was_pressed = counters_.is_pressed;
  const bool did_wait = counters_.waits_for_clock;
  const bool did_salvage = counters_.salvage.is_active;
  counters_ = report.counters;
  count_writes();
  if (did_salvage && !counters_.salvage.is_active) end_alarm("outbox_damaged", "outbox");
  plan_salvage(kSalvagePause);
  plan_manifests();
  if (!did_wait && counters_.waits_for_clock && upkeep_timer_.is_set()) plan_upkeep();
  if (counters_.unsaved_settled == 0 && !jobs_.has_settlements()) unsaved_ = 0;
  if (!report.damage.empty()) {
    set_alarm("outbox_damaged", "outbox", Severity::critical, report.damage);
  }
  if (was_pressed && !counters_.is_pressed) {
    for (const StreamPolicy& policy : options_.policies) {
      end_alarm("outbox_refusing", policy.stream);
    }
  }
}

void SqliteOutbox::report_damage(const std::string& damage) {
  damage_timer_.after(Microseconds{0}, [this, damage] {
    set_alarm("outbox_damaged", "outbox", Severity::critical, damage);
  });
}

void SqliteOutbox::set_alarm(const std::string& alarm, std::string_view subject, Severity severity,
                             std::string_view text) {
  if (!alarms_.insert(alarm + "/" + std::string(subject)).second) return;
  log_.error(std::string(subject) + ": " + std::string(text));
  parts_.alarms.begin_alarm(alarm, subject, severity, text);
}

void SqliteOutbox::end_alarm(const std::string& alarm, std::string_view subject) {
  if (alarms_.erase(alarm + "/" + std::string(subject)) == 0) return;
  log_.notice(std::string(subject) + ": " + alarm + " is over");
  parts_.alarms.end_alarm(alarm, subject);
}

std::int64_t SqliteOutbox::age_s(const std::optional<std::int64_t>& made_s) const {
  if (!made_s) return 0;
  return std::max<std::int64_t>(s_of(parts_.clock.wall().time) - *made_s, 0);
}

Status SqliteOutbox::status_of(UplinkIndex uplink) const {
  Status status(options_.uplinks[uplink].name);
  status.set("waiting", waiting(uplink));
  status.set("oldest_unsent_s",
             waiting(uplink) == 0 ? 0 : age_s(counters_.uplinks[uplink].oldest_made_s));
  status.set("hold", options_.uplinks[uplink].hold);
  return status;
}

Status SqliteOutbox::status() const {
  Status status("outbox");
  std::int64_t most_waiting = 0;
  std::int64_t oldest_s = 0;
  std::vector<Status> uplinks;
  for (UplinkIndex uplink = 0; uplink < options_.uplinks.size(); ++uplink) {
    uplinks.push_back(status_of(uplink));
    most_waiting = std::max(most_waiting, uplinks.back().integer("waiting"));
    oldest_s = std::max(oldest_s, uplinks.back().integer("oldest_unsent_s"));
  }
  int window_ms = 0;
  for (const event::StreamSchema& schema : event::stream_schemas()) {
    window_ms = std::max(window_ms, group_ms(schema));
  }
  status.set("epoch", counters_.epoch)
      .set("events", counters_.events)
      .set("waiting", most_waiting)
      .set("oldest_unsent_s", oldest_s)
      .set("pending", pending_.drafts.size() + committing_events_)
      .set("disk_bytes", counters_.disk_bytes)
      .set("ceiling_bytes", options_.max_bytes)
      .set("lost_before_commit", lost_before_commit_)
      .set("gaps_total", counters_.gaps)
      .set("merged_events", counters_.merged_originals)
      .set("merged_into", counters_.merged_events)
      .set("commits", counters_.commits)
      .set("written_bytes", counters_.written_bytes)
      .set("written_bytes_day", budget_.written_day())
      .set("write_budget_day_bytes", options_.write_budget_day_bytes)
      .set("write_stretch", budget_.stretch())
      .set("window_ms", window_ms)
      .set("durable", durable_)
      .set("salvaging", counters_.salvage.name)
      .set("salvaged_percent", counters_.salvage.is_active ? counters_.salvage.percent : 100)
      .set("salvaged_events", counters_.salvage.events);
  if (counters_.device_bytes) status.set("device_bytes_day", device_.written_day());
  for (Status& uplink : uplinks) status.add(std::move(uplink));
  return status;
}

namespace {
std::string parent_of(const std::string& directory) {
  const auto slash = directory.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : directory.substr(0, slash);
}
}  // namespace

Result<std::unique_ptr<Outbox>> open_outbox(const OutboxOptions& options,
                                            const OutboxParts& parts) {
  BERM_CHECK(parts.disk.make_directory(options.directory));
  // The directory's own name must survive a power cut too, or all in it goes. At every open: the
  // cut may have come between making and syncing. Where the parent may not be read, others made it.
  static_cast<void>(parts.disk.sync_directory(parent_of(options.directory)));
  BERM_CHECK(displace(parts.disk, options.directory, "outbox.lock"));
  BERM_TRY(auto lock, parts.disk.lock(options.directory + "/outbox.lock"));
  const auto owner =
      std::make_shared<StoreOwner>(StoreOwner{.options = options,
                                              .parts = {parts.clock, parts.random, parts.disk},
                                              .lock = std::move(lock),
                                              .store = nullptr,
                                              .counters = {}});
  auto store = Store::open(owner->options, owner->parts);
  if (!store) return fail(std::move(store.error()).with_context(options.directory));
  owner->store = std::move(*store);
  owner->counters = owner->store->counters();
  auto outbox = std::make_unique<SqliteOutbox>(parts, owner, owner->store->take_checkpoints());
  if (const std::string damage = owner->store->take_damage(); !damage.empty()) {
    outbox->report_damage(damage);
  }
  return std::unique_ptr<Outbox>(std::move(outbox));
}

}  // namespace berm::outbox
