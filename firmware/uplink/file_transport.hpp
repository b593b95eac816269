// SPDX-License-Identifier: Apache-2.0
// FileTransport: events as JSON lines into a directory, often a stick [uplink-2]. Used by a
// Forwarder. The writing is FileJournal's, as a job on the serial executor; delivered means synced
// there. Everything that goes wrong (not mounted, stick pulled out, full, read-only) is `failed`
// with the disk's words. Limits: one batch in flight. Loop thread; executor, disk and clock outlive
// the executor's last job.
#pragma once

#include <memory>
#include <string>

#include "firmware/codec/event_headers.hpp"
#include "firmware/uplink/file_journal.hpp"
#include "firmware/uplink/uplink.hpp"
#include "hal/executor.hpp"

namespace berm::uplink {

struct FileTransportOptions {
  FileJournalOptions journal;
  codec::EventHeaders headers;
  std::size_t max_events = 1000;
  std::size_t max_bytes = 1u << 20;
};

struct FileTransportParts {
  hal::Loop& loop;
  hal::Executor& executor;
  hal::Disk& disk;
  hal::Clock& clock;
};

class FileTransport final : public Transport {
 public:
  FileTransport(FileTransportOptions options, const FileTransportParts& parts);
  ~FileTransport() override;
  Limits limits() const override;
  std::string fault_of(const event::Event& event) const override;
  void open(Events events) override;
  bool is_ready() const override { return is_open_; }
  void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) override;
  void close() override;
  Status status() const override;
  // Whether it is mounted where it must be.
  void probe(std::function<void(Answer)> done) override;

 private:
  struct Job;
  void answer(const Job& job, const std::function<void(Answer)>& done);

  const FileTransportOptions options_;
  FileTransportParts parts_;
  // Shared with the jobs: one may still run when this object is gone.
  std::shared_ptr<FileJournal> journal_;
  bool is_open_ = false;
  bool is_sending_ = false;
  std::uint64_t opens_ = 0;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace berm::uplink
