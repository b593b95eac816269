// SPDX-License-Identifier: Apache-2.0
// FakeOutbox: the uplinks' side of an outbox, in memory, for tests of uplinks. It holds the rules
// of the real one and asserts what the real one asserts: one take at a time per uplink, only events
// in flight are settled. `take` answers by a post on the loop (or after `take_latency`), as the
// real one does. The drivers' side (append, checkpoint) and set-aside lists are not part of it:
// calling them aborts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "firmware/outbox/outbox.hpp"

namespace berm::outbox {

class FakeOutbox final : public Outbox {
 public:
  enum class State { waiting, in_flight, delivered, refused };

  explicit FakeOutbox(hal::Loop& loop, std::size_t uplinks = 1);

  // --- the test's side ---
  // A lane minute of `stream`, its line padded to at least `line_bytes`; returns its seq.
  std::int64_t add(std::string_view stream = "traffic.lane", std::size_t line_bytes = 0,
                   std::optional<std::int64_t> made_ms = std::nullopt);
  void add_many(std::size_t count, std::string_view stream = "traffic.lane");
  bool exists(std::string_view stream, std::int64_t seq) const;
  State state_of(std::string_view stream, std::int64_t seq, UplinkIndex uplink = 0) const;
  std::size_t count(State state, UplinkIndex uplink = 0) const;
  std::string line_of(std::string_view stream, std::int64_t seq) const;
  std::size_t in_flight_peak() const { return in_flight_peak_; }
  std::size_t takes() const { return takes_; }
  const std::vector<Settled>& refusals() const { return refusals_; }
  void fail_takes(std::size_t count) { takes_to_fail_ = count; }
  void set_take_latency(Microseconds latency) { take_latency_ = latency; }

  // --- Outbox ---
  bool append(event::Draft draft, std::function<void()> on_durable) override;
  void on_committed(OnCommitted) override {}
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
  void read_on(ExportFilter, ExportPlace, std::function<void(Result<ExportPart>)> done) override;
  void reconfigure(OutboxOptions options, std::function<void(Result<void>)> done) override {
    static_cast<void>(options);
    done({});
  }
  void flush(std::function<void()> done) override;
  Status status() const override { return Status("outbox"); }
  const std::string& epoch() const override { return epoch_; }

 private:
  struct Row {
    event::Event event;
    std::vector<State> states;  // per uplink
  };
  struct PerUplink {
    bool is_taking = false;
    std::size_t first_open = 0;  // every row before is delivered or refused
    std::int64_t open = 0;
    std::function<void()> on_available;
  };
  Row& row_of(const EventRef& ref);
  Batch read(UplinkIndex uplink, const TakeRequest& request);
  void change(UplinkIndex uplink, Row& row, State state);

  hal::Loop& loop_;
  std::string epoch_ = "k3v9x2m8q1";
  std::deque<Row> rows_;                                                    // in order of commit
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_stream_;  // [seq - 1] → row
  std::vector<PerUplink> uplinks_;
  std::vector<Settled> refusals_;
  std::size_t in_flight_ = 0;
  std::size_t in_flight_peak_ = 0;
  std::size_t takes_ = 0;
  std::size_t takes_to_fail_ = 0;
  Microseconds take_latency_{0};
};

}  // namespace berm::outbox
