// SPDX-License-Identifier: Apache-2.0
// Random lives against a hostile server: phases of every kind of fault, broken events that it
// always refuses, answers lost after it took the batch, connections that drop. Whatever came, after
// it has healed: every sound event is delivered and was really taken, every repeat had the same
// bytes, only broken events were set aside, and the forwarder never asked more often than its
// backoff allows. A failing seed is printed; run it alone with BERM_SEED.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "firmware/uplink/limits.hpp"
#include "tests/unit/firmware/uplink/forwarder_bench.hpp"

namespace berm::uplink {
namespace {

using State = outbox::FakeOutbox::State;

constexpr int kPhases = 12;
constexpr std::uint64_t kSeeds = 100;

enum class Mood {
  sound,
  gone,          // nothing but failures
  busy,          // a full channel
  rejects_all,   // a proxy that answers 400 to everything
  error_500,     // … or 500
  takes_little,  // a batch limit
  at_once_503,   // 503 at once to everything: looks like a batch limit
  answer_lost,   // takes the batch, the answer never comes
  unsteady,      // fails every third request
  count
};

class HostileServer {
 public:
  HostileServer(ForwarderBench& bench, std::uint64_t seed)
      : bench_(bench), random_(seed * 7919 + 1) {
    ScriptedServer& server = bench.server;
    server.answer = [this](const Request& request) { return answer(request); };
    server.needs_connection = random_.below(2) == 1;
    if (server.needs_connection) {
      server.limits.max_in_flight = 1 + random_.below(20);
      server.limits.one_stream = random_.below(2) == 1;
      server.limits.max_events = random_.below(4) == 0 ? 1 : 200;
    }
    server.latency = Microseconds(static_cast<std::int64_t>(1 + random_.below(200'000)));
    capacity_ = 1 + random_.below(100);
  }

  void add_events() {
    const std::size_t count = random_.below(400);
    for (std::size_t i = 0; i < count; ++i) {
      const char* const stream = random_.below(10) == 0 ? "node.alarm" : kLane;
      const std::int64_t seq = bench_.outbox.add(stream);
      if (random_.below(100) == 0) broken_.insert({stream, seq});
    }
  }
  void change_mood() {
    mood_ = static_cast<Mood>(random_.below(static_cast<std::uint64_t>(Mood::count)));
    bench_.server.accepts_connection = mood_ != Mood::gone;
    if (bench_.transport->is_ready() && random_.below(2) == 0) {
      bench_.transport->lose(Loss{"connection reset"});
    }
  }
  void heal() {
    mood_ = Mood::sound;
    bench_.server.accepts_connection = true;
  }
  bool is_broken(const EventName& event) const { return broken_.contains(event); }
  bool has_taken(const EventName& event) const { return taken_.contains(event); }
  std::size_t broken() const { return broken_.size(); }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

 private:
  Answer answer(const Request& request) {
    switch (mood_) {
      case Mood::gone:
        return {Verdict::failed, "HTTP 502"};
      case Mood::busy:
        return {.verdict = Verdict::busy,
                .reason = "HTTP 503",
                .retry_after = random_.below(2) == 0 ? std::optional(Seconds(30)) : std::nullopt};
      case Mood::rejects_all:
        return {.verdict = Verdict::refused, .reason = "HTTP 400", .can_set_aside = true};
      case Mood::error_500:
        return {Verdict::refused, "HTTP 500"};
      case Mood::takes_little:
        if (request.size() > capacity_) return {Verdict::too_large, "HTTP 503"};
        return sound_answer(request);
      case Mood::at_once_503:
        return {request.size() > 1 ? Verdict::too_large : Verdict::busy, "HTTP 503"};
      case Mood::answer_lost:
        take(request);
        return {.verdict = Verdict::failed, .reason = "timeout", .timed_out = true};
      case Mood::unsteady:
        if (++answers_ % 3 == 0) return {Verdict::failed, "HTTP 504"};
        return sound_answer(request);
      case Mood::sound:
      case Mood::count:
        break;
    }
    return sound_answer(request);
  }
  Answer sound_answer(const Request& request) {
    if (!take(request)) {
      return {.verdict = Verdict::refused, .reason = "HTTP 400: broken", .can_set_aside = true};
    }
    return {Verdict::delivered};
  }
  // All or nothing, as Flume does.
  bool take(const Request& request) {
    for (const EventName& event : request) {
      if (broken_.contains(event)) return false;
    }
    taken_.insert(request.begin(), request.end());
    return true;
  }

  ForwarderBench& bench_;
  hal::SimRandom random_;
  Mood mood_ = Mood::sound;
  std::size_t capacity_ = 1;
  std::uint64_t answers_ = 0;
  std::set<EventName> broken_;
  std::set<EventName> taken_;
};

void check_outcome(ForwarderBench& bench, const HostileServer& server, const char* stream) {
  const auto total = bench.outbox.waiting(0) + static_cast<std::int64_t>(bench.delivered()) +
                     static_cast<std::int64_t>(bench.refused());
  for (std::int64_t seq = 1; seq <= total && bench.outbox.exists(stream, seq); ++seq) {
    const State state = bench.outbox.state_of(stream, seq);
    const EventName event{stream, seq};
    if (state == State::delivered) {
      ASSERT_TRUE(server.has_taken(event)) << stream << seq << ": lost";
    } else {
      ASSERT_TRUE(server.is_broken(event)) << stream << seq << ": neither broken nor delivered";
    }
    if (server.is_broken(event)) {
      ASSERT_EQ(state, State::refused) << stream << seq;
    }
  }
}

void live(std::uint64_t seed) {
  ForwarderBench bench(seed);
  HostileServer server(bench, seed);
  bench.options.batch_events = 1 + server.below(300);
  server.add_events();
  bench.start();
  for (int phase = 0; phase < kPhases; ++phase) {
    server.change_mood();
    server.add_events();
    const std::size_t requests = bench.server.requests.size();
    const auto seconds = static_cast<std::int64_t>(1 + server.below(1800));
    bench.run_for(Seconds(seconds));
    // What moves nothing is never asked for without a wait; what moves something ends.
    EXPECT_LT(bench.server.requests.size() - requests, 6000U + static_cast<std::size_t>(seconds));
  }
  server.heal();
  for (int i = 0; i < 30; ++i) {
    bench.outbox.add();  // life goes on: suspects need another event to be accepted
    bench.run_for(Seconds(700));
  }
  EXPECT_EQ(bench.outbox.waiting(0), 0);
  EXPECT_FALSE(bench.server.is_any_repeat_different);
  check_outcome(bench, server, kLane);
  check_outcome(bench, server, "node.alarm");
  for (const char* alarm : {"uplink_down/flume", "uplink_rejecting/flume"}) {
    EXPECT_FALSE(bench.alarms.is_on(alarm)) << alarm;
  }
}

TEST(HostileServer, NothingIsLostNothingWronglySetAsideAndItAlwaysGoesOn) {
  if (const char* const only = std::getenv("BERM_SEED")) {
    live(std::strtoull(only, nullptr, 10));
    return;
  }
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    live(seed);
    ASSERT_FALSE(testing::Test::HasFailure()) << "BERM_SEED=" << seed;
  }
}

}  // namespace
}  // namespace berm::uplink
