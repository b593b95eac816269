// SPDX-License-Identifier: Apache-2.0
// StoreJobs: runs work on the Store, on the executor, one job after another, and brings each result
// back to the loop with the store's numbers. Settlements travel with the next job, before its work.
// A job that finds the database damaged has it set aside and a new one opened at once; the job's
// result is that error. Used on the loop. What runs on the executor shares ownership of the store
// with us: we may be destroyed while a sync stalls. After destruction no `done` is called.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firmware/outbox/store.hpp"
#include "hal/executor.hpp"
#include "hal/loop.hpp"

namespace berm::outbox {

// What an uplink says of its events; `all`: everything in flight comes back.
struct Settlements {
  UplinkIndex uplink = 0;
  std::vector<Settled> settled;
  bool all = false;
};

struct JobReport {
  Result<void> result;
  Counters counters;                    // as they were before where the store could not be opened
  std::string damage;                   // the database was replaced: why
  std::vector<std::int64_t> delivered;  // per uplink: settlements that travelled with this job
};

// Everything the executor's side owns.
struct StoreOwner {
  OutboxOptions options;
  StoreParts parts;
  std::unique_ptr<hal::File> lock;
  std::unique_ptr<Store> store;      // empty: could not be opened again; the next job tries
  std::uint64_t written_before = 0;  // by stores before this one
  Counters counters;
};

class StoreJobs {
 public:
  using Work = std::function<Result<void>(Store& store)>;
  using Done = std::function<void(const JobReport& report)>;
  StoreJobs(hal::Loop& loop, hal::Executor& executor, std::shared_ptr<StoreOwner> owner);

  void settle(Settlements settlements);
  // Accepted always; the callers keep their number bounded. `done` on the loop, in order.
  void submit(Work work, Done done);
  // Other options from this job on; `reopens`: the store is closed in order and opened with them.
  void reconfigure(OutboxOptions options, bool reopens, Done done);
  // Delivered events whose settlement no report has counted yet.
  std::int64_t unreported(UplinkIndex uplink) const { return unreported_[uplink]; }
  bool has_settlements() const { return !settlements_.empty(); }

 private:
  struct Job {
    Work work;
    Done done;
    std::optional<OutboxOptions> options;  // to be taken over
    bool reopens = false;
    std::vector<Settlements> settlements;
    JobReport report;
  };
  void pump();
  static void run(StoreOwner& owner, Job& job);
  static Result<void> attempt(StoreOwner& owner, Job& job);
  void enqueue(std::shared_ptr<Job> job);
  void finish(Job& job);

  hal::Loop& loop_;
  hal::Executor& executor_;
  std::shared_ptr<StoreOwner> owner_;
  std::vector<Settlements> settlements_;
  std::vector<std::int64_t> unreported_;
  std::deque<std::shared_ptr<Job>> queue_;  // not yet taken by the executor
  hal::Timer retry_;
  std::shared_ptr<StoreJobs*> self_;  // lets late callbacks see that we are gone
};

}  // namespace berm::outbox
