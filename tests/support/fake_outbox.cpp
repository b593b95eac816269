// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_outbox.hpp"

#include <algorithm>
#include <utility>

#include "hal/base/assert.hpp"

namespace berm::outbox {

FakeOutbox::FakeOutbox(hal::Loop& loop, std::size_t uplinks) : loop_(loop), uplinks_(uplinks) {}

std::int64_t FakeOutbox::add(std::string_view stream, std::size_t line_bytes,
                             std::optional<std::int64_t> made_ms) {
  Row row;
  row.event.schema = event::find_schema(stream);
  BERM_ASSERT(row.event.schema != nullptr);
  std::vector<std::size_t>& rows = by_stream_[std::string(stream)];
  row.event.epoch = epoch_;
  row.event.seq = static_cast<std::int64_t>(rows.size()) + 1;
  row.event.line = "{\"id\":\"" +
                   event::event_id(*row.event.schema, {"n1", epoch_, row.event.seq}) +
                   "\",\"text\":\"";
  if (row.event.line.size() + 2 < line_bytes) row.event.line.resize(line_bytes - 2, 'x');
  row.event.line += "\"}";
  row.event.made_ms = made_ms;
  row.states.assign(uplinks_.size(), State::waiting);
  rows.push_back(rows_.size());
  rows_.push_back(std::move(row));
  for (PerUplink& uplink : uplinks_) {
    ++uplink.open;
    if (uplink.on_available) uplink.on_available();
  }
  return rows_.back().event.seq;
}

void FakeOutbox::add_many(std::size_t count, std::string_view stream) {
  for (std::size_t i = 0; i < count; ++i) add(stream);
}

bool FakeOutbox::exists(std::string_view stream, std::int64_t seq) const {
  const auto rows = by_stream_.find(stream);
  return rows != by_stream_.end() && seq >= 1 &&
         static_cast<std::size_t>(seq) <= rows->second.size();
}

FakeOutbox::State FakeOutbox::state_of(std::string_view stream, std::int64_t seq,
                                       UplinkIndex uplink) const {
  const auto rows = by_stream_.find(stream);
  BERM_ASSERT(rows != by_stream_.end());
  return rows_[rows->second[static_cast<std::size_t>(seq - 1)]].states[uplink];
}

std::string FakeOutbox::line_of(std::string_view stream, std::int64_t seq) const {
  return rows_[by_stream_.find(stream)->second[static_cast<std::size_t>(seq - 1)]].event.line;
}

std::size_t FakeOutbox::count(State state, UplinkIndex uplink) const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [&](const Row& row) { return row.states[uplink] == state; }));
}

FakeOutbox::Row& FakeOutbox::row_of(const EventRef& ref) {
  BERM_ASSERT(ref.epoch == epoch_);
  const auto rows = by_stream_.find(ref.stream);
  BERM_ASSERT(rows != by_stream_.end());
  return rows_[rows->second[static_cast<std::size_t>(ref.seq - 1)]];
}

void FakeOutbox::change(UplinkIndex uplink, Row& row, State state) {
  if (row.states[uplink] == State::in_flight) --in_flight_;
  if (state == State::in_flight) in_flight_peak_ = std::max(in_flight_peak_, ++in_flight_);
  if (state == State::delivered || state == State::refused) --uplinks_[uplink].open;
  row.states[uplink] = state;
}

void FakeOutbox::take(UplinkIndex uplink, TakeRequest request,
                      std::function<void(Result<Batch>)> done) {
  BERM_ASSERT(!uplinks_[uplink].is_taking);
  BERM_ASSERT(request.max_events > 0);
  uplinks_[uplink].is_taking = true;
  ++takes_;
  loop_.after(take_latency_, [this, uplink, request, done = std::move(done)] {
    uplinks_[uplink].is_taking = false;
    if (takes_to_fail_ > 0) {
      --takes_to_fail_;
      done(fail(ErrorCode::io, "reading the database: input/output error"));
      return;
    }
    done(read(uplink, request));
  });
}

Batch FakeOutbox::read(UplinkIndex uplink, const TakeRequest& request) {
  Batch batch;
  PerUplink& state = uplinks_[uplink];
  const auto is_closed = [&](const Row& row) {
    return row.states[uplink] == State::delivered || row.states[uplink] == State::refused;
  };
  while (state.first_open < rows_.size() && is_closed(rows_[state.first_open])) ++state.first_open;
  std::size_t bytes = 0;
  for (std::size_t i = state.first_open; i < rows_.size(); ++i) {
    Row& row = rows_[i];
    if (row.states[uplink] != State::waiting) continue;
    const bool is_first = batch.events.empty();
    bytes += row.event.line.size();
    const bool fits =
        is_first || (batch.events.size() < request.max_events && bytes <= request.max_bytes);
    const bool is_other =
        !is_first && request.one_stream && batch.events.front().schema != row.event.schema;
    if (!fits || is_other) {
      batch.more = true;
      break;
    }
    change(uplink, row, State::in_flight);
    batch.events.push_back(row.event);
  }
  return batch;
}

void FakeOutbox::settle(UplinkIndex uplink, std::vector<Settled> settled) {
  for (Settled& one : settled) {
    Row& row = row_of(one.event);
    BERM_ASSERT(row.states[uplink] == State::in_flight);
    switch (one.how) {
      case Settlement::delivered:
        change(uplink, row, State::delivered);
        break;
      case Settlement::returned:
        change(uplink, row, State::waiting);
        break;
      case Settlement::refused:
        change(uplink, row, State::refused);
        refusals_.push_back(std::move(one));
        break;
    }
  }
}

void FakeOutbox::return_all(UplinkIndex uplink) {
  for (Row& row : rows_) {
    if (row.states[uplink] == State::in_flight) change(uplink, row, State::waiting);
  }
}

void FakeOutbox::on_available(UplinkIndex uplink, std::function<void()> callback) {
  uplinks_[uplink].on_available = std::move(callback);
}

std::int64_t FakeOutbox::waiting(UplinkIndex uplink) const {
  return uplinks_[uplink].open;
}

bool FakeOutbox::append(event::Draft, std::function<void()>) {
  BERM_ASSERT(!"not part of the fake");
  return false;
}
void FakeOutbox::checkpoint(std::string_view, std::string) {
  BERM_ASSERT(!"not part of the fake");
}
std::string FakeOutbox::checkpointed(std::string_view) const {
  return {};
}
void FakeOutbox::list_set_aside(std::int64_t, std::size_t,
                                std::function<void(Result<std::vector<SetAside>>)>) {
  BERM_ASSERT(!"not part of the fake");
}
void FakeOutbox::resend(ResendRequest, std::function<void(Result<ResendReport>)>) {
  BERM_ASSERT(!"not part of the fake");
}

void FakeOutbox::requeue(std::int64_t, std::function<void(Result<void>)>) {
  BERM_ASSERT(!"not part of the fake");
}
void FakeOutbox::read_on(ExportFilter, ExportPlace, std::function<void(Result<ExportPart>)>) {
  BERM_ASSERT(!"not part of the fake");
}
void FakeOutbox::flush(std::function<void()> done) {
  loop_.post(std::move(done));
}

}  // namespace berm::outbox
