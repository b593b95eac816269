// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/file_transport.hpp"

#include <utility>

#include "hal/base/assert.hpp"

namespace berm::uplink {

struct FileTransport::Job {
  std::string lines;
  std::uint64_t open = 0;
  Result<void> outcome = fail(ErrorCode::unavailable, "too much waits for the disk");
};

FileTransport::FileTransport(FileTransportOptions options, const FileTransportParts& parts)
    : options_(std::move(options)),
      parts_(parts),
      journal_(std::make_shared<FileJournal>(options_.journal, parts.disk)) {
  BERM_ASSERT(options_.max_events > 0);
}

FileTransport::~FileTransport() {
  close();
}

Transport::Limits FileTransport::limits() const {
  return {.max_in_flight = 1,
          .max_events = options_.max_events,
          .max_bytes = options_.max_bytes,
          .one_stream = false};
}

std::string FileTransport::fault_of(const event::Event& event) const {
  return options_.headers.fault_of(event);
}

void FileTransport::open(Events) {
  is_open_ = true;
}

void FileTransport::send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) {
  BERM_ASSERT(is_open_ && !is_sending_ && !batch.empty());
  is_sending_ = true;
  const auto job = std::make_shared<Job>();
  job->open = opens_;
  for (const Outgoing& outgoing : batch) job->lines.append(outgoing.event->line).push_back('\n');
  const auto work = [job, journal = journal_, &clock = parts_.clock] {
    job->outcome = journal->append(job->lines, clock.wall().time);
  };
  const auto finish = [this, job, life = std::weak_ptr(life_), done = std::move(done)] {
    if (!life.expired()) answer(*job, done);
  };
  if (!parts_.executor.submit(work, finish)) parts_.loop.post(finish);
}

void FileTransport::answer(const Job& job, const std::function<void(Answer)>& done) {
  if (job.open != opens_) return;  // closed in between
  is_sending_ = false;
  if (job.outcome) {
    done({Verdict::delivered, "synced"});
  } else {
    done({Verdict::failed, job.outcome.error().text});
  }
}

void FileTransport::probe(std::function<void(Answer)> done) {
  const auto is_there = std::make_shared<bool>(false);
  const auto work = [is_there, &disk = parts_.disk, journal = options_.journal] {
    *is_there = !journal.require_mount || disk.is_mount_point(journal.directory);
  };
  const auto finish = [is_there, life = std::weak_ptr(life_), done = std::move(done)] {
    if (life.expired()) return;
    done(*is_there ? Answer{Verdict::delivered, "there"}
                   : Answer{Verdict::failed, "nothing is mounted there"});
  };
  if (!parts_.executor.submit(work, finish)) parts_.loop.post(finish);
}

void FileTransport::close() {
  is_open_ = false;
  is_sending_ = false;
  ++opens_;
}

Status FileTransport::status() const {
  Status status("transport");
  status.set("kind", "file").set("endpoint", options_.journal.directory);
  return status;
}

}  // namespace berm::uplink
