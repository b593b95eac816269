// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/exports.hpp"

#include <utility>

#include "hal/base/text.hpp"

namespace berm::agent {

Result<outbox::ExportFilter> export_filter(std::string_view stream, std::string_view since) {
  outbox::ExportFilter filter{.stream = std::string(stream), .since_s = std::nullopt};
  if (since.empty()) return filter;
  filter.since_s = parse_integer(since);
  if (filter.since_s) return filter;
  const auto instant = parse_iso8601_us(since);
  if (!instant) {
    return fail(
        ErrorCode::invalid,
        "'" + std::string(since) + "' is no time: 2026-11-21T04:48:00Z, or seconds since 1970");
  }
  filter.since_s = *instant / 1'000'000;
  return filter;
}

std::string export_remarks(std::int64_t unsettled, std::int64_t unreadable) {
  std::string text;
  if (unsettled > 0) {
    text += std::to_string(unsettled) +
            " events are left out: the clock was not known when they were made, and they have no "
            "final line yet\n";
  }
  if (unreadable > 0) text += std::to_string(unreadable) + " stretches could not be read\n";
  return text;
}

void Exports::add(const CommandRequest& request, std::shared_ptr<CommandReply> reply) {
  const auto word = [&](std::size_t index) {
    return index < request.words.size() ? std::string_view(request.words[index]) : "";
  };
  auto filter = export_filter(word(0), word(1));
  if (!filter || request.words.size() > 2) {
    const std::string why = filter ? "" : filter.error().text + "\n";
    return reply->end({2, why + "usage: export [STREAM] [SINCE]\n"});
  }
  if (sessions_.size() >= kMaxExports) {
    return reply->end({1, "as many as may do so export already\n"});
  }
  reply->more("");  // the client knows by it that the answer goes on
  sessions_.emplace_back(loop_, std::move(*filter), std::move(reply));
  go_on(std::prev(sessions_.end()));
}

void Exports::go_on(Place session) {
  if (!session->reply->is_open()) {
    sessions_.erase(session);
    return;
  }
  if (session->reply->unsent_bytes() > kMaxExportUnsentBytes) {
    session->pause.after(kExportPause, [this, session] { go_on(session); });
    return;
  }
  outbox_.read_on(
      session->filter, session->place,
      [this, session, life = std::weak_ptr<bool>(life_)](const Result<outbox::ExportPart>& part) {
        if (!life.expired()) take(session, part);
      });
}

void Exports::take(Place session, const Result<outbox::ExportPart>& part) {
  if (!part) {
    session->reply->end({1, part.error().text + "\n"});
    sessions_.erase(session);
    return;
  }
  session->reply->more(part->lines);
  session->place = part->next;
  if (!part->is_last) {
    // By the loop, so that a chain of answers that come at once does not nest.
    session->pause.after(Milliseconds{0}, [this, session] { go_on(session); });
    return;
  }
  const outbox::ExportPlace& end = part->next;
  // What is said here must not be taken for an event: an answer that failed goes elsewhere.
  const std::string remarks = export_remarks(end.unsettled, end.unreadable);
  session->reply->end({remarks.empty() ? 0 : 1, remarks});
  sessions_.erase(session);
}

}  // namespace berm::agent
