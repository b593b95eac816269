// SPDX-License-Identifier: Apache-2.0
#include "drivers/camera_counter/worker_protocol.hpp"

#include <gtest/gtest.h>

#include "hal/child_process.hpp"

namespace berm::drivers::camera_counter {
namespace {

TEST(WorkerProtocol, WhatIsWrittenIsReadBack) {
  PassLine pass;
  pass.lane = 7;
  pass.lead_us = 123'456'789'012;
  pass.on_us = 480'000;
  pass.speed_kmh = 87.25;
  pass.length_m = 4.41;
  pass.length_class = 2;
  pass.confidence = 0.875;
  const WorkerLine lines[] = {
      ReadyLine{640, 360},        pass, PassLine{}, ToldLine{99, 0.5}, ViewLine{View::moved},
      FaultLine{"no such camera"}};
  for (const WorkerLine& line : lines) {
    const std::string text = line_text(line);
    ASSERT_TRUE(text.ends_with('\n'));
    ASSERT_LE(text.size(), hal::kMaxChildLine);
    const auto again = parse_worker_line(std::string_view(text).substr(0, text.size() - 1));
    ASSERT_TRUE(again.has_value()) << text;
    EXPECT_EQ(line_text(*again), text);
  }
}

TEST(WorkerProtocol, EverythingElseIsNoLine) {
  for (const char* line : {"",
                           " ",
                           "pass",
                           "pass 0 1 2 - - -",
                           "pass 0 1 2 - - - 5 6",
                           "pass 8 1 2 - - - 5",
                           "pass -1 1 2 - - - 5",
                           "pass 0 -1 2 - - - 5",
                           "pass 0 1 2 25001 - - 5",
                           "pass 0 1 2 - 3001 - 5",
                           "pass 0 1 2 - - 0 5",
                           "pass 0 1 2 - - 6 5",
                           "pass 0 1 2 - - - 1001",
                           "pass  0 1 2 - - - 5",
                           "pass 0 1 2 - - - 5 ",
                           "pass 0 1e3 2 - - - 5",
                           "pass 0 99999999999999999999 2 - - - 5",
                           "told 1",
                           "told 1 1001",
                           "told 1 2 3",
                           "ready 0 5",
                           "ready 640 8193",
                           "view bad",
                           "view",
                           "fault",
                           "fault ",
                           "hello",
                           "told\t1 2",
                           "view good\r"}) {
    EXPECT_FALSE(parse_worker_line(line).has_value()) << "'" << line << "'";
  }
  EXPECT_TRUE(parse_worker_line("pass 0 1 2 25000 3000 5 1000").has_value());
  EXPECT_TRUE(parse_worker_line("pass 7 0 0 0 0 1 0").has_value());
  EXPECT_FALSE(parse_worker_line("fault " + std::string(201, 'x')).has_value());
  EXPECT_TRUE(parse_worker_line("fault " + std::string(200, 'x')).has_value());
}

TEST(WorkerProtocol, AFaultKeepsToItsLine) {
  const std::string text = line_text(FaultLine{"a\nb\x80" + std::string(500, 'c')});
  EXPECT_TRUE(text.starts_with("fault a?b?ccc"));
  EXPECT_LE(text.size(), hal::kMaxChildLine);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

}  // namespace
}  // namespace berm::drivers::camera_counter
