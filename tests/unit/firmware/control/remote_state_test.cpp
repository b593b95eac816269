// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_state.hpp"

#include <gtest/gtest.h>

#include "firmware/control/limits.hpp"
#include "firmware/control/remote_boot.hpp"
#include "hal/base/digest.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/random.hpp"
#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

const std::string kState = "/var/lib/berm";
const std::string kFile = R"({"node":"n1","board":"sim","drivers":{},
  "uplinks":{"b":{"uplink":"mqtt","url":"mqtt://h:1"}},
  "remote":{"uplink":"b","unsigned":true,"groups":["g1","g2"]}})";

Json patch(int linger) {
  return *Json::parse(R"({"uplinks":{"b":{"linger_ms":)" + std::to_string(linger) + "}}}");
}

std::int64_t linger_of(const Boot& boot) {
  return boot.parsed.effective.find("uplinks")->find("b")->find("linger_ms")->integer();
}

RemoteState full_state() {
  RemoteState state;
  state.file_sha256 = sha256_hex(kFile);
  state.layers["node"] = {9, "active", 8, patch(8), true, "tess", "é\"quoted\""};
  state.layers["group/g1"] = {3, "refused", 0, Json(), false, "", ""};
  state.waiting["group/g2"] = {.sequence = 4, .document = patch(4), .offset_s = 60, .who = "w"};
  Candidate candidate{.layer = "node", .sequence = 9, .layers = state.layers, .sha256 = "s"};
  candidate.layers["node"].document = patch(9);
  state.candidate = candidate;
  state.last = {"node", 9, "confirming", "why", "sha"};
  state.history.push_back({1, 1'800'000'000, {"node", 8, "active", "", "x"}, "tess", "test"});
  state.history.push_back({2, std::nullopt, {"node", 9, "refused", "r", "x"}, "", ""});
  state.next_number = 3;
  return state;
}

class RemoteStates : public testing::Test {
 protected:
  RemoteStates() { disk_.prepare_directory(kState); }
  Boot boot(const std::string& text) {
    return boot_with(disk_, kState, "/etc/b.json", text, example_sources());
  }
  hal::SimDisk disk_;
};

TEST_F(RemoteStates, ComeBackAsTheyWere) {
  const auto again = remote_state_from(to_text(full_state()));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, full_state());
  EXPECT_EQ(*remote_state_from(to_text(RemoteState{})), RemoteState{});
}

TEST_F(RemoteStates, AMissingOrWrongMemberIsDamage) {
  const Json whole = *Json::parse(to_text(full_state()));
  for (const auto& [key, value] : whole.object()) {
    Json less{Json::Object{}};
    for (const auto& [other, kept] : whole.object()) {
      if (other != key) less.set(other, kept);
    }
    const bool may_miss = key == "candidate";
    EXPECT_EQ(remote_state_from(less.to_text()).has_value(), may_miss) << key;
    Json wrong = whole;
    wrong.set(key, Json(true));
    EXPECT_FALSE(remote_state_from(wrong.to_text()).has_value()) << key;
  }
}

TEST_F(RemoteStates, FloorsHoldOnBothSides) {
  const RemoteState state = full_state();
  EXPECT_FALSE(state.is_new("node", 9, 0));
  EXPECT_TRUE(state.is_new("node", 10, 0));
  EXPECT_FALSE(state.is_new("node", 10, 10));
  EXPECT_TRUE(state.is_new("group/g2", 1, 0));
  EXPECT_FALSE(state.is_new("group/g2", 1, 1));
}

TEST_F(RemoteStates, LayersGoFileThenGroupsAsListedThenNode) {
  RemoteState state;
  const auto put = [&](const char* name, const char* text) {
    state.layers[name].document = *Json::parse(text);
  };
  put("group/a", R"({"x":1,"y":1,"z":1})");
  put("group/b", R"({"x":2,"y":2})");
  put("group/c", R"({"x":9,"q":9})");
  put("node", R"({"x":3,"w":null})");
  const Json file = *Json::parse(R"({"x":0,"w":0})");
  EXPECT_EQ(state.merged(file, {"a", "b"}).to_text(), R"({"x":3,"y":2,"z":1})");
  EXPECT_EQ(state.merged(file, {"b", "a"}).to_text(), R"({"x":3,"y":1,"z":1})");
}

TEST_F(RemoteStates, ABootWithACandidateGoesBackAndSaysSo) {
  RemoteState state = full_state();
  state.waiting.clear();
  ASSERT_TRUE(save_remote_state(disk_, kState, state));
  const Boot booted = boot(kFile);
  ASSERT_TRUE(booted.parsed.configuration.has_value());
  EXPECT_EQ(linger_of(booted), 8);
  EXPECT_FALSE(booted.state.candidate.has_value());
  EXPECT_EQ(booted.state.last.state, "rolled_back");
  EXPECT_EQ(booted.state.layers.at("node").state, "rolled_back");
  EXPECT_EQ(booted.state.history.back().outcome.state, "rolled_back");
  EXPECT_EQ(*load_remote_state(disk_, kState), booted.state);
}

TEST_F(RemoteStates, AFileThatChangedIsActiveAndFloorsStay) {
  RemoteState state = full_state();
  state.candidate.reset();
  ASSERT_TRUE(save_remote_state(disk_, kState, state));
  EXPECT_EQ(linger_of(boot(kFile)), 8);
  const Boot booted = boot(kFile + " ");
  EXPECT_EQ(linger_of(booted), 1000);
  EXPECT_EQ(booted.state.last.layer, "file");
  EXPECT_EQ(booted.state.layers.at("node").floor, 9);
  EXPECT_TRUE(booted.state.waiting.empty());
}

TEST_F(RemoteStates, ABadFileRunsOnTheConfirmedOneWithItsLayers) {
  RemoteState state = full_state();
  state.candidate.reset();
  ASSERT_TRUE(save_remote_state(disk_, kState, state));
  const Boot none = boot("{");
  EXPECT_FALSE(none.parsed.configuration.has_value());
  ASSERT_TRUE(disk_.write_whole(kState + "/confirmed.json",
                                "// the last confirmed configuration; sha256 of what follows: " +
                                    sha256_hex(kFile) + "\n" + kFile));
  const Boot booted = boot("{");
  ASSERT_TRUE(booted.parsed.configuration.has_value());
  EXPECT_FALSE(booted.file_fault.empty());
  EXPECT_EQ(linger_of(booted), 8);
}

TEST_F(RemoteStates, LayersThatDoNotFitAreLeftOut) {
  RemoteState state = full_state();
  state.candidate.reset();
  state.layers["node"].document = *Json::parse(R"({"no_such_option":1})");
  ASSERT_TRUE(save_remote_state(disk_, kState, state));
  const Boot booted = boot(kFile);
  ASSERT_TRUE(booted.parsed.configuration.has_value());
  EXPECT_EQ(booted.state.last.state, "rolled_back");
  EXPECT_NE(booted.state.last.reason.find("no_such_option"), std::string::npos);
}

TEST_F(RemoteStates, WhatLivesEndedAtIsNotTriedForEver) {
  RemoteState state = full_state();
  state.candidate.reset();
  for (const std::int64_t tries : {0, 1, 2}) {
    ASSERT_EQ(state.waiting.size(), 1u);
    state.waiting.begin()->second.tries = tries;
    ASSERT_TRUE(save_remote_state(disk_, kState, state));
    for (int life = 0; life < 3; ++life) EXPECT_EQ(boot(kFile).state.waiting.empty(), tries == 2);
  }
  EXPECT_EQ(boot(kFile).state.last.state, "refused");
}

TEST_F(RemoteStates, TheHistoryKeepsTwentyAndItsDocuments) {
  RemoteState state;
  for (int i = 0; i < 25; ++i) {
    HistoryDocument document;
    document.layers["node"].document = patch(i);
    remember(state, {.outcome = {"node", i, "active", "", ""}}, document).write(disk_, kState);
  }
  ASSERT_EQ(state.history.size(), kHistoryKept);
  EXPECT_EQ(state.history.front().number, 6);
  EXPECT_FALSE(load_history(disk_, kState, 5).has_value());
  EXPECT_EQ(load_history(disk_, kState, 6)->layers.at("node").document, patch(5));
  EXPECT_EQ(load_history(disk_, kState, 25)->layers.at("node").document, patch(24));
}

TEST_F(RemoteStates, AfterAPowerCutAtAnyStepItIsTheOldOrTheNewOne) {
  RemoteState old_state = full_state();
  RemoteState new_state = full_state();
  new_state.candidate.reset();
  new_state.layers["node"] = full_state().candidate->layers["node"];
  ASSERT_TRUE(save_remote_state(disk_, kState, old_state));
  disk_.volume().make_all_durable();
  bool was_new = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (std::uint64_t step = 0; step < 16; ++step) {
      const auto disk = disk_.clone();
      hal::SimRandom random(seed);
      const std::uint64_t begin = disk->volume().operations();
      disk->volume().observe([&](std::uint64_t number, hal::DiskOperation, std::string_view) {
        if (number >= begin + step && !disk->volume().is_off()) disk->power_cut(random);
      });
      static_cast<void>(save_remote_state(*disk, kState, new_state));
      disk->volume().observe(nullptr);
      if (!disk->volume().is_off()) disk->power_cut(random);
      disk->volume().power_on();
      const Boot booted = boot_with(*disk, kState, "/etc/b.json", kFile, example_sources());
      ASSERT_TRUE(booted.parsed.configuration.has_value()) << "seed " << seed << " step " << step;
      const std::int64_t linger = linger_of(booted);
      ASSERT_TRUE(linger == 8 || linger == 9) << "seed " << seed << " step " << step;
      was_new = was_new || linger == 9;
    }
  }
  EXPECT_TRUE(was_new);
}

}  // namespace
}  // namespace berm::control
