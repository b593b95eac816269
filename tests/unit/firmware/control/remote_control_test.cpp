// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_control.hpp"

#include <gtest/gtest.h>

#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/loop.hpp"
#include "hal/sim/random.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

const std::string kState = "/var/lib/berm";
const std::string kFile = R"({"node":"n1","board":"sim","drivers":{},
  "uplinks":{"b":{"uplink":"mqtt","url":"mqtt://h:1"}},
  "remote":{"uplink":"b","unsigned":true,"confirm_s":30,"groups":["g1"]}})";

class NoAlarms final : public drivers::AlarmSink {
 public:
  void begin_alarm(std::string_view, std::string_view, drivers::Severity,
                   std::string_view) override {}
  void end_alarm(std::string_view, std::string_view) override {}
};

// A node that does what it is told, unless told otherwise.
class World final : public ConfigurationTarget, public RemoteLink {
 public:
  World() : clock_(loop, {}), executor_(loop) {
    disk.prepare_directory(kState);
    executor_.set_latency(Milliseconds{5});
    start();
  }
  void start() {
    Boot boot = boot_with(disk, kState, "/etc/b.json", file, example_sources());
    ASSERT_TRUE(boot.parsed.configuration.has_value());
    applied = boot.parsed.effective;
    RemoteOptions options{"n1", *boot.parsed.configuration->remote, kState, "/etc/b.json",
                          example_sources()};
    control = std::make_unique<RemoteControl>(
        options, RemoteParts{loop, executor_, clock_, disk, alarms_, *this, *this},
        std::move(boot));
    control->start();
    control->on_link_up();
  }
  void send(const std::string& payload, const char* place = "n1") {
    control->on_message(std::string("berm/") + place + "/config/set", payload);
    loop.run_for(Seconds{1});
  }
  Json said() const { return *Json::parse(reports.empty() ? "{}" : reports.back()); }
  std::string state() const { return said().find("state")->string(); }
  std::int64_t linger() const {
    return applied.find("uplinks")->find("b")->find("linger_ms")->integer();
  }

  void probe(const ParsedConfiguration&, std::function<void(ProbeReport)> done) override {
    ++probes;
    if (probe_hangs) return;
    loop.after(Milliseconds{10}, [this, done] { done(probed); });
  }
  void apply(const ParsedConfiguration& next, std::function<void(Result<void>)> done) override {
    applied = next.effective;
    ++applies;
    const Result<void> result = fails_to_apply && applies % 2 == 1
                                    ? Result<void>(fail(ErrorCode::io, "no such wire"))
                                    : Result<void>();
    loop.after(Milliseconds{10}, [done, result] { done(result); });
  }
  std::vector<std::string> unconfirmed() override { return missing; }
  void give_up(std::string_view) override { ++given_up; }
  bool is_up() const override { return is_linked; }
  void publish_retained(const std::string&, std::string payload,
                        std::function<void()> acknowledged) override {
    reports.push_back(std::move(payload));
    if (acknowledges) loop.after(Milliseconds{10}, acknowledged);
  }
  void ask_again() override { ++asked_again; }

  hal::SimLoop loop;
  hal::SimDisk disk;
  std::unique_ptr<RemoteControl> control;
  std::vector<std::string> reports, missing;
  ProbeReport probed;
  Json applied;
  bool is_linked = true, acknowledges = true, fails_to_apply = false, probe_hangs = false;
  int probes = 0, applies = 0, given_up = 0, asked_again = 0;
  std::string file = kFile;

 private:
  hal::SimClock clock_;
  hal::SimExecutor executor_;
  NoAlarms alarms_;
};

std::string set(std::int64_t sequence, const std::string& document) {
  return "{\"sequence\":" + std::to_string(sequence) + ",\"document\":" + document + "}";
}
std::string linger(std::int64_t sequence, int ms) {
  return set(sequence, R"({"uplinks":{"b":{"linger_ms":)" + std::to_string(ms) + "}}}");
}

TEST(RemoteControls, TakeADocumentFromReceivedToActive) {
  World world;
  world.send(linger(1, 5));
  EXPECT_EQ(world.state(), "active");
  EXPECT_EQ(world.linger(), 5);
  std::string states;
  for (const std::string& report : world.reports) {
    states += Json::parse(report)->find("state")->string() + " ";
  }
  EXPECT_EQ(states, "active received candidate confirming active ");
}

TEST(RemoteControls, IgnoreOlderAndEqualSequences) {
  World world;
  world.send(linger(5, 5));
  world.send(linger(5, 6));
  world.send(linger(4, 7));
  EXPECT_EQ(world.linger(), 5);
  EXPECT_EQ(world.control->status().integer("ignored"), 1);
  world.send(linger(6, 8));
  EXPECT_EQ(world.linger(), 8);
}

TEST(RemoteControls, ARefusedDocumentHasRaisedTheFloorAndChangedNothing) {
  World world;
  world.send(set(3, R"({"uplinks":{"b":{"lnger_ms":1}}})"));
  EXPECT_EQ(world.state(), "refused");
  EXPECT_NE(world.said().find("reason")->string().find("/uplinks/b/lnger_ms"), std::string::npos);
  EXPECT_NE(world.said().find("reason")->string().find("did you mean"), std::string::npos);
  EXPECT_EQ(world.applies, 0);
  world.send(linger(3, 5));
  EXPECT_EQ(world.applies, 0);
}

TEST(RemoteControls, WhatDoesNotAnswerInTheDryRunIsAWarning) {
  World world;
  world.probed.warnings = {"uplink b: no answer"};
  world.send(linger(1, 5));
  EXPECT_EQ(world.state(), "active");
  EXPECT_EQ(world.said().find("reason")->string(), "uplink b: no answer");
}

TEST(RemoteControls, ADriverThatCannotBeMadeIsAFault) {
  World world;
  world.probed.faults = {"/drivers/x: no such device"};
  world.send(linger(1, 5));
  EXPECT_EQ(world.state(), "refused");
  EXPECT_EQ(world.applies, 0);
}

TEST(RemoteControls, GoBackWhenNobodyAcknowledgesInTime) {
  World world;
  world.acknowledges = false;
  world.send(linger(1, 5));
  EXPECT_EQ(world.state(), "confirming");
  EXPECT_EQ(world.linger(), 5);
  world.loop.run_for(Seconds{28});
  EXPECT_EQ(world.state(), "confirming");
  world.loop.run_for(Seconds{3});
  EXPECT_EQ(world.state(), "rolled_back");
  EXPECT_EQ(world.linger(), 1000);
}

TEST(RemoteControls, GoBackWhenAChangedUplinkDoesNotAnswer) {
  World world;
  world.missing = {"uplink f: HTTP 401"};
  world.send(linger(1, 5));
  world.loop.run_for(Seconds{32});
  EXPECT_EQ(world.state(), "rolled_back");
  EXPECT_NE(world.said().find("reason")->string().find("HTTP 401"), std::string::npos);
}

TEST(RemoteControls, GoBackAtOnceFromWhatCannotBeApplied) {
  World world;
  world.fails_to_apply = true;
  world.send(linger(1, 5));
  EXPECT_EQ(world.state(), "rolled_back");
  EXPECT_EQ(world.linger(), 1000);
}

TEST(RemoteControls, ALayerThatComesMeanwhileWaitsItsTurn) {
  World world;
  world.acknowledges = false;
  world.send(linger(1, 5));
  world.send(linger(1, 7), "group/g1");
  world.send(linger(2, 6));
  world.loop.run_for(Seconds{31});
  world.acknowledges = true;
  world.loop.run_for(Seconds{5});
  world.control->on_link_up();
  world.loop.run_for(Seconds{100});
  EXPECT_EQ(world.control->state().layers.at("node").state, "active");
  EXPECT_EQ(world.linger(), 6);
}

TEST(RemoteControls, WhatIsTheSameNeedsNoTrial) {
  World world;
  world.send(set(1, R"({"uplinks":{"b":{"linger_ms":1000}}})"));
  EXPECT_EQ(world.state(), "active");
  EXPECT_EQ(world.applies, 0);
}

TEST(RemoteControls, ANodeBeginsAtItsPlaceInTheSpread) {
  World world;
  const Rollout rollout{100, "s", 600};
  const auto offset = rollout_offset_s(rollout, "n1");
  ASSERT_GT(offset, 2);
  world.send(R"({"sequence":1,"rollout":{"salt":"s","spread_s":600},
                 "document":{"uplinks":{"b":{"linger_ms":5}}}})");
  EXPECT_EQ(world.state(), "received");
  world.loop.run_for(Seconds{offset - 2});
  EXPECT_EQ(world.applies, 0);
  world.loop.run_for(Seconds{4});
  EXPECT_EQ(world.state(), "active");
}

TEST(RemoteControls, AFloodIsDroppedUnread) {
  World world;
  for (int i = 0; i < 1000; ++i) world.control->on_message("berm/n1/config/set", "rubbish");
  EXPECT_EQ(world.control->status().integer("dropped"), 1000 - kMaxMessagesPerSecond);
}

TEST(RemoteControls, GoBackToTheConfigurationBefore) {
  World world;
  world.send(linger(1, 5));
  world.send(linger(2, 6));
  std::string outcome;
  world.control->roll_back(0, "test", [&](const Result<std::string>& result) {
    outcome = result ? *result : result.error().text;
  });
  world.loop.run_for(Seconds{5});
  EXPECT_EQ(outcome, "active");
  EXPECT_EQ(world.linger(), 5);
  world.send(linger(3, 7));
  EXPECT_EQ(world.linger(), 7);
}

TEST(RemoteControls, WithoutAnEarlierOneGoBackToTheFile) {
  World world;
  world.send(linger(1, 5));
  std::string outcome;
  const auto keep = [&](const Result<std::string>& result) {
    outcome = result ? *result : result.error().text;
  };
  world.control->roll_back(0, "test", keep);
  world.loop.run_for(Seconds{5});
  EXPECT_EQ(outcome, "active");
  EXPECT_EQ(world.linger(), 1000);
  world.send(linger(1, 6));
  EXPECT_EQ(world.linger(), 1000) << "the floor has stayed";
}

TEST(RemoteControls, ADocumentDeeperThanWhatCanBeStoredIsRefused) {
  for (const std::size_t depth : {kMaxRemoteDepth, kMaxRemoteDepth + 1}) {
    World world;
    std::string inner = "1";
    for (std::size_t i = 1; i < depth; ++i) inner = "[" + inner + "]";
    world.send(R"({"sequence":1,"rollout":{"spread_s":600,"salt":"s"},"document":{"x":)" + inner +
               "}}");
    EXPECT_EQ(world.state(), depth > kMaxRemoteDepth ? "refused" : "received");
    world.control.reset();
    const Boot boot = boot_with(world.disk, kState, "/etc/b.json", kFile, example_sources());
    EXPECT_EQ(boot.trouble, "") << depth;
    EXPECT_EQ(boot.state.layers.at("node").floor, 1);
  }
}

TEST(RemoteControls, ADocumentThatWaitsOutlivesAnyNumberOfRestarts) {
  World world;
  const auto offset = rollout_offset_s({100, "s", 600}, "n1");
  ASSERT_GT(offset, 60);
  world.send(R"({"sequence":1,"rollout":{"salt":"s","spread_s":600},
                 "document":{"uplinks":{"b":{"linger_ms":5}}}})");
  for (int life = 0; life < 5; ++life) {
    world.loop.run_for(Seconds{10});
    world.control.reset();
    world.start();
    EXPECT_EQ(world.state(), "received");
  }
  world.loop.run_for(Seconds{offset - 56});
  EXPECT_EQ(world.applies, 0);
  world.loop.run_for(Seconds{10});
  EXPECT_EQ(world.state(), "active") << "what passed before a restart counts";
}

TEST(RemoteControls, ADocumentAtWhichLivesEndIsLeftAfterTheSecond) {
  World world;
  world.probe_hangs = true;
  world.send(linger(1, 5));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(world.probes, life + 1);
    world.control.reset();
    world.start();
    world.loop.run_for(Seconds{1});
  }
  EXPECT_EQ(world.probes, 2);
  EXPECT_EQ(world.state(), "refused");
}

// A document of the new key may come before the one that brings it, and is never sent twice.
TEST(RemoteControls, WhatTheNewKeySignedIsAskedForAgainOnceItIsKnown) {
  World world;
  const PrivateKey one = PrivateKey::generate();
  const PrivateKey two = PrivateKey::generate();
  world.disk.prepare_directory("/etc");
  ASSERT_TRUE(world.disk.write_whole("/etc/op.pub", one.public_pem()));
  const std::string unsigned_words = R"("unsigned":true)";
  world.file.replace(world.file.find(unsigned_words), unsigned_words.size(),
                     R"("public_key_file":"/etc/op.pub")");
  world.control.reset();
  world.start();
  const auto sealed = [](const PrivateKey& key, const std::string& target, std::string body) {
    body.insert(1, R"("target":")" + target + R"(","not_after":4000000000,)");
    return signed_envelope(body, key);
  };
  const std::string early = sealed(two, "group/g1", linger(1, 7));
  world.send(early, "group/g1");
  EXPECT_EQ(world.applies, 0);
  Json rotation;
  rotation.set("sequence", 1);
  rotation.set("public_key", two.public_pem());
  world.send(sealed(one, "node/n1", rotation.to_text()));
  EXPECT_EQ(world.state(), "active");
  EXPECT_EQ(world.asked_again, 1);
  world.send(early, "group/g1");
  EXPECT_EQ(world.linger(), 7);
  world.send(sealed(one, "node/n1", linger(2, 8)));
  EXPECT_EQ(world.linger(), 7) << "the old key has no say any more";
}

// One change of a valid text: of its bytes, its structure, its size or its depth.
std::string mutated(std::string text, hal::SimRandom& random) {
  const std::size_t at = random.below(text.size());
  switch (random.below(10)) {
    case 0:
      text[at] = static_cast<char>(random.below(256));
      return text;
    case 1:
      return text.substr(0, at);
    case 2:
      return text.insert(at, "\xff\xfe");
    case 3:
      return text.insert(at, std::string(1 + random.below(4), '{'));
    case 4:
      return text.insert(1, R"("sequence":3,)");
    case 5:
      return text.insert(text.find("}}}}"), ",\"linger_ms\":" + std::to_string(random.below(9)));
    case 6:
      return text.insert(text.find("}}}}"), ",\"x\":" + std::string(random.below(60), '[') + "1");
    case 7:
      return text.insert(text.find("}}}}"), ",\"y\":\"" + std::string(1u << 19, 'y') + "\"");
    case 8:
      return text.erase(at, 1 + random.below(5));
    default:
      return text.insert(text.find("}}}}"),
                         R"(,"batch_events":)" + std::to_string(random.below(12000)));
  }
}

TEST(RemoteControls, AThousandMutationsAreRefusedWithTheirPlaceOrApplied) {
  constexpr std::uint64_t kSeed = 20261128;
  hal::SimRandom random(kSeed);
  World world;
  int applied = 0;
  int refused = 0;
  for (int i = 1; i <= 1000; ++i) {
    const auto& layers = world.control->state().layers;
    const auto known = layers.find("node");
    const std::int64_t next = known == layers.end() ? 1 : known->second.floor + 1;
    const std::string text = mutated(linger(next, 1 + i % 50), random);
    const Json before = world.applied;
    world.send(text);
    world.loop.run_for(Seconds{2});
    const Json said = world.said();
    const std::string state = said.find("state")->string();
    ASSERT_TRUE(state == "active" || state == "refused") << "seed " << kSeed << " " << i << text;
    if (state == "refused") {
      ++refused;
      ASSERT_EQ(world.applied, before) << "half applied: " << i;
      const std::string reason = said.find("reason")->string();
      const bool has_place = reason.starts_with("/") || reason.starts_with("not JSON") ||
                             reason.starts_with("longer than");
      ASSERT_TRUE(has_place) << reason;
    } else {
      ++applied;
    }
  }
  EXPECT_GT(applied, 50);
  EXPECT_GT(refused, 300);
}

// At every operation of the disk on the way: the node ends on the old document or the new one.
TEST(RemoteControls, APowerCutAtAnyStepLeavesTheOldOrTheNewDocument) {
  int was_new = 0;
  int was_old = 0;
  for (std::uint64_t step = 0; step < 60; ++step) {
    World world;
    world.send(linger(1, 5));
    hal::SimRandom random(step + 1);
    const std::uint64_t begin = world.disk.volume().operations();
    world.disk.volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
      if (number >= begin + step && !world.disk.volume().is_off()) world.disk.power_cut(random);
    });
    world.control->on_message("berm/n1/config/set", linger(2, 6));
    world.loop.run_for(Seconds{3});
    world.disk.volume().observe(nullptr);
    const bool was_told =
        world.state() == "active" && world.said().find("sequence")->integer() == 2;
    if (!world.disk.volume().is_off()) world.disk.power_cut(random);
    world.disk.volume().power_on();
    world.control.reset();
    const Boot boot = boot_with(world.disk, kState, "/etc/b.json", kFile, example_sources());
    ASSERT_TRUE(boot.parsed.configuration.has_value()) << step;
    EXPECT_TRUE(boot.trouble.empty()) << boot.trouble;
    const auto ms = boot.parsed.effective.find("uplinks")->find("b")->find("linger_ms")->integer();
    ASSERT_TRUE(ms == 5 || ms == 6) << step;
    // What was reported as active survives.
    ASSERT_TRUE(!was_told || ms == 6) << step;
    (ms == 6 ? was_new : was_old) += 1;
  }
  EXPECT_GT(was_new, 0);
  EXPECT_GT(was_old, 0);
}

}  // namespace
}  // namespace berm::control
