// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_commands.hpp"

#include <gtest/gtest.h>

#include "hal/sim/clock.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/executor.hpp"
#include "hal/sim/loop.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

const std::string kState = "/var/lib/berm";
const std::string kKeyFile = "/etc/operator.pub";

class NoAlarms final : public drivers::AlarmSink {
 public:
  void begin_alarm(std::string_view, std::string_view, drivers::Severity,
                   std::string_view) override {}
  void end_alarm(std::string_view, std::string_view) override {}
};

// A node with a key, of which only the commands matter here.
class World final : public ConfigurationTarget, public RemoteLink {
 public:
  World() : clock_(loop, {}), executor_(loop) {
    disk.prepare_directory(kState);
    disk.prepare_directory("/etc");
    EXPECT_TRUE(disk.write_whole(kKeyFile, key.public_pem()));
    executor_.set_latency(Milliseconds{5});
    start();
  }
  void start() {
    const std::string file = R"({"node":"n1","board":"sim","drivers":{},
      "uplinks":{"b":{"uplink":"mqtt","url":"mqtt://h:1"}},
      "remote":{"uplink":"b","public_key_file":")" +
                             kKeyFile + "\"}}";
    Boot boot = boot_with(disk, kState, "/etc/b.json", file, example_sources());
    ASSERT_TRUE(boot.parsed.configuration.has_value());
    RemoteOptions options{"n1", *boot.parsed.configuration->remote, kState, "/etc/b.json",
                          example_sources()};
    commands.reset();
    control = std::make_unique<RemoteControl>(
        options, RemoteParts{loop, executor_, clock_, disk, alarms_, *this, *this},
        std::move(boot));
    CommandParts parts{.loop = loop,
                       .clock = clock_,
                       .executor = executor_,
                       .disk = disk,
                       .control = *control,
                       .publish = [this](hal::MqttMessage message) { sent.push_back(message); },
                       .commands = [this] { return verbs(); },
                       .diagnosis = [] { return std::string("{}"); },
                       .selftest = [] { return std::string("{\"passed\":true}"); },
                       .restart = {}};
    commands = std::make_unique<RemoteCommands>(
        CommandOptions{"n1", kState, {"ping", "status", "resend", "selftest"}}, parts);
  }
  std::vector<Command> verbs() {
    std::vector<Command> all;
    all.push_back({"resend", "resend", "", true, [this](const CommandRequest&) {
                     ++resends;
                     return CommandAnswer{0, "done\n"};
                   }});
    return all;
  }
  std::string signed_text(const std::string& id, std::int64_t not_after,
                          const std::string& command = "resend") const {
    return signed_envelope("{\"command\":\"" + command + "\",\"target\":\"cmd/n1/" + id +
                               "\",\"not_after\":" + std::to_string(not_after) + "}",
                           key);
  }
  // The last answer.
  Json ask(const std::string& id, const std::string& payload, bool retain = false) {
    hal::MqttMessage message;
    message.topic = "berm/n1/cmd/" + id;
    message.payload = payload;
    message.retain = retain;
    sent.clear();
    EXPECT_TRUE(commands->on_message(message));
    loop.run_for(Seconds{3});  // thirty in a minute are answered
    return sent.empty() ? Json() : *Json::parse(sent.back().payload);
  }
  std::string state_of(const Json& answer) const {
    const Json* const state = answer.find("state");
    return state == nullptr ? "none" : state->string();
  }

  void probe(const ParsedConfiguration&, std::function<void(ProbeReport)>) override {}
  void apply(const ParsedConfiguration&, std::function<void(Result<void>)>) override {}
  std::vector<std::string> unconfirmed() override { return {}; }
  void give_up(std::string_view) override {}
  bool is_up() const override { return true; }
  void publish_retained(const std::string&, std::string, std::function<void()>) override {}
  void ask_again() override {}

  hal::SimLoop loop;
  hal::SimDisk disk;
  const PrivateKey key = PrivateKey::generate();
  std::unique_ptr<RemoteControl> control;
  std::unique_ptr<RemoteCommands> commands;
  std::vector<hal::MqttMessage> sent;
  int resends = 0;

 private:
  hal::SimClock clock_;
  hal::SimExecutor executor_;
  NoAlarms alarms_;
};

constexpr std::int64_t kLate = 4'000'000'000;

TEST(RemoteCommandsAre, DoneOnceForEachIdAlsoAfterARestart) {
  World world;
  const std::string order = world.signed_text("a", kLate);
  EXPECT_EQ(world.state_of(world.ask("a", order)), "successful");
  EXPECT_EQ(world.state_of(world.ask("a", order)), "successful");
  world.start();
  EXPECT_EQ(world.state_of(world.ask("a", order)), "successful");
  EXPECT_EQ(world.resends, 1);
}

TEST(RemoteCommandsAre, TakenOnlyFromTheKeyForThisIdAndInTime) {
  World world;
  EXPECT_EQ(world.state_of(world.ask("a", R"({"command":"resend"})")), "failed");
  EXPECT_EQ(world.state_of(world.ask("b", world.signed_text("a", kLate))), "failed");
  EXPECT_EQ(world.state_of(world.ask("a", world.signed_text("a", 1000))), "failed");
  EXPECT_EQ(world.state_of(world.ask("a", world.signed_text("a", kLate), true)), "none");
  EXPECT_EQ(world.state_of(world.ask("c", world.signed_text("c", kLate, "restart"))), "failed");
  EXPECT_EQ(world.resends, 0);
  EXPECT_EQ(world.state_of(world.ask("q", R"({"command":"ping"})")), "successful");
}

TEST(RemoteCommandsAre, NotPushedOutOfMemoryByQuestionsThatAnybodyMayAsk) {
  World world;
  const std::string order = world.signed_text("a", kLate);
  world.ask("a", order);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(world.state_of(world.ask("q" + std::to_string(i), R"({"command":"ping"})")),
              "successful");
  }
  world.ask("a", order);
  EXPECT_EQ(world.resends, 1);
}

// However many come: what is forgotten is known by its time, also in the life that follows.
TEST(RemoteCommandsAre, NeverDoneAgainOnceTheirIdIsForgotten) {
  World world;
  const int count = static_cast<int>(kCommandsRemembered) + 5;
  std::vector<std::string> orders;
  for (int i = 0; i < count; ++i) {
    orders.push_back(world.signed_text("c" + std::to_string(i), kLate + i));
    world.ask("c" + std::to_string(i), orders.back());
  }
  EXPECT_EQ(world.resends, count);
  for (int life = 0; life < 2; ++life) {
    for (int i = 0; i < count; ++i) {
      const bool is_forgotten = i < 5;
      const Json answer = world.ask("c" + std::to_string(i), orders[static_cast<std::size_t>(i)]);
      EXPECT_EQ(world.state_of(answer), is_forgotten ? "failed" : "successful") << i;
    }
    EXPECT_EQ(world.resends, count);
    world.start();
  }
  EXPECT_EQ(world.state_of(world.ask("n", world.signed_text("n", kLate + 500))), "successful");
}

}  // namespace
}  // namespace berm::control
