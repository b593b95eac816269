// SPDX-License-Identifier: Apache-2.0
#include "firmware/control/remote_rules.hpp"

#include <gtest/gtest.h>

#include "tests/unit/firmware/control/example_sources.hpp"

namespace berm::control {
namespace {

Json example() {
  Json::Limits limits;
  limits.comments = true;
  return *Json::parse(kExampleDocument, limits);
}

// What a patch on the example may not do.
std::string forbidden(std::string_view patch, bool is_signed = true) {
  const Json file = merge_patch(example(), *Json::parse(R"({"uplinks":{
      "flume":{"user":"n1","password_file":"/etc/p","ca_file":"/etc/ca"}}})"));
  const Json merged = merge_patch(file, *Json::parse(patch));
  std::string lines;
  for (const auto& fault : forbidden_changes(file, merged, is_signed, example_sources())) {
    lines += fault.path + " ";
  }
  return lines;
}

TEST(ForbiddenChanges, TheSectionsOfTheSiteStay) {
  EXPECT_EQ(forbidden(R"({"node":"n2"})"), "/node ");
  EXPECT_EQ(forbidden(R"({"board":"other"})"), "/board ");
  EXPECT_EQ(forbidden(R"({"remote":{"confirm_s":10}})"), "/remote ");
  EXPECT_EQ(forbidden(R"({"remote":null})"), "/remote ");
  EXPECT_EQ(forbidden(R"({"local_http":{"listen":"0.0.0.0:80"}})"), "/local_http ");
  EXPECT_EQ(forbidden(R"({"allowed_topics":null})"), "/allowed_topics ");
  EXPECT_EQ(forbidden(R"({"simulation":{"rate":2}})"), "/simulation/rate ");
}

TEST(ForbiddenChanges, TheSameValueIsNoChange) {
  EXPECT_EQ(forbidden(example().to_text()), "");
}

TEST(ForbiddenChanges, WhatNamesAFileStaysAlsoInSignedDocuments) {
  EXPECT_EQ(forbidden(R"({"uplinks":{"flume":{"password_file":"/etc/shadow"}}})"),
            "/uplinks/flume/password_file ");
  EXPECT_EQ(forbidden(R"({"uplinks":{"flume":{"ca_file":null}}})"), "/uplinks/flume/ca_file ");
  EXPECT_EQ(forbidden(R"({"uplinks":{"broker":{"key_file":"/k"}}})"), "/uplinks/broker/key_file ");
  EXPECT_EQ(forbidden(R"({"uplinks":{"stick":{"directory":"/etc"}}})"),
            "/uplinks/stick/directory ");
  EXPECT_EQ(forbidden(R"({"buses":{"rs485-1":{"device":"/dev/sda"}}})"), "/buses/rs485-1/device ");
  EXPECT_EQ(forbidden(R"({"simulation":{"signals":"/etc/passwd"}})"), "/simulation/signals ");
}

TEST(ForbiddenChanges, ANewPartBringsNoFileAndAnOldOneMayGoWhole) {
  EXPECT_EQ(forbidden(R"({"uplinks":{"x":{"uplink":"mqtt","url":"mqtt://evil:1",
                          "password_file":"/etc/p"}}})"),
            "/uplinks/x/password_file ");
  EXPECT_EQ(forbidden(R"({"uplinks":{"flume":null,"stick":null}})"), "");
  EXPECT_EQ(forbidden(R"({"uplinks":{"x":{"uplink":"mqtt","url":"mqtt://b:1"}}})"), "");
}

TEST(ForbiddenChanges, ACredentialGoesElsewhereOnlyInASignedDocument) {
  for (const char* patch : {R"({"uplinks":{"flume":{"url":"http://evil:9260"}}})",
                            R"({"uplinks":{"flume":{"url":"http://127.0.0.1:9261"}}})",
                            R"({"uplinks":{"flume":{"url":"https://127.0.0.1:9260"}}})"}) {
    EXPECT_EQ(forbidden(patch, false), "/uplinks/flume/url ") << patch;
    EXPECT_EQ(forbidden(patch, true), "") << patch;
  }
  EXPECT_EQ(forbidden(R"({"uplinks":{"flume":{"proxy":"http://evil:1"}}})", false),
            "/uplinks/flume/proxy ");
  // One without a credential goes where it is sent; a path is no other host.
  EXPECT_EQ(forbidden(R"({"uplinks":{"broker":{"url":"mqtt://other:1883"}}})", false), "");
  EXPECT_EQ(forbidden(R"({"uplinks":{"flume":{"url":"http://127.0.0.1:9260/x"}}})", false), "");
}

std::string changes(std::string_view patch) {
  const auto before = check_document(example(), "b.json", example_sources());
  const auto after =
      check_document(merge_patch(example(), *Json::parse(patch)), "b.json", example_sources());
  EXPECT_TRUE(after.faults.empty()) << after.faults.front();
  std::string lines;
  for (const auto& one : changes_between(before.effective, after.effective, example_sources())) {
    lines += one.component + (one.is_live ? "!" : "") + " at " + one.path + "; ";
  }
  return lines;
}

TEST(Changes, AreOfTheirComponentAlone) {
  EXPECT_EQ(changes("{}"), "");
  EXPECT_EQ(changes(R"({"drivers":{"e19":{"period_s":30}}})"),
            "drivers/e19 at /drivers/e19/period_s; ");
  EXPECT_EQ(changes(R"({"uplinks":{"flume":{"batch_events":7}}})"),
            "uplinks/flume at /uplinks/flume/batch_events; ");
  EXPECT_EQ(changes(R"({"drivers":{"gps":null},"uplinks":{"stick":null}})"),
            "drivers/gps at /drivers/gps; uplinks/stick at /uplinks/stick; ");
  EXPECT_EQ(changes(R"({"site":{"km":3}})"), "site at /site/km; ");
}

TEST(Changes, AreLiveWhereTheirTableSaysSo) {
  EXPECT_EQ(changes(R"({"outbox":{"keep_delivered_s":5}})"),
            "outbox! at /outbox/keep_delivered_s; ");
  EXPECT_EQ(changes(R"({"outbox":{"keep_delivered_s":5,"max_bytes":2097152}})"),
            "outbox at /outbox/max_bytes; ");
  EXPECT_EQ(changes(R"({"streams":{"traffic.lane":{"max_age_s":5}}})"),
            "streams/traffic.lane! at /streams/traffic.lane/max_age_s; ");
}

TEST(Changes, ADefaultThatIsWrittenOutIsNone) {
  EXPECT_EQ(changes(R"({"uplinks":{"flume":{"timeout_ms":30000}}})"), "");
}

TEST(Difference, NamesEachPathOnce) {
  const Json before = *Json::parse(R"({"a":{"b":1,"c":2},"d":[1]})");
  const Json after = *Json::parse(R"({"a":{"b":3,"e":4},"d":[1]})");
  const auto lines = difference(before, after, 10);
  const std::vector<std::string> expected = {"/a/b: 1 → 3", "/a/c: 2 → nothing",
                                             "/a/e: nothing → 4"};
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(difference(before, after, 1).size(), 2u);  // and that there are more
  EXPECT_TRUE(difference(before, before, 10).empty());
}

TEST(WithoutSecrets, TakesThemOutAndLeavesTheRest) {
  const Json clean = without_secrets(*Json::parse(R"({"uplinks":{"flume":{
      "url":"http://joe:secret@h:1/p","headers":{"X-Api":"abc"},"password_file":"/etc/p",
      "Api_Token":"t","batch_events":5,"list":["mqtt://u:p@h"]}}})"));
  const std::string text = clean.to_text();
  for (const char* secret : {"secret@", "joe", "abc", "\"t\"", "u:p"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret << " in " << text;
  }
  for (const char* kept : {"/etc/p", "X-Api", "@h:1/p", "\"batch_events\":5"}) {
    EXPECT_NE(text.find(kept), std::string::npos) << kept << " in " << text;
  }
}

}  // namespace
}  // namespace berm::control
