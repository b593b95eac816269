// SPDX-License-Identifier: Apache-2.0
// ScriptedPositionFeeds: a test says what gpsd would. Every address is one gpsd; a feed that is
// opened is told of fixes pushed from then on, and of the state. It begins up unless the test has
// said otherwise. Thread: the loop's. Lifetime: outlives the feeds it opened.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hal/loop.hpp"
#include "hal/position_feed.hpp"

namespace berm::hal {

class ScriptedPositionFeed;

class ScriptedPositionFeeds final : public PositionFeeds {
 public:
  explicit ScriptedPositionFeeds(Loop& loop) : loop_(loop) {}
  ScriptedPositionFeeds(const ScriptedPositionFeeds&) = delete;
  ScriptedPositionFeeds& operator=(const ScriptedPositionFeeds&) = delete;
  ~ScriptedPositionFeeds() override;
  Result<std::unique_ptr<PositionFeed>> open(const std::string& address) override;

  // Delivered in the next turn with the present instant as its time; dropped while down.
  void push(PositionFix fix);
  void go_down(const std::string& reason) { tell(false, reason); }
  void go_up() { tell(true, ""); }
  std::size_t open_feeds() const { return feeds_.size(); }

 private:
  friend class ScriptedPositionFeed;
  void tell(bool is_up, const std::string& reason);

  Loop& loop_;
  std::vector<ScriptedPositionFeed*> feeds_;
  bool is_up_ = true;
  std::string reason_;
};

}  // namespace berm::hal
