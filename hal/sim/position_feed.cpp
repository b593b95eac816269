// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/position_feed.hpp"

#include <deque>
#include <utility>

namespace berm::hal {

class ScriptedPositionFeed final : public PositionFeed {
 public:
  ScriptedPositionFeed(ScriptedPositionFeeds& feeds, Loop& loop) : feeds_(&feeds), turn_(loop) {
    feeds.feeds_.push_back(this);
  }
  ~ScriptedPositionFeed() override {
    if (feeds_ != nullptr) std::erase(feeds_->feeds_, this);
  }

  void start(OnFix on_fix, OnState on_state) override {
    on_fix_ = std::move(on_fix);
    on_state_ = std::move(on_state);
    tell();
  }
  Status status() const override {
    Status status("gpsd");
    const bool is_up = feeds_ != nullptr && feeds_->is_up_;
    status.set("state", is_up ? "up" : "down").set("reports", reports_).set("malformed", 0);
    return status;
  }

  void take(const PositionFix& fix) {
    if (!on_fix_) return;
    waiting_.push_back(fix);
    turn_.after(Microseconds{0}, [this] { deliver(); });
  }
  void tell() {
    if (!on_state_) return;
    is_news_ = true;
    turn_.after(Microseconds{0}, [this] { deliver(); });
  }
  void forget() { feeds_ = nullptr; }

 private:
  void deliver() {
    if (feeds_ == nullptr) return;
    if (std::exchange(is_news_, false)) on_state_(feeds_->is_up_, feeds_->reason_);
    while (!waiting_.empty()) {
      const PositionFix fix = waiting_.front();
      waiting_.pop_front();
      ++reports_;
      on_fix_(fix);
    }
  }

  ScriptedPositionFeeds* feeds_;
  Timer turn_;
  OnFix on_fix_;
  OnState on_state_;
  std::deque<PositionFix> waiting_;
  bool is_news_ = false;
  std::uint64_t reports_ = 0;
};

ScriptedPositionFeeds::~ScriptedPositionFeeds() {
  for (ScriptedPositionFeed* feed : feeds_) feed->forget();
}

Result<std::unique_ptr<PositionFeed>> ScriptedPositionFeeds::open(const std::string& address) {
  if (address.find(':') == std::string::npos) {
    return fail(ErrorCode::invalid, "\"" + address + "\" is not host:port");
  }
  return std::unique_ptr<PositionFeed>(std::make_unique<ScriptedPositionFeed>(*this, loop_));
}

void ScriptedPositionFeeds::push(PositionFix fix) {
  if (!is_up_) return;
  fix.time = loop_.now();
  for (ScriptedPositionFeed* feed : feeds_) feed->take(fix);
}

void ScriptedPositionFeeds::tell(bool is_up, const std::string& reason) {
  is_up_ = is_up;
  reason_ = reason;
  for (ScriptedPositionFeed* feed : feeds_) feed->tell();
}

}  // namespace berm::hal
