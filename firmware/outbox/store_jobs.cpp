// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/store_jobs.hpp"

#include <algorithm>
#include <utility>

#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {

StoreJobs::StoreJobs(hal::Loop& loop, hal::Executor& executor, std::shared_ptr<StoreOwner> owner)
    : loop_(loop),
      executor_(executor),
      owner_(std::move(owner)),
      unreported_(owner_->options.uplinks.size()),
      retry_(loop),
      self_(std::make_shared<StoreJobs*>(this)) {}

void StoreJobs::settle(Settlements settlements) {
  unreported_[settlements.uplink] +=
      std::ranges::count(settlements.settled, Settlement::delivered, &Settled::how);
  settlements_.push_back(std::move(settlements));
}

void StoreJobs::submit(Work work, Done done) {
  auto job = std::make_shared<Job>();
  job->work = std::move(work);
  job->done = std::move(done);
  enqueue(std::move(job));
}

void StoreJobs::reconfigure(OutboxOptions options, bool reopens, Done done) {
  auto job = std::make_shared<Job>();
  job->work = [](Store&) -> Result<void> { return {}; };
  job->reopens = reopens;
  const std::size_t uplinks = options.uplinks.size();
  job->options = std::move(options);
  job->done = [this, uplinks, done = std::move(done)](const JobReport& report) {
    unreported_.assign(uplinks, 0);
    done(report);
  };
  enqueue(std::move(job));
}

void StoreJobs::enqueue(std::shared_ptr<Job> job) {
  job->settlements = std::exchange(settlements_, {});
  job->report.delivered.resize(unreported_.size());
  for (const Settlements& one : job->settlements) {
    job->report.delivered[one.uplink] +=
        std::ranges::count(one.settled, Settlement::delivered, &Settled::how);
  }
  queue_.push_back(std::move(job));
  pump();
}

void StoreJobs::pump() {
  while (!queue_.empty()) {
    const std::shared_ptr<Job> job = queue_.front();
    const bool is_taken = executor_.submit([owner = owner_, job] { run(*owner, *job); },
                                           [self = std::weak_ptr<StoreJobs*>(self_), job] {
                                             if (const auto jobs = self.lock())
                                               (*jobs)->finish(*job);
                                           });
    if (!is_taken) {
      retry_.after(kBusyRetry, [this] { pump(); });
      return;
    }
    queue_.pop_front();
  }
}

Result<void> StoreJobs::attempt(StoreOwner& owner, Job& job) {
  if (!owner.store) {
    BERM_TRY(owner.store, Store::open(owner.options, owner.parts));
  }
  for (const Settlements& one : job.settlements) {
    if (one.all) {
      owner.store->return_all(one.uplink);
      continue;
    }
    auto settled = owner.store->settle(one.uplink, one.settled);
    // Anything else is a refusal that could not be recorded: it comes back and is refused again.
    if (!settled && settled.error().code == ErrorCode::damaged) return settled;
  }
  if (job.options) {
    if (job.reopens) {
      BERM_CHECK(owner.store->save());  // what is delivered
      owner.written_before += owner.store->counters().written_bytes;
      owner.store.reset();
    }
    owner.options = *job.options;
    if (!owner.store) {
      BERM_TRY(owner.store, Store::open(owner.options, owner.parts));
      // What it says of checkpoints is known already.
      static_cast<void>(owner.store->take_checkpoints());
    }
  }
  return job.work(*owner.store);
}

void StoreJobs::run(StoreOwner& owner, Job& job) {
  job.report.result = attempt(owner, job);
  const auto& result = job.report.result;
  if (!result && result.error().code == ErrorCode::damaged && owner.store) {
    owner.written_before += owner.store->counters().written_bytes;
    owner.store->abandon();
    owner.store.reset();
    auto opened = Store::open(owner.options, owner.parts, result.error().text);
    if (opened) {
      owner.store = std::move(*opened);
    }
  }
  if (owner.store) {
    job.report.damage = owner.store->take_damage();
    owner.counters = owner.store->counters();
    owner.counters.written_bytes += owner.written_before;
  }
  job.report.counters = owner.counters;
}

void StoreJobs::finish(Job& job) {
  const std::size_t known = std::min(unreported_.size(), job.report.delivered.size());
  for (UplinkIndex uplink = 0; uplink < known; ++uplink) {
    unreported_[uplink] -= job.report.delivered[uplink];
  }
  if (!queue_.empty()) pump();
  job.done(job.report);
}

}  // namespace berm::outbox
