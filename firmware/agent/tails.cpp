// SPDX-License-Identifier: Apache-2.0
#include "firmware/agent/tails.hpp"

#include <algorithm>

#include "hal/base/text.hpp"

namespace berm::agent {
namespace {

// Why nothing would be shown; empty: something may.
std::string fault_of(const std::string& pattern) {
  bool is_ledger_only = false;
  for (const event::StreamSchema& schema : event::stream_schemas()) {
    if (!matches_glob(schema.name, pattern)) continue;
    if (!schema.is_ledger) return "";
    is_ledger_only = true;
  }
  if (is_ledger_only) return pattern + " is written by the outbox itself; tail does not show it";
  const auto names = event::stream_names();
  const std::string_view near = nearest(pattern, names);
  std::string fault = "there is no stream '" + pattern + "'";
  if (!near.empty()) fault += ", did you mean '" + std::string(near) + "'?";
  return fault;
}

}  // namespace

void Tails::forget_gone() {
  std::erase_if(tails_, [](const Tail& tail) { return !tail.reply->is_open(); });
}

void Tails::add(const CommandRequest& request, std::shared_ptr<CommandReply> reply) {
  if (request.words.size() != 1) return reply->end({2, "usage: tail STREAM\n"});
  const std::string& pattern = request.words[0];
  if (const std::string fault = fault_of(pattern); !fault.empty()) {
    return reply->end({2, fault + "\n"});
  }
  forget_gone();
  if (tails_.size() >= kMaxTails) {
    return reply->end({1, "as many as may do so watch streams already\n"});
  }
  // The client knows by it that the answer goes on, however quiet the stream is.
  reply->more("");
  tails_.push_back({pattern, std::move(reply), 0});
}

std::string Tails::line_of(const event::Draft& draft, std::string_view epoch,
                           std::int64_t seq) const {
  event::SettledTime when{clock_.wall().time, draft.clock};
  when.time = draft.wall ? *draft.wall : when.time - (clock_.mono() - draft.mono);
  std::string line;
  event::compose_line(*draft.schema, {node_, epoch, seq}, when, draft.source, draft.tail, line);
  return line + "\n";
}

void Tails::take(const event::Draft& draft, std::string_view epoch, std::int64_t seq) {
  std::string line;
  for (Tail& tail : tails_) {
    if (!tail.reply->is_open() || !matches_glob(draft.schema->name, tail.pattern)) continue;
    if (line.empty()) line = line_of(draft, epoch, seq);
    show(tail, line);
  }
}

void Tails::show(Tail& tail, std::string_view line) {
  if (tail.reply->unsent_bytes() > kMaxTailUnsentBytes) {
    ++tail.missed;
    return;
  }
  if (tail.missed > 0) {
    tail.reply->more("{\"not_shown\":" + std::to_string(tail.missed) + "}\n");
    tail.missed = 0;
  }
  tail.reply->more(line);
}

}  // namespace berm::agent
