// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/confirmed_document.hpp"

#include <gtest/gtest.h>

#include "firmware/control/limits.hpp"
#include "hal/base/json.hpp"
#include "hal/sim/disk.hpp"
#include "hal/sim/random.hpp"

namespace berm::control {
namespace {

const std::string kState = "/var/lib/berm";
const std::string kPath = kState + "/confirmed.json";

class ConfirmedDocument : public testing::Test {
 protected:
  ConfirmedDocument() { disk_.prepare_directory(kState); }
  std::string loaded() {
    const auto text = load_confirmed(disk_, kState);
    return text ? *text : "error " + std::string(name_of(text.error().code));
  }
  std::string raw() { return *disk_.read(kPath, 1 << 21); }

  hal::SimDisk disk_;
};

TEST_F(ConfirmedDocument, NoneWasEverKept) {
  EXPECT_EQ(loaded(), "error not_found");
}

TEST_F(ConfirmedDocument, ComesBackByteForByte) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{ // é\n}\n"));
  EXPECT_EQ(loaded(), "{ // é\n}\n");
  ASSERT_TRUE(save_confirmed(disk_, kState, ""));
  EXPECT_EQ(loaded(), "");
}

TEST_F(ConfirmedDocument, IsStillADocumentForPeople) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{\"node\":\"n\"}"));
  Json::Limits limits;
  limits.comments = true;
  const auto json = Json::parse(raw(), limits);
  ASSERT_TRUE(json.has_value());
  EXPECT_EQ(json->find("node")->string(), "n");
}

TEST_F(ConfirmedDocument, AnyChangedByteIsDetected) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{\"node\":\"n\"}"));
  const std::string good = raw();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ASSERT_TRUE(disk_.write_whole(kPath, bad));
    EXPECT_EQ(loaded(), "error damaged") << i;
  }
}

TEST_F(ConfirmedDocument, AnyTornFileIsDetected) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{\"node\":\"n\"}"));
  const std::string good = raw();
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_TRUE(disk_.write_whole(kPath, good.substr(0, size)));
    EXPECT_EQ(loaded(), "error damaged") << size;
  }
  ASSERT_TRUE(disk_.write_whole(kPath, good + " "));
  EXPECT_EQ(loaded(), "error damaged");
}

TEST_F(ConfirmedDocument, ADamagedOneIsReplaced) {
  ASSERT_TRUE(disk_.write_whole(kPath, "rubbish"));
  ASSERT_TRUE(save_confirmed(disk_, kState, "{}"));
  EXPECT_EQ(loaded(), "{}");
}

TEST_F(ConfirmedDocument, TheSameDocumentIsNotWrittenAgain) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{}"));
  const auto writes = disk_.volume().operations(hal::DiskOperation::write);
  ASSERT_TRUE(save_confirmed(disk_, kState, "{}"));
  EXPECT_EQ(disk_.volume().operations(hal::DiskOperation::write), writes);
}

TEST_F(ConfirmedDocument, LengthHoldsOnBothSides) {
  const std::string longest(kMaxDocumentBytes, ' ');
  ASSERT_TRUE(save_confirmed(disk_, kState, longest));
  EXPECT_EQ(loaded(), longest);
  EXPECT_EQ(save_confirmed(disk_, kState, longest + " ").error().code, ErrorCode::full);
  EXPECT_EQ(loaded(), longest);
}

TEST_F(ConfirmedDocument, AFullDiskKeepsTheOldOne) {
  ASSERT_TRUE(save_confirmed(disk_, kState, "{\"old\":1}"));
  disk_.volume().inject({.operation = hal::DiskOperation::write,
                         .kind = hal::DiskFaultKind::no_space,
                         .is_lasting = true});
  EXPECT_EQ(save_confirmed(disk_, kState, "{\"new\":1}").error().code, ErrorCode::full);
  EXPECT_EQ(loaded(), "{\"old\":1}");
}

TEST_F(ConfirmedDocument, AfterAPowerCutAtAnyStepItIsTheOldOrTheNewOne) {
  const std::string old_text = "{\"old\":\"" + std::string(3000, 'o') + "\"}";
  const std::string new_text = "{\"new\":\"" + std::string(3000, 'n') + "\"}";
  ASSERT_TRUE(save_confirmed(disk_, kState, old_text));
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
      const bool saved = save_confirmed(*disk, kState, new_text).has_value();
      disk->volume().observe(nullptr);
      if (!disk->volume().is_off()) disk->power_cut(random);
      disk->volume().power_on();
      const auto kept = load_confirmed(*disk, kState);
      ASSERT_TRUE(kept.has_value()) << "seed " << seed << " step " << step;
      ASSERT_TRUE(*kept == new_text || (*kept == old_text && !saved)) << seed << " " << step;
      was_new = was_new || *kept == new_text;
    }
  }
  EXPECT_TRUE(was_new);
}

}  // namespace
}  // namespace berm::control
