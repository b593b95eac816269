// SPDX-License-Identifier: Apache-2.0
// Outbox: the one store all events pass through, between drivers and uplinks. Everything here is
// called on the loop and returns at once; disk work runs as jobs on the serial executor, `done`
// callbacks come back on the loop, in order. The public face of firmware/outbox; SqliteOutbox
// implements it. firmware/spec/outbox.md has the numbered promises; in short:
//   - committed means it survives a power cut (synchronous=FULL); [outbox-1]
//   - identity node/epoch/stream/seq, sequences without an unexplained hole; [outbox-2]
//   - an event's bytes are final from its first offer; delivery at least once, in order; [outbox-3]
//   - memory does not grow with the backlog, disk has a ceiling, gaps say what went; [outbox-4]
//   - the node always starts: a damaged database is set aside and a gap record says so. [outbox-6]
// Limits: kMaxPendingEvents / kMaxPendingBytes wait in memory for their commit; beyond that, append
// is a counted loss. kMaxRanges undelivered ranges per uplink and stream; beyond that the nearest
// are joined (a repeat, never a loss).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/api/alarm.hpp"
#include "firmware/event/event.hpp"
#include "hal/base/command.hpp"
#include "hal/base/result.hpp"
#include "hal/base/status.hpp"
#include "hal/base/time_zone.hpp"
#include "hal/clock.hpp"
#include "hal/disk.hpp"
#include "hal/executor.hpp"
#include "hal/loop.hpp"
#include "hal/random.hpp"

namespace berm::outbox {

inline constexpr std::size_t kMaxPendingEvents = 65536;
inline constexpr std::size_t kMaxPendingBytes = 8u << 20;
inline constexpr std::size_t kMaxRanges = 64;
inline constexpr std::size_t kMaxEventBytes =
    1000u * 1000u;  // a larger one is refused before the outbox

struct StreamPolicy {
  std::string stream;
  int group_ms = 1000;  // 0: sync
  event::WhenFull when_full = event::WhenFull::oldest;
  std::int64_t max_age_s = 0;  // 0: no limit
  int stretched_ms = 0;        // how far the group may be stretched to save writes; 0: not at all
};

struct UplinkInterest {
  std::string name;
  std::vector<std::string> streams;  // globs; empty: all
  bool hold = true;                  // false: never holds anything back
  bool operator==(const UplinkInterest&) const = default;
};

struct OutboxOptions {
  std::string directory;  // the state directory
  std::string node;
  std::string machine_id;  // /etc/machine-id or a stand-in; a change makes a new epoch
  std::int64_t max_bytes = 1ll << 30;
  std::int64_t keep_delivered_s = 604800;
  std::int64_t hold_for_clock_s = 600;
  std::int64_t write_budget_day_bytes = 0;  // of our own writes; 0: none
  TimeZone zone;                            // whose civil days merged periods follow
  std::vector<StreamPolicy> policies;       // streams not named: the schema's defaults
  std::vector<UplinkInterest> uplinks;
};

using UplinkIndex = std::size_t;  // into OutboxOptions::uplinks

// Which events a `take` wants. The first batch of an uplink begins at its oldest undelivered event.
struct TakeRequest {
  std::size_t max_events = 100;
  std::size_t max_bytes = 1u << 20;  // of lines; one event always fits
  bool one_stream = false;           // all events of one stream and epoch
};

// Events handed out for delivery. Until `settle` they are in flight: no other take of the same
// uplink returns them. In order of commit; per stream and epoch in order of seq.
struct Batch {
  std::vector<event::Event> events;
  bool more = false;  // more was waiting when this was read
};

struct EventRef {
  std::string stream;
  std::string epoch;
  std::int64_t seq = 0;
  bool operator==(const EventRef&) const = default;
};

enum class Settlement {
  delivered,  // the receiver has it: subtracted from this uplink's undelivered ranges
  returned,   // try again later: offered again before anything newer
  refused,    // set aside: gap record with cause `refused` for this uplink; kept, shown, can be
              // requeued
};

struct Settled {
  EventRef event;
  Settlement how = Settlement::delivered;
  std::string reason;  // of a refusal
};

struct SetAside {
  std::int64_t number = 0;
  std::string uplink;
  EventRef event;
  std::string reason;
  std::string line;
};

// Offered again: delivered events that are still kept.
struct ResendRequest {
  std::string stream;
  std::string epoch;   // empty: the present one
  std::string ranges;  // "12-15 20-20", as in gap records
  std::string uplink;  // empty: all that take the stream
};

struct ResendReport {
  struct Uplink {
    std::string name;
    std::int64_t queued = 0;
    std::int64_t waiting = 0;  // were waiting anyway
  };
  std::string epoch;
  std::vector<Uplink> uplinks;
  std::string gone;  // ranges that are not kept any more, or never were
};

// What is kept, read as lines, part by part.
struct ExportFilter {
  std::string stream;                   // a glob; empty: all
  std::optional<std::int64_t> since_s;  // events whose `time` is not before
};

struct ExportPlace {
  std::int64_t series = 0;  // where the next part begins
  std::int64_t seq = 1;
  std::int64_t unsettled = 0;   // so far: events without a final line, for their clock is unknown
  std::int64_t unreadable = 0;  // segments that do not read back
};

struct ExportPart {
  std::string lines;
  ExportPlace next;
  bool is_last = false;
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // --- drivers' side
  // ------------------------------------------------------------------------------- Takes the draft
  // for commit within its stream's group time. `on_durable` once it is committed. False: not taken
  // (queue bound, or a stream with when_full `refuse` while full): a counted, reported loss.
  virtual bool append(event::Draft draft, std::function<void()> on_durable = {}) = 0;
  // Told of each appended event once it is committed, with its sequence, before its `on_durable`
  // (the shell's `tail`). One; empty: nobody. The outbox's own records (gaps, epochs) are not told.
  using OnCommitted = std::function<void(const event::Draft& draft, std::int64_t seq)>;
  virtual void on_committed(OnCommitted callback) = 0;
  // Durable with, and never before, everything appended before this call. Key: driver instance.
  virtual void checkpoint(std::string_view key, std::string bytes) = 0;
  // What was checkpointed last, from the database at open; empty: none.
  virtual std::string checkpointed(std::string_view key) const = 0;

  // --- uplinks' side
  // ------------------------------------------------------------------------------- At most one
  // take per uplink is under way (asserted).
  virtual void take(UplinkIndex uplink, TakeRequest request,
                    std::function<void(Result<Batch>)> done) = 0;
  virtual void settle(UplinkIndex uplink, std::vector<Settled> settled) = 0;
  // Everything in flight of this uplink counts as returned (it ends, or another takes its place); a
  // take that is under way too: its `done` is not called, and the next may come at once.
  virtual void return_all(UplinkIndex uplink) = 0;
  // Called (on the loop) whenever something this uplink may take has appeared. One per uplink.
  virtual void on_available(UplinkIndex uplink, std::function<void()> callback) = 0;
  // Events committed and not yet delivered to this uplink (those in flight included).
  virtual std::int64_t waiting(UplinkIndex uplink) const = 0;

  // --- set aside
  // -----------------------------------------------------------------------------------
  // By number, those from `from` on.
  virtual void list_set_aside(std::int64_t from, std::size_t max,
                              std::function<void(Result<std::vector<SetAside>>)> done) = 0;
  virtual void requeue(std::int64_t number, std::function<void(Result<void>)> done) = 0;

  // Durable when `done` is called.
  virtual void resend(ResendRequest request, std::function<void(Result<ResendReport>)> done) = 0;

  // The next part of what is kept; a new ExportPlace begins.
  virtual void read_on(ExportFilter filter, ExportPlace place,
                       std::function<void(Result<ExportPart>)> done) = 0;

  // --- life
  // ----------------------------------------------------------------------------------------
  // Commits all that is pending, writes delivery state; `done` when durable.
  virtual void flush(std::function<void()> done) = 0;
  // From now on these policies, limits and uplinks hold; directory, node and machine stay as they
  // were. Drafts are taken meanwhile. Where the uplinks or the ceiling differ, the store is opened
  // anew on the executor: then no uplink may use its index from before this call until `done`.
  virtual void reconfigure(OutboxOptions options, std::function<void(Result<void>)> done) = 0;
  // events, waiting, oldest_unsent_s, disk_bytes, ceiling_bytes, epoch, lost_before_commit,
  // gaps_total, merged_events, merged_into, commits, written_bytes, written_bytes_day,
  // device_bytes_day (all that was written to the device below, by anybody), write_stretch,
  // window_ms (in force), durable ("yes", "tmpfs", "overlay"); one child per uplink.
  virtual Status status() const = 0;
  virtual const std::string& epoch() const = 0;
};

struct OutboxParts {
  hal::Loop& loop;
  hal::Executor& executor;
  hal::Clock& clock;
  hal::Random& random;
  hal::Disk& disk;
  drivers::AlarmSink& alarms;
};

// Opens or makes the outbox (blocking; before the loop runs). A damaged database is set aside
// whole: the node goes on with a new epoch, a gap record and an alarm. Error only if the directory
// cannot be used at all or another process holds it.
Result<std::unique_ptr<Outbox>> open_outbox(const OutboxOptions& options, const OutboxParts& parts);

}  // namespace berm::outbox
