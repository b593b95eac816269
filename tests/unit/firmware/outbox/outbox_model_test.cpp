// SPDX-License-Identifier: Apache-2.0
// Random histories of appends, takes, settlements, refusals, requeues, restarts and kills against a
// simple model: what was acknowledged is delivered to every uplink at least once, repeats have
// equal bytes, and each series comes in order except for what is offered again.
#include <gtest/gtest.h>

#include <map>

#include "tests/support/outbox_account.hpp"
#include "tests/support/outbox_bed.hpp"

namespace berm::test {
namespace {

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed), bed_(seed) {
    bed_.options.uplinks = {{.name = "a"}, {.name = "b", .streams = {"traffic.*", "node.*"}}};
    for (const auto& uplink : bed_.options.uplinks) accounts_.emplace_back(uplink.name);
    in_flight_.resize(2);
  }

  void run(int steps) {
    ASSERT_TRUE(bed_.open());
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    finish();
  }

 private:
  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return append();
      case 4:
      case 5:
      case 6:
        return take(random_.below(2));
      case 7:
      case 8:
        return settle(random_.below(2));
      case 9:
        return restart();
      case 10:
        return requeue();
      default:
        bed_.run_for(Milliseconds{static_cast<std::int64_t>(random_.below(3000))});
    }
  }

  void append() {
    const auto events = 1 + random_.below(30);
    for (std::uint64_t i = 0; i < events; ++i) {
      const auto acknowledge = [this] { ++acknowledged_; };
      const auto count = static_cast<std::int64_t>(random_.below(40));
      switch (random_.below(4)) {
        case 0:
          bed_.append_vehicle(acknowledge);
          break;
        case 1:
          bed_.append_row("node.alarm", acknowledge);
          break;
        default:
          bed_.append_lane(count, [this, acknowledge, count] {
            acknowledge();
            vehicles_ += count;
          });
      }
    }
  }

  void take(outbox::UplinkIndex uplink) {
    const auto batch = bed_.take(uplink, {.max_events = 1 + random_.below(50),
                                          .max_bytes = 500 + random_.below(40000),
                                          .one_stream = random_.below(3) == 0});
    ASSERT_TRUE(batch) << batch.error().text;
    std::map<std::string, std::int64_t> last;
    for (const event::Event& event : batch->events) {
      std::int64_t& before = last[event.epoch + "/" + std::string(event.schema->name)];
      EXPECT_GT(event.seq, before) << "order within a batch";
      before = event.seq;
      for (const event::Event& other : in_flight_[uplink]) {
        EXPECT_NE(id_of(other), id_of(event)) << "in flight already";
      }
    }
    for (const event::Event& event : batch->events) in_flight_[uplink].push_back(event);
  }

  void settle(outbox::UplinkIndex uplink) {
    auto events = std::exchange(in_flight_[uplink], {});
    if (random_.below(8) == 0) {
      bed_.outbox().return_all(uplink);
      return;
    }
    std::vector<outbox::Settled> settled;
    for (const event::Event& event : events) {
      const auto dice = random_.below(100);
      const auto how = dice < 70   ? outbox::Settlement::delivered
                       : dice < 98 ? outbox::Settlement::returned
                                   : outbox::Settlement::refused;
      if (how == outbox::Settlement::delivered) accounts_[uplink].receive(event);
      settled.push_back({ref_of(event), how, "HTTP 400"});
    }
    bed_.outbox().settle(uplink, std::move(settled));
    if (random_.below(2) == 0) bed_.run_for(Milliseconds{10});
  }

  void restart() {
    if (random_.below(4) != 0) return;
    for (auto& events : in_flight_) events.clear();
    if (random_.below(2) == 0) {
      bed_.close();
    } else {
      bed_.kill();
    }
    const auto opened = bed_.open();
    ASSERT_TRUE(opened) << opened.error().text;
  }

  void requeue() {
    const auto shelf = bed_.set_aside();
    if (shelf.empty()) return;
    EXPECT_TRUE(bed_.requeue(shelf[random_.below(shelf.size())].number));
  }

  void finish() {
    bed_.flush();
    for (outbox::UplinkIndex uplink = 0; uplink < 2; ++uplink) {
      bed_.outbox().return_all(uplink);
      for (const event::Event& event : bed_.drain(uplink)) accounts_[uplink].receive(event);
      EXPECT_EQ(bed_.outbox().waiting(uplink), 0);
      EXPECT_EQ(accounts_[uplink].fault(), "");
      EXPECT_GE(accounts_[uplink].received() + accounts_[uplink].explained(), acknowledged_);
      EXPECT_GE(accounts_[uplink].vehicles_received() + accounts_[uplink].vehicles_in_gaps(),
                vehicles_);
    }
  }

  hal::SimRandom random_;
  OutboxBed bed_;
  std::vector<OutboxAccount> accounts_;
  std::vector<std::vector<event::Event>> in_flight_;
  std::int64_t acknowledged_ = 0;
  std::int64_t vehicles_ = 0;
};

TEST(OutboxModel, RandomHistoriesLoseNothingAndRepeatTheSameBytes) {
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    history.run(250);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace berm::test
