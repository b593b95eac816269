// SPDX-License-Identifier: Apache-2.0
// Store: committing, taking, settling.
#include "firmware/outbox/store.hpp"

#include <algorithm>

#include "firmware/outbox/anchors.hpp"
#include "firmware/outbox/commit.hpp"
#include "firmware/outbox/export.hpp"
#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/manifest.hpp"
#include "firmware/outbox/offers.hpp"
#include "firmware/outbox/opening.hpp"
#include "firmware/outbox/resend.hpp"
#include "firmware/outbox/retention.hpp"
#include "firmware/outbox/sql.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {

// Database and books change together or not at all.
Result<void> Store::transact(const std::function<Result<void>()>& body) {
  Books before = books_;
  const auto attempt = [&]() -> Result<void> {
    BERM_TRY(Transaction transaction, Transaction::begin(*database_));
    BERM_CHECK(body());
    // A stream's name is durable before its first event, so that damage can be told.
    if (is_established_ && books_.series.size() != before.series.size()) {
      BERM_CHECK(keep_sidecar());
    }
    return transaction.commit();
  };
  auto result = attempt();
  if (!result) {
    books_ = std::move(before);
    forget_readers();
    return result;
  }
  ++commits_;
  return {};
}

void Store::forget_readers() {
  for (Reader& reader : readers_) reader.forget();
}

Result<void> Store::write_commit(std::span<const event::Draft> drafts,
                                 const std::map<std::string, std::string>& checkpoints) {
  Commit commit(core());
  BERM_CHECK(commit.write(drafts));
  BERM_CHECK(commit.write_checkpoints(checkpoints));
  if (summed_at_) BERM_CHECK(Manifests(core()).write());
  return commit.write_delivery_state();
}

Result<void> Store::commit(std::span<const event::Draft> drafts,
                           const std::map<std::string, std::string>& checkpoints) {
  BERM_CHECK(settle_clock());
  BERM_CHECK(grow_again());
  BERM_CHECK(relieve(pages_of(drafts) + 16));
  auto result = transact([&] { return write_commit(drafts, checkpoints); });
  if (!result && result.error().code == ErrorCode::full) {
    result = commit_when_full(drafts, checkpoints, std::move(result.error()));
  }
  if (result && summed_at_) manifests_written();
  return result;
}

// Within a stream drafts are numbered in their order, and nothing of it was written after them.
std::vector<std::int64_t> Store::sequences_of(std::span<const event::Draft> drafts) const {
  std::map<const event::StreamSchema*, std::int64_t> next;
  std::vector<std::int64_t> sequences(drafts.size());
  for (std::size_t i = drafts.size(); i-- > 0;) {
    const event::StreamSchema* const schema = drafts[i].schema;
    if (!next.contains(schema)) {
      const auto index = books_.find(books_.epoch, schema->name);
      BERM_ASSERT(index.has_value());
      next[schema] = books_.series[*index].next_seq;
    }
    sequences[i] = --next[schema];
  }
  return sequences;
}

Result<void> Store::save() {
  if (books_.unsaved_settled == 0) return {};
  return transact([this] { return Commit(core()).write_delivery_state(); });
}

// Gives waiting events their time where that is possible now, and corrects what was estimated.
Result<void> Store::settle_clock() {
  Anchors anchors(core());
  BERM_TRY(const bool can_settle, anchors.can_settle());
  if (!can_settle && !anchors.must_correct()) return {};
  auto result = transact([&]() -> Result<void> {
    if (can_settle) BERM_CHECK(anchors.settle_waiting());
    if (anchors.must_correct()) BERM_CHECK(anchors.correct());
    return {};
  });
  forget_readers();
  // On a full disk those events wait on; everything else goes its way.
  if (!result && result.error().code == ErrorCode::damaged) return result;
  return {};
}

Result<Batch> Store::take(UplinkIndex uplink, const TakeRequest& request) {
  BERM_CHECK(settle_clock());
  auto taken = readers_[uplink].take(request);
  if (!taken && readers_[uplink].broken()) {
    BERM_CHECK(drop_broken(*readers_[uplink].broken()));
    taken = readers_[uplink].take(request);
  }
  if (!taken) return fail(std::move(taken.error()));
  Batch batch = std::move(*taken);
  auto marked = mark_offered(batch, request.max_events);
  if (!marked) {
    return_all(uplink);
    return fail(std::move(marked.error()));
  }
  return batch;
}

// One body that cannot be read back costs its own events, with a gap record, not the whole
// database.
Result<void> Store::drop_broken(const Reader::Broken& broken) {
  const Reader::Broken lost = broken;
  BERM_CHECK(transact([&] { return Retention(core()).drop_broken(lost.series, lost.row); }));
  forget_readers();
  damage_ = std::to_string(lost.row.count) + " events of " +
            std::string(books_.series[lost.series].schema->name) + " could not be read back";
  return {};
}

// What may have been offered is never merged: that must be known before the offer. The mark runs
// ahead so that one write serves many takes. A disk that takes no writes stops no delivery: it is
// known in memory, and a merge that comes later writes it down with itself.
Result<void> Store::mark_offered(const Batch& batch, std::size_t batch_events) {
  std::map<SeriesIndex, RangeSet> offered;
  std::optional<SeriesIndex> index;
  for (const event::Event& event : batch.events) {
    const bool is_same = index && books_.series[*index].schema == event.schema &&
                         books_.epochs[books_.series[*index].epoch].epoch == event.epoch;
    if (!is_same) index = books_.find(event.epoch, event.schema->name);
    offered[*index].add(Range{event.seq, event.seq});
  }
  std::erase_if(offered, [this](const auto& one) {
    return has_offers(books_.series[one.first], one.second);
  });
  if (offered.empty()) return {};
  const std::int64_t ahead =
      std::max(kMinOfferReserve, static_cast<std::int64_t>(batch_events) * kOfferReserveBatches);
  const auto mark = [&] {
    for (const auto& [which, ranges] : offered) add_offers(books_.series[which], ranges, ahead);
  };
  auto result = transact([&]() -> Result<void> {
    mark();
    for (const auto& [which, ranges] : offered) {
      BERM_CHECK(save_offers(*tables_, books_.series[which]));
    }
    return {};
  });
  if (!result && result.error().code == ErrorCode::damaged) return result;
  if (!result) mark();
  return {};
}

Result<void> Store::settle(UplinkIndex uplink, const std::vector<Settled>& settled) {
  std::vector<Refusal> refusals;
  std::optional<SeriesIndex> index;
  for (std::size_t i = 0; i < settled.size(); ++i) {
    const EventRef& event = settled[i].event;
    const bool is_same = i > 0 && index && settled[i - 1].event.stream == event.stream &&
                         settled[i - 1].event.epoch == event.epoch;
    if (!is_same) index = books_.find(event.epoch, event.stream);
    if (!index) continue;
    Track& track = books_.tracks[uplink][*index];
    if (!track.in_flight.contains(event.seq)) continue;
    if (settled[i].how == Settlement::refused) {
      refusals.push_back(Refusal{*index, event.seq, settled[i].reason});
      continue;
    }
    const Range one{event.seq, event.seq};
    track.in_flight.subtract(one);
    if (settled[i].how == Settlement::returned) continue;
    track.undelivered.subtract(one);
    track.resend.subtract(one);
    track.is_dirty = true;
    ++books_.unsaved_settled;
  }
  if (refusals.empty()) return {};
  return refuse(uplink, refusals);
}

Result<void> Store::refuse(UplinkIndex uplink, const std::vector<Refusal>& refusals) {
  auto result = transact([&] { return Shelf(core()).put(uplink, readers_[uplink], refusals); });
  if (result) return {};
  if (readers_[uplink].broken()) result = drop_broken(*readers_[uplink].broken());
  for (const Refusal& refusal : refusals) {
    books_.tracks[uplink][refusal.series].in_flight.subtract(Range{refusal.seq, refusal.seq});
  }
  return result;
}

void Store::return_all(UplinkIndex uplink) {
  for (Track& track : books_.tracks[uplink]) track.in_flight = RangeSet();
}

Result<std::vector<SetAside>> Store::list_set_aside(std::int64_t from, std::size_t max) {
  return Shelf(core()).list(from, max);
}

Result<ResendReport> Store::resend(const ResendRequest& request) {
  ResendReport report;
  const auto queue = [&]() -> Result<void> {
    BERM_TRY(report, Resend(core()).queue(request));
    return {};
  };
  BERM_CHECK(transact(queue));
  return report;
}

Result<ExportPart> Store::read_on(const ExportFilter& filter, const ExportPlace& place) {
  return export_part(core(), filter, place);
}

Result<void> Store::put_back(std::int64_t number) {
  auto result = transact([&] { return Shelf(core()).put_back(number); });
  forget_readers();
  return result;
}

Counters Store::counters() {
  Counters counters;
  for (UplinkIndex uplink = 0; uplink < readers_.size(); ++uplink) {
    const auto oldest = readers_[uplink].oldest_made_s();
    counters.uplinks.push_back(
        {books_.waiting(uplink), oldest ? *oldest : std::optional<std::int64_t>()});
  }
  counters.epoch = books_.epochs[books_.epoch].epoch;
  counters.events = books_.events();
  counters.gaps = books_.gaps();
  counters.commits = commits_;
  counters.written_bytes = database_->written_bytes() + other_written_bytes_;
  counters.unsaved_settled = books_.unsaved_settled;
  counters.waits_for_clock = books_.has_unsettled || books_.has_estimate;
  counters.is_pressed = is_pressed_;
  counters.is_summing = is_summing_;
  counters.merged_originals = merged_originals_;
  counters.merged_events = merged_events_;
  counters.device_bytes = device_bytes_;
  if (salvage_) counters.salvage = salvage_->progress();
  counters.salvage.events += salvaged_;
  const auto pages = database_->integer("PRAGMA page_count");
  counters.disk_bytes = (pages ? *pages * database_->page_bytes() : 0) + database_->wal_bytes() +
                        (has_ballast_ ? ballast_bytes(options_) : 0);
  return counters;
}

}  // namespace berm::outbox
