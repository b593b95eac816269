// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/identity.hpp"

#include <gtest/gtest.h>

#include <set>

#include "firmware/outbox/limits.hpp"
#include "firmware/outbox/salvage_state.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/random.hpp"

namespace berm::outbox {
namespace {

TEST(Identity, EpochsAreRandomWordsOfTheirAlphabet) {
  hal::SimRandom random(7);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string epoch = make_epoch(random);
    EXPECT_EQ(epoch.size(), 12u);
    EXPECT_EQ(epoch.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
    EXPECT_TRUE(seen.insert(epoch).second);
  }
}

TEST(Identity, SidecarComesBackAsWritten) {
  const Sidecar sidecar{{"abc", "n1", {"node.epoch", "traffic.lane"}, {1, 7}},
                        {"def", "n2", {"node.epoch"}},
                        {"ghi", "n2", {}}};
  const auto back = parse_sidecar(sidecar_text(sidecar));
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, sidecar);
}

TEST(Identity, SidecarKeepsTheNewestEpochs) {
  Sidecar sidecar;
  for (std::size_t i = 0; i <= kMaxEpochsNamed; ++i) {
    sidecar.push_back({std::to_string(i), "n", {"s"}});
  }
  const auto back = parse_sidecar(sidecar_text(sidecar));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), kMaxEpochsNamed);
  EXPECT_EQ(back->back().epoch, std::to_string(kMaxEpochsNamed));
  EXPECT_EQ(back->front().epoch, "1");
}

TEST(Identity, StateOfSalvageComesBackAsWritten) {
  const SalvageState state{{{3, {{1, 2}, {7, 4}}}, {4, {}}}, {2, 4, 5}};
  const auto back = SalvageState::parse(state.to_text());
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(*back, state);
  for (const char* text : {"", "{}", "{\"copies\":[{}],\"open\":[]}",
                           "{\"copies\":[{\"number\":1,\"there\":[1],\"here\":[]}],\"open\":[]}",
                           "{\"copies\":[],\"open\":[0]}"}) {
    EXPECT_FALSE(SalvageState::parse(text)) << text;
  }
}

TEST(Identity, UnreadableSidecarIsNone) {
  for (const char* text : {"", "{", "[]", "{\"epochs\":1}", "{\"epochs\":[{}]}",
                           "{\"epochs\":[{\"epoch\":\"a\",\"node\":\"n\",\"streams\":[1]}]}"}) {
    EXPECT_FALSE(parse_sidecar(text)) << text;
    hal::SimDisk disk;
    disk.prepare_file("/s/outbox.identity", text);
    EXPECT_TRUE(read_sidecar(disk, "/s").empty());
  }
  hal::SimDisk disk;
  disk.prepare_directory("/s");
  EXPECT_TRUE(read_sidecar(disk, "/s").empty());
}

}  // namespace
}  // namespace berm::outbox
