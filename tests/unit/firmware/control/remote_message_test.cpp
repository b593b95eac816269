// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_message.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "firmware/control/limits.hpp"
#include "firmware/control/set_message.hpp"
#include "hal/base/base64.hpp"

namespace berm::control {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
const std::string kTarget = "node/n1";

class RemoteMessages : public testing::Test {
 protected:
  Trust trusting() const { return {key_.public_key(), kNow}; }
  static Trust open() { return {std::nullopt, kNow}; }
  std::string signed_with(std::string_view extra, const PrivateKey& key) const {
    return signed_envelope(payload(extra), key);
  }
  static std::string payload(std::string_view extra) {
    return R"({"sequence":7,"document":{},"target":"node/n1","not_after":1800000060)" +
           std::string(extra) + "}";
  }
  static std::expected<RemoteMessage, Refusal> read(std::string_view bytes, const Trust& trust) {
    return read_message(bytes, kTarget, kMaxEnvelopeBytes, trust);
  }
  static std::string reason(std::string_view bytes, const Trust& trust) {
    const auto message = read(bytes, trust);
    return message ? "" : message.error().reason;
  }
  const PrivateKey key_ = PrivateKey::generate();
};

TEST_F(RemoteMessages, WhatTheKeySignedIsTaken) {
  const auto message = read(signed_with("", key_), trusting());
  ASSERT_TRUE(message.has_value()) << message.error().reason;
  EXPECT_TRUE(message->is_signed);
  EXPECT_EQ(message->body.find("sequence")->integer(), 7);
}

TEST_F(RemoteMessages, WhatIsNotSignedIsRefusedWhereThereIsAKey) {
  const auto message = read(payload(""), trusting());
  ASSERT_FALSE(message.has_value());
  EXPECT_FALSE(message.error().is_authentic);
}

TEST_F(RemoteMessages, AnotherKeyIsRefusedAndNamed) {
  const PrivateKey other = PrivateKey::generate();
  const auto message = read(signed_with("", other), trusting());
  ASSERT_FALSE(message.has_value());
  EXPECT_FALSE(message.error().is_authentic);
  EXPECT_NE(message.error().reason.find(other.public_key().id()), std::string::npos);
}

TEST_F(RemoteMessages, OneChangedByteOfThePayloadIsRefused) {
  auto envelope = *Json::parse(signed_with("", key_));
  std::string changed = payload("");
  changed[12] = '8';
  envelope.set("payload", base64(changed));
  EXPECT_EQ(reason(envelope.to_text(), trusting()), "the signature does not hold");
}

TEST_F(RemoteMessages, AForeignTargetIsAuthenticAndRefused) {
  const std::string text = R"({"sequence":9,"document":{},"target":"node/n2","not_after":2e9})";
  const auto message = read(signed_envelope(text, key_), trusting());
  ASSERT_FALSE(message.has_value());
  EXPECT_TRUE(message.error().is_authentic);
  EXPECT_TRUE(message.error().is_foreign);
}

TEST_F(RemoteMessages, ABareNameIsANodeAndNeverAGroup) {
  const std::string text = R"({"sequence":9,"document":{},"target":"n1","not_after":2000000000})";
  const std::string sealed = signed_envelope(text, key_);
  EXPECT_TRUE(read_message(sealed, "node/n1", kMaxEnvelopeBytes, trusting()).has_value());
  EXPECT_FALSE(read_message(sealed, "group/n1", kMaxEnvelopeBytes, trusting()).has_value());
}

TEST_F(RemoteMessages, TargetAndExpiryAreNeverLeftOut) {
  for (const char* text : {R"({"sequence":1,"document":{},"target":"node/n1"})",
                           R"({"sequence":1,"document":{},"not_after":2000000000})"}) {
    EXPECT_EQ(reason(signed_envelope(text, key_), trusting()),
              "a signed payload needs target and not_after");
  }
}

TEST_F(RemoteMessages, ExpiryHoldsOnBothSidesAndOnlyWithAClock) {
  const std::string sealed = signed_with("", key_);
  EXPECT_TRUE(read(sealed, {key_.public_key(), kNow + 60}).has_value());
  const auto late = read(sealed, {key_.public_key(), kNow + 61});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().sequence, 7);
  EXPECT_TRUE(read(sealed, {key_.public_key(), std::nullopt}).has_value());
}

TEST_F(RemoteMessages, ExpiryMayBeWrittenAsATime) {
  const std::string text =
      R"({"sequence":1,"document":{},"target":"node/n1","not_after":"2027-01-15T08:01:00Z"})";
  EXPECT_TRUE(read(signed_envelope(text, key_), {key_.public_key(), kNow + 60}).has_value());
  EXPECT_FALSE(read(signed_envelope(text, key_), {key_.public_key(), kNow + 61}).has_value());
}

TEST_F(RemoteMessages, WithoutAKeyPlainAndSignedAreTakenAlike) {
  EXPECT_TRUE(read(R"({"sequence":1,"document":{}})", open()).has_value());
  const auto sealed = read(signed_with("", key_), open());
  ASSERT_TRUE(sealed.has_value());
  EXPECT_FALSE(sealed->is_signed);
}

TEST_F(RemoteMessages, SizeHoldsOnBothSides) {
  const std::string text = R"({"a":1})";
  EXPECT_TRUE(read_message(text, kTarget, text.size(), open()).has_value());
  EXPECT_FALSE(read_message(text, kTarget, text.size() - 1, open()).has_value());
}

TEST(SetMessages, EveryFaultHasItsPathAndNearestKey) {
  const std::pair<const char*, const char*> kFaults[] = {
      {R"({"document":{}})", "/sequence: must be a whole number from 1 on"},
      {R"({"sequence":0,"document":{}})", "/sequence: must be a whole number from 1 on"},
      {R"({"sequence":1.5,"document":{}})", "/sequence: must be a whole number from 1 on"},
      {R"({"sequence":1})", "/document: is missing"},
      {R"({"sequence":1,"document":[]})", "/document: must be an object"},
      {R"({"sequence":1,"documnt":{}})", "/documnt: unknown key; did you mean \"document\"?"},
      {R"({"sequence":1,"document":{},"rollout":{"percent":101}})",
       "/rollout/percent: must be 0…100"},
      {R"({"sequence":1,"document":{},"rollout":{"spread_s":-1}})",
       "/rollout/spread_s: must be 0…604800 s"},
      {R"({"sequence":1,"document":{},"rollout":{"spreads":1}})",
       "/rollout/spreads: unknown key; did you mean \"spread_s\"?"}};
  for (const auto& [text, fault] : kFaults) {
    const auto message = read_set_message(*Json::parse(text));
    ASSERT_FALSE(message.has_value()) << text;
    EXPECT_EQ(message.error(), fault);
  }
}

TEST(Rollouts, AGrowingShareKeepsWhoWasInIt) {
  constexpr int kNodes = 4000;
  std::array<int, 3> counts{};
  for (int i = 0; i < kNodes; ++i) {
    const std::string node = "n" + std::to_string(i);
    bool was_in = false;
    for (std::size_t step = 0; step < 3; ++step) {
      const bool is_in = takes_part({std::array{5.0, 25.0, 100.0}[step], "a", 0}, node);
      EXPECT_TRUE(is_in || !was_in) << node;
      was_in = is_in;
      counts[step] += is_in ? 1 : 0;
    }
  }
  EXPECT_NEAR(counts[0], kNodes * 0.05, 60);
  EXPECT_NEAR(counts[1], kNodes * 0.25, 120);
  EXPECT_EQ(counts[2], kNodes);
}

TEST(Rollouts, AnotherSaltIsAnotherShareAndZeroIsNobody) {
  int both = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string node = "n" + std::to_string(i);
    EXPECT_FALSE(takes_part({0.0, "a", 0}, node));
    both += takes_part({50.0, "a", 0}, node) && takes_part({50.0, "b", 0}, node) ? 1 : 0;
  }
  EXPECT_NEAR(both, 250, 60);
}

TEST(Rollouts, OffsetsAreSpreadAndOfTheNodeAlone) {
  const Rollout rollout{100.0, "a", 600};
  double sum = 0.0;
  for (int i = 0; i < 1000; ++i) {
    const std::string node = "n" + std::to_string(i);
    const auto offset = rollout_offset_s(rollout, node);
    EXPECT_EQ(offset, rollout_offset_s(rollout, node));
    EXPECT_GE(offset, 0);
    EXPECT_LT(offset, 600);
    sum += static_cast<double>(offset);
  }
  EXPECT_NEAR(sum / 1000, 300, 25);
  EXPECT_EQ(rollout_offset_s({100.0, "a", 0}, "n1"), 0);
}

}  // namespace
}  // namespace berm::control
