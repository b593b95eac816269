// SPDX-License-Identifier: Apache-2.0
// FeedSite: the MIV site as some nodes poll it: a list of kFeedPoints points and the minute's data,
// new every minute of true time, two minutes after it began. What it serves follows from point and
// minute alone (`feed_count`), so that the oracle can tell a wrong row from a right one. It has
// moods. Used by Bed. Lifetime: network > site. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "hal/sim/http_client.hpp"
#include "hal/sim/network.hpp"

namespace berm::scenario {

inline constexpr const char* kFeedHost = "miv.centre:80";
inline constexpr std::int64_t kFirstFeedUid = 500'000;  // lanes of the node's own are below
inline constexpr int kFeedPoints = 3;

// Vehicles of that point in the minute that began then.
std::int64_t feed_count(std::int64_t uid, std::int64_t minute_s);

enum class FeedMood {
  sound,
  away,    // 503
  portal,  // 200 with a page
  cut,     // half of the document
  silent,  // never an answer
  stuck,   // for ever the same minute
};

class FeedSite {
 public:
  // `start`: wall time at the world's beginning.
  FeedSite(hal::SimNetwork& network, WallTime start);
  FeedSite(const FeedSite&) = delete;
  FeedSite& operator=(const FeedSite&) = delete;
  void set_mood(FeedMood mood);

 private:
  std::int64_t minute_s() const;
  hal::SimHttpReply answer(const hal::HttpRequest& request) const;
  hal::SimNetwork& network_;
  const WallTime start_;
  FeedMood mood_ = FeedMood::sound;
  std::int64_t stuck_minute_s_ = 0;
};

}  // namespace berm::scenario
