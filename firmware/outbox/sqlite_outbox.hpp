// SPDX-License-Identifier: Apache-2.0
// SqliteOutbox: the Outbox on the loop. Gathers drafts until the earliest of their streams' group
// times is up, has the executor commit all of them together, and calls `on_durable` afterwards. At
// most one commit is under way; while it stalls, drafts gather up to kMaxPendingEvents /
// kMaxPendingBytes (alarms a little beyond), then append refuses and counts. Every number it shows
// is in memory: status answers at once whatever the disk does. What a damaged database still gives
// is salvaged in steps, kSalvagePause apart. Alarms: outbox_overflow (drafts were lost), disk_full,
// disk_fault (commits fail; they are tried again with backoff), outbox_damaged (until all is
// salvaged), outbox_refusing (streams with when_full refuse take nothing). Loop thread only.
// Lifetime: after flush; what is still pending at destruction is lost.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "firmware/outbox/outbox.hpp"
#include "firmware/outbox/store_jobs.hpp"
#include "firmware/outbox/write_budget.hpp"
#include "hal/base/log.hpp"
#include "hal/loop.hpp"

namespace berm::outbox {

class SqliteOutbox final : public Outbox {
 public:
  SqliteOutbox(const OutboxParts& parts, std::shared_ptr<StoreOwner> owner,
               std::map<std::string, std::string> checkpoints);

  bool append(event::Draft draft, std::function<void()> on_durable) override;
  void on_committed(OnCommitted callback) override { on_committed_ = std::move(callback); }
  void checkpoint(std::string_view key, std::string bytes) override;
  std::string checkpointed(std::string_view key) const override;
  void take(UplinkIndex uplink, TakeRequest request,
            std::function<void(Result<Batch>)> done) override;
  void settle(UplinkIndex uplink, std::vector<Settled> settled) override;
  void return_all(UplinkIndex uplink) override;
  void on_available(UplinkIndex uplink, std::function<void()> callback) override;
  std::int64_t waiting(UplinkIndex uplink) const override;
  void list_set_aside(std::int64_t from, std::size_t max,
                      std::function<void(Result<std::vector<SetAside>>)> done) override;
  void requeue(std::int64_t number, std::function<void(Result<void>)> done) override;
  void resend(ResendRequest request, std::function<void(Result<ResendReport>)> done) override;
  void read_on(ExportFilter filter, ExportPlace place,
               std::function<void(Result<ExportPart>)> done) override;
  void flush(std::function<void()> done) override;
  void reconfigure(OutboxOptions options, std::function<void(Result<void>)> done) override;
  Status status() const override;
  const std::string& epoch() const override { return counters_.epoch; }
  // What was found at open: said as an alarm in the loop's first turn.
  void report_damage(const std::string& damage);

 private:
  // Events on their way to the disk, with who wants to know.
  struct Pending {
    std::vector<event::Draft> drafts;
    std::vector<std::function<void()>> on_durable;  // of some of them, in order
    std::map<std::string, std::string> checkpoints;
    std::size_t bytes = 0;
    // Asked for when somebody wants to be told: the sequence of each draft, once committed.
    bool wants_sequences = false;
    std::vector<std::int64_t> sequences;
    bool is_empty() const { return drafts.empty() && checkpoints.empty(); }
  };
  bool has_room(const event::Draft& draft, std::size_t bytes) const;
  bool lose(std::string_view alarm, std::string_view subject, std::string_view text);
  int group_ms(const event::StreamSchema& schema) const;
  void count_writes();
  // A bounded number of commands at once; `done` gets what `work` has made.
  template <class T>
  void run_command(std::function<Result<T>(Store&)> work, std::function<void(Result<T>)> done);
  void plan_commit();
  void start_commit();
  void tell_committed(const Pending& work) const;
  void commit_done(const std::shared_ptr<Pending>& work, const JobReport& report);
  void put_back(Pending& work);
  void plan_save(bool is_much);
  void save_now();
  void run_flush();
  void plan_salvage(Milliseconds pause);
  void run_salvage();
  void plan_manifests();
  void run_manifests();
  void plan_upkeep();
  void run_upkeep();
  void accept(const JobReport& report);
  void report_failure(const Error& error);
  void end_failure();
  void notify();
  void set_alarm(const std::string& alarm, std::string_view subject, drivers::Severity severity,
                 std::string_view text);
  void end_alarm(const std::string& alarm, std::string_view subject);
  Status status_of(UplinkIndex uplink) const;
  std::int64_t age_s(const std::optional<std::int64_t>& made_s) const;

  OutboxParts parts_;
  OutboxOptions options_;  // the owner's own are the executor's
  StoreJobs jobs_;
  Counters counters_;
  WriteBudget budget_;
  WriteBudget device_{0};
  std::string durable_;
  Log log_{"outbox"};

  Pending pending_;
  std::optional<MonoTime> deadline_;    // of the earliest pending draft
  std::optional<MonoTime> not_before_;  // after a failed commit
  bool is_committing_ = false;
  std::size_t committing_events_ = 0;
  std::size_t committing_bytes_ = 0;
  Milliseconds backoff_{0};
  std::map<std::string, std::string, std::less<>> checkpoints_;  // as last given

  OnCommitted on_committed_;
  std::vector<std::function<void()>> on_available_;  // [uplink]
  std::vector<bool> is_taking_;                      // [uplink]
  std::vector<std::uint64_t> takers_;                // [uplink]: who takes; one more, another
  std::int64_t unsaved_ = 0;
  bool is_saving_soon_ = false;
  std::size_t commands_ = 0;
  std::vector<std::function<void()>> flushes_;
  std::set<std::string> alarms_;  // on, as alarm/subject
  std::int64_t lost_before_commit_ = 0;

  hal::Timer commit_timer_;
  hal::Timer save_timer_;
  hal::Timer upkeep_timer_;
  hal::Timer damage_timer_;
  hal::Timer salvage_timer_;
  hal::Timer manifest_timer_;
  bool is_salvaging_ = false;  // a step is under way
  bool is_summing_ = false;    // a step is under way
};

}  // namespace berm::outbox
