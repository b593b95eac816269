// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/edge_input.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "hal/sim/clock.hpp"
#include "hal/sim/loop.hpp"

namespace berm::hal {
namespace {

// A driver that writes down what it gets: "+3" is line 3 on; times in ms since the start.
class Listener {
 public:
  Listener(Loop& loop, EdgeInputs& inputs, const std::vector<std::string>& signals)
      : loop_(loop), start_(loop.now()), input_(inputs.open(signals).value()) {
    const auto started =
        input_->start([this](std::span<const Edge> edges) { take(edges); },
                      [this](bool is_up, MonoTime) { log_ += is_up ? "up " : "down "; });
    EXPECT_TRUE(started);
  }
  std::string take_log() { return std::exchange(log_, {}); }
  const std::vector<Edge>& edges() const { return edges_; }
  const EdgeInput& input() const { return *input_; }

 private:
  void take(std::span<const Edge> edges) {
    for (const Edge& edge : edges) {
      EXPECT_LE(edge.time, loop_.now());
      log_ += (edge.on ? "+" : "-") + std::to_string(edge.line) + "@" +
              std::to_string((edge.time - start_) / Milliseconds{1}) +
              (edge.lost_before > 0 ? "!" + std::to_string(edge.lost_before) : "") + " ";
      edges_.push_back(edge);
    }
  }
  Loop& loop_;
  MonoTime start_;
  std::unique_ptr<EdgeInput> input_;
  std::string log_;
  std::vector<Edge> edges_;
};

TEST(ScriptedEdgeInputs, DeliverWhatIsPushedInTheNextTurn) {
  SimLoop loop;
  ScriptedEdgeInputs inputs(loop);
  Listener listener(loop, inputs, {"A", "B"});
  inputs.push("B", true);
  inputs.push("A", true);
  EXPECT_EQ(listener.take_log(), "");
  loop.run_for(Milliseconds{5});
  inputs.push("B", false);
  inputs.push("unclaimed", true);
  loop.run_for(Milliseconds{1});
  EXPECT_EQ(listener.take_log(), "+1@0 +0@0 -1@5 ");
}

TEST(ScriptedEdgeInputs, ALateDriverIsToldFirstWhichWiresAreOn) {
  SimLoop loop;
  ScriptedEdgeInputs inputs(loop);
  inputs.push("A", true);
  inputs.push("B", true);
  inputs.push("B", false);
  loop.run_for(Milliseconds{7});
  Listener listener(loop, inputs, {"B", "A"});
  EXPECT_EQ(listener.take_log(), "+1@0 ");
}

TEST(ScriptedEdgeInputs, LostEdgesAreSaidByTheNextOneOfTheWire) {
  SimLoop loop;
  ScriptedEdgeInputs inputs(loop);
  Listener listener(loop, inputs, {"A", "B"});
  inputs.lose("A", 3);
  inputs.push("B", true);
  inputs.push("A", true);
  inputs.push("A", false);
  loop.run_for(Milliseconds{1});
  EXPECT_EQ(listener.take_log(), "+1@0 +0@0!3 -0@0 ");
  EXPECT_EQ(listener.input().status().integer("lost"), 3);
}

TEST(ScriptedEdgeInputs, GoingDownAndUpIsTold) {
  SimLoop loop;
  ScriptedEdgeInputs inputs(loop);
  Listener listener(loop, inputs, {"A"});
  inputs.go_down(loop.now());
  inputs.go_up(loop.now());
  EXPECT_EQ(listener.take_log(), "down up ");
}

TEST(ScriptedEdgeInputs, ASignalBelongsToOneDriverUntilThatOneEnds) {
  SimLoop loop;
  ScriptedEdgeInputs inputs(loop);
  auto first = inputs.open({"A", "B"});
  ASSERT_TRUE(first);
  EXPECT_EQ(inputs.open({"C", "A"}).error().code, ErrorCode::exists);
  EXPECT_EQ(inputs.open({"D", "D"}).error().code, ErrorCode::invalid);
  EXPECT_EQ(inputs.open({}).error().code, ErrorCode::invalid);
  first->reset();
  EXPECT_TRUE(inputs.open({"A"}));
}

class Recorded : public testing::Test {
 protected:
  Recorded() {
    std::string name = (std::filesystem::temp_directory_path() / "berm_edges_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Recorded() override { std::filesystem::remove_all(directory_); }
  RecordedEdgeOptions recording(const std::string& rows) const {
    RecordedEdgeOptions options;
    options.path = directory_ + "/edges.csv";
    std::ofstream(options.path) << "time_s,loop,state\n" << rows;
    return options;
  }
  std::string directory_;
  SimLoop loop_;
};

TEST_F(Recorded, PlaysWithTheTimesOfTheRowsNeverEarly) {
  auto inputs =
      RecordedEdgeInputs::create(loop_, recording("0,A,1\n0.011,B,1\n0.020,A,0\n0.5,B,0\n"));
  ASSERT_TRUE(inputs);
  Listener listener(loop_, **inputs, {"A", "B"});
  loop_.run_for(Milliseconds{19});
  EXPECT_EQ(listener.take_log(), "+0@0 ");
  loop_.run_for(Milliseconds{1});
  EXPECT_EQ(listener.take_log(), "+1@11 -0@20 ");
  loop_.run_for(Seconds{1});
  EXPECT_EQ(listener.take_log(), "-1@500 ");
}

TEST_F(Recorded, RepeatsWithItsLengthRoundedUpToTheMinute) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording("1,A,1\n61,A,0\n"));
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)->length(), Seconds{61});
  EXPECT_EQ((*inputs)->period(), Seconds{120});
  Listener listener(loop_, **inputs, {"A"});
  loop_.run_for(Seconds{300});
  EXPECT_EQ(listener.take_log(), "+0@1000 -0@61000 +0@121000 -0@181000 +0@241000 ");
  EXPECT_EQ((*inputs)->passes(), 2u);
}

TEST_F(Recorded, AnExactMinuteIsThePeriodItself) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording("0,A,1\n60,A,0\n"));
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)->period(), Seconds{60});
  Listener listener(loop_, **inputs, {"A"});
  loop_.run_for(Seconds{61});
  EXPECT_EQ(listener.take_log(), "+0@0 -0@60000 +0@60000 ");
}

TEST_F(Recorded, AnEmptyRecordingIsAMinuteOfNothing) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording(""));
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)->period(), Seconds{60});
}

TEST_F(Recorded, ALoopThatIsOnAtTheEndIsSwitchedOffThere) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording("1,A,1\n"));
  ASSERT_TRUE(inputs);
  Listener listener(loop_, **inputs, {"A"});
  loop_.run_for(Seconds{65});
  EXPECT_EQ(listener.take_log(), "+0@1000 -0@60000 +0@61000 ");
  EXPECT_EQ((*inputs)->switched_off_at_end(), 1u);
}

TEST_F(Recorded, PlayedOnceItEndsAndTellsSo) {
  RecordedEdgeOptions options = recording("1,A,1\n2,other,1\n3,A,0\n2.5,A,1\n");
  int ends = 0;
  options.repeats = false;
  options.on_end = [&](const Result<void>& outcome) {
    EXPECT_TRUE(outcome);
    ++ends;
  };
  auto inputs = RecordedEdgeInputs::create(loop_, std::move(options));
  ASSERT_TRUE(inputs);
  Listener listener(loop_, **inputs, {"A", "not recorded"});
  EXPECT_TRUE(loop_.run_until_idle());
  EXPECT_EQ(listener.take_log(), "+0@1000 -0@3000 +0@2500 ");
  EXPECT_EQ(ends, 1);
  EXPECT_EQ((*inputs)->length(), Seconds{3});
  EXPECT_EQ((*inputs)->edges(), 4u);
  EXPECT_EQ((*inputs)->unclaimed(), 1u);
  EXPECT_EQ((*inputs)->out_of_order(), 1u);
}

TEST_F(Recorded, ABadRowIsSaidAtOnceWhenRepeatedAndEndsItWhenPlayedOnce) {
  const std::string rows = "1,A,1\n2,A,what\n";
  const auto refused = RecordedEdgeInputs::create(loop_, recording(rows));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("line 3"), std::string::npos);
  RecordedEdgeOptions options = recording(rows);
  std::string outcome;
  options.repeats = false;
  options.on_end = [&](const Result<void>& result) { outcome = result.error().text; };
  auto inputs = RecordedEdgeInputs::create(loop_, std::move(options));
  ASSERT_TRUE(inputs);
  Listener listener(loop_, **inputs, {"A"});
  EXPECT_TRUE(loop_.run_until_idle());
  EXPECT_EQ(listener.take_log(), "+0@1000 down ");
  EXPECT_NE(outcome.find("line 3"), std::string::npos);
}

TEST_F(Recorded, AnUnknownSignalOfARepeatedRecordingIsNotFound) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording("1,A,1\n"));
  ASSERT_TRUE(inputs);
  EXPECT_EQ((*inputs)->open({"A", "Z"}).error().code, ErrorCode::not_found);
  EXPECT_TRUE((*inputs)->open({"A"}));
}

TEST_F(Recorded, ADriverThatStartsLateGetsTheLevelsAndWhatFollows) {
  auto inputs = RecordedEdgeInputs::create(loop_, recording("1,A,1\n1,B,1\n5,A,0\n"));
  ASSERT_TRUE(inputs);
  Listener first(loop_, **inputs, {"B"});
  loop_.run_for(Seconds{2});
  Listener late(loop_, **inputs, {"A"});
  EXPECT_EQ(late.take_log(), "+0@0 ");
  loop_.run_for(Seconds{10});
  EXPECT_EQ(late.take_log(), "-0@3000 ");
}

TEST_F(Recorded, OnAFasterLoopItPlaysFaster) {
  RateLoop fast(loop_, RateScale(loop_.now(), 60));
  auto inputs = RecordedEdgeInputs::create(fast, recording("1,A,1\n30,A,0\n"));
  ASSERT_TRUE(inputs);
  Listener listener(fast, **inputs, {"A"});
  loop_.run_for(Seconds{10});
  EXPECT_EQ(listener.edges().size(), 20u);
  EXPECT_EQ(listener.edges()[18].time - listener.edges()[0].time, Seconds{540});
}

}  // namespace
}  // namespace berm::hal
