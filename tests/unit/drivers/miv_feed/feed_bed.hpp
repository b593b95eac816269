// SPDX-License-Identifier: Apache-2.0
// FeedBed: a miv_feed in virtual time before a site of ours: what the site says is a struct that a
// test changes; every request is kept. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hal/sim/http_client.hpp"
#include "tests/support/driver_bed.hpp"

namespace berm::drivers {
extern const DriverDescriptor miv_feed_driver;
}

namespace berm::drivers::miv_feed {

inline constexpr std::int64_t kMinuteOne = 1'700'000'040;  // a whole minute
inline constexpr std::int64_t kPublished = kMinuteOne + 114;

struct ServedPoint {
  int uid = 29;
  std::int64_t observed_s = kMinuteOne;
  int count = 9;  // of class 2
  std::string lane = "R10";
  std::string name = "Snede";
};

std::string data_xml(const std::vector<ServedPoint>& points, std::int64_t published_s = kPublished);
std::string list_xml(const std::vector<ServedPoint>& points);

// Answers to one path.
struct Page {
  std::string body;
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  hal::SimHttpReply::Ending ending = hal::SimHttpReply::Ending::whole;
  Microseconds delay{0};
  bool honours_etag = true;  // its ETag is a hash of the body
};

class FeedBed {
 public:
  // The wall is 20 s after the publication.
  explicit FeedBed(std::string options = "");
  ~FeedBed();

  void start();
  void run_s(std::int64_t seconds) { bed.run_for(Seconds{seconds}); }
  // Ends the driver (in good order or not) and begins its next life in the same boot.
  void restart(bool in_good_order);
  std::int64_t status(std::string_view name) { return bed.driver().status().integer(name); }
  std::int64_t faults(std::string_view source, std::string_view reason);
  // uid@minute after kMinuteOne of what was emitted since the last call: "29@0 30@1".
  std::string emitted();
  int requests(const std::string& path) const;

  test::DriverBed bed;
  Page data, list;
  std::vector<hal::HttpRequest> asked;
  std::unique_ptr<hal::SimNetwork> network;
  static constexpr const char* kHost = "site:80";

 private:
  hal::SimHttpReply answer(const hal::HttpRequest& request);
  std::string options_;
  std::unique_ptr<hal::SimHttpClient> client_;
};

}  // namespace berm::drivers::miv_feed
