// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "tests/contract/child/bench.hpp"

namespace berm::hal::contract {
namespace {

class ChildContract : public testing::TestWithParam<ChildBackend> {
 protected:
  // Starts `child_` and keeps what it says.
  Result<void> start(const std::string& bytes, Then then) {
    child_ = bench_->make(bytes, then);
    auto started = child_->start(
        [this](std::string_view line, bool is_whole) {
          lines_.emplace_back(line);
          whole_.push_back(is_whole);
        },
        [this](const std::string& how) {
          ++ends_;
          how_ = how;
        });
    EXPECT_TRUE(lines_.empty()) << "never inside start";
    if (started) bench_->play();
    return started;
  }
  std::unique_ptr<ChildBench> bench_ = GetParam().make();
  std::unique_ptr<ChildProcess> child_;
  std::vector<std::string> lines_;
  std::vector<bool> whole_;
  int ends_ = 0;
  std::string how_;
};

TEST_P(ChildContract, LinesComeInOrderAndThenTheEnd) {
  ASSERT_TRUE(start("one\ntwo\n\nfour\n", Then::ends_with_3).has_value());
  EXPECT_TRUE(child_->is_running());
  ASSERT_TRUE(bench_->run_until([&] { return ends_ > 0; }));
  EXPECT_EQ(lines_, (std::vector<std::string>{"one", "two", "", "four"}));
  EXPECT_EQ(how_, "ended with 3");
  EXPECT_EQ(ends_, 1);
  EXPECT_FALSE(child_->is_running());
}

TEST_P(ChildContract, ALineThatIsTooLongIsToldOnceAndCut) {
  ASSERT_TRUE(start(std::string(kMaxChildLine, 'a') + "\n" + std::string(9000, 'b') + "\nok\n",
                    Then::ends_with_3)
                  .has_value());
  ASSERT_TRUE(bench_->run_until([&] { return ends_ > 0; }));
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_EQ(lines_[0], std::string(kMaxChildLine, 'a'));
  EXPECT_EQ(lines_[1], std::string(kMaxChildLine, 'b'));
  EXPECT_EQ(lines_[2], "ok");
  EXPECT_EQ(whole_, (std::vector<bool>{true, false, true}));
}

TEST_P(ChildContract, OneThatWasEndedSaysNothingMore) {
  ASSERT_TRUE(start("one\n", Then::stays).has_value());
  ASSERT_TRUE(bench_->run_until([&] { return !lines_.empty(); }));
  child_->end();
  EXPECT_FALSE(child_->is_running());
  bool is_over = false;
  bench_->loop().after(Milliseconds{50}, [&] { is_over = true; });
  ASSERT_TRUE(bench_->run_until([&] { return is_over; }));
  EXPECT_EQ(lines_.size(), 1u);
  EXPECT_EQ(ends_, 0);
}

TEST_P(ChildContract, ItMayBeEndedFromItsOwnLine) {
  child_ = bench_->make("one\ntwo\nthree\n", Then::ends_with_3);
  int lines = 0;
  ASSERT_TRUE(child_
                  ->start(
                      [&](std::string_view, bool) {
                        ++lines;
                        child_->end();
                      },
                      [&](const std::string&) { ++ends_; })
                  .has_value());
  bench_->play();
  bool is_over = false;
  bench_->loop().after(Milliseconds{50}, [&] { is_over = true; });
  ASSERT_TRUE(bench_->run_until([&] { return is_over && lines > 0; }));
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(ends_, 0);
}

TEST_P(ChildContract, AProgramThatIsNotThereIsAnError) {
  child_ = bench_->make_impossible();
  const auto started = child_->start([](std::string_view, bool) {}, [](const std::string&) {});
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::not_found);
  EXPECT_FALSE(child_->is_running());
}

INSTANTIATE_TEST_SUITE_P(Backends, ChildContract,
                         testing::Values(ChildBackend{"linux", make_linux_children},
                                         ChildBackend{"sim", make_sim_children}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace berm::hal::contract
