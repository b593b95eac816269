// SPDX-License-Identifier: Apache-2.0
// ScriptedTransport: a Transport whose other side is a function of the test. It checks the
// forwarder's side of the bargain (window, limits, never while not ready) and keeps every request.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firmware/uplink/uplink.hpp"
#include "hal/base/assert.hpp"

namespace berm::uplink {

using EventName = std::pair<std::string, std::int64_t>;  // stream, seq
using Request = std::vector<EventName>;

// The other side, which lives longer than one transport.
struct ScriptedServer {
  // What it says of a request; the default takes everything.
  std::function<Answer(const Request&)> answer = [](const Request&) {
    return Answer{Verdict::delivered, "ok"};
  };
  std::function<std::string(const event::Event&)> fault = [](const event::Event&) {
    return std::string();
  };
  // True: closes the connection instead of answering, because of what it was sent.
  std::function<bool(const Request&)> hangs_up = [](const Request&) { return false; };
  Microseconds latency{10'000};
  bool needs_connection = false;  // as MQTT: open() leads to on_ready or on_lost
  bool accepts_connection = true;
  Loss refusal{"connection refused"};
  Transport::Limits limits{.max_in_flight = 1, .max_events = 1000};

  std::vector<Request> requests;
  std::vector<MonoTime> times;             // of requests
  std::vector<std::string> queues;         // of each request's first event
  std::map<EventName, std::string> lines;  // first bytes seen of each event
  bool is_any_repeat_different = false;
  std::size_t under_way_peak = 0;
  int opens = 0;
  int closes = 0;
};

class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(hal::Loop& loop, ScriptedServer& server) : loop_(loop), server_(server) {}
  ~ScriptedTransport() override { *life_ = false; }

  Limits limits() const override { return server_.limits; }
  std::string fault_of(const event::Event& event) const override { return server_.fault(event); }
  bool is_ready() const override { return is_ready_; }
  void open(Events events) override {
    ++server_.opens;
    events_ = std::move(events);
    if (!server_.needs_connection) {
      is_ready_ = true;
      return;
    }
    later([this] {
      is_ready_ = server_.accepts_connection;
      is_ready_ ? events_.on_ready() : lose(server_.refusal);
    });
  }
  void send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) override {
    BERM_ASSERT(is_ready_ && under_way_ < server_.limits.max_in_flight && !batch.empty());
    BERM_ASSERT(batch.size() <= server_.limits.max_events);
    ++under_way_;
    server_.under_way_peak = std::max(server_.under_way_peak, under_way_);
    const Request request = note(batch);
    later([this, request, done = std::move(done)] {
      if (server_.hangs_up(request)) {
        lose(Loss{.reason = "packet too large", .too_large = true});
        return;
      }
      --under_way_;
      done(server_.answer(request));
    });
  }
  // Whatever is under way is never answered.
  void lose(const Loss& loss) {
    is_ready_ = false;
    under_way_ = 0;
    ++generation_;
    events_.on_lost(loss);
  }
  void close() override {
    is_ready_ = false;
    under_way_ = 0;
    ++generation_;
    ++server_.closes;
  }
  Status status() const override { return Status("transport"); }
  void probe(std::function<void(Answer)> done) override {
    later([done] { done({}); });
  }

 private:
  Request note(const std::vector<Outgoing>& batch) {
    Request request;
    std::size_t bytes = 0;
    for (const Outgoing& outgoing : batch) {
      const event::Event& event = *outgoing.event;
      request.emplace_back(event.schema->name, event.seq);
      const auto [seen, is_new] = server_.lines.try_emplace(request.back(), event.line);
      if (!is_new && seen->second != event.line) server_.is_any_repeat_different = true;
      BERM_ASSERT(!server_.limits.one_stream || event.schema == batch.front().event->schema);
      bytes += event.line.size() + 1;
    }
    BERM_ASSERT(batch.size() == 1 || bytes <= server_.limits.max_bytes);
    server_.requests.push_back(request);
    server_.times.push_back(loop_.now());
    server_.queues.emplace_back(batch.front().queue);
    return request;
  }
  void later(const std::function<void()>& what) {
    loop_.after(server_.latency, [life = life_, generation = generation_, this, what] {
      if (*life && generation == generation_) what();
    });
  }

  hal::Loop& loop_;
  ScriptedServer& server_;
  Events events_;
  bool is_ready_ = false;
  std::size_t under_way_ = 0;
  std::uint64_t generation_ = 0;
  std::shared_ptr<bool> life_ = std::make_shared<bool>(true);
};

}  // namespace berm::uplink
