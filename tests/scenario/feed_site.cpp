// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/feed_site.hpp"

#include "hal/base/text.hpp"
#include "hal/sim/loop.hpp"

namespace berm::scenario {
namespace {

constexpr std::int64_t kMinuteS = 60;
constexpr std::int64_t kPublishedAfterS = 120;

std::string dutch_time(std::int64_t unix_s) {
  std::string text = iso8601(unix_s + 3600);
  text.pop_back();
  return text + "+01:00";
}

std::string head(std::string_view root) {
  return "<" + std::string(root) +
         "><tijd_laatste_config_wijziging>2017-02-17T14:42:06+01:00"
         "</tijd_laatste_config_wijziging>";
}

std::string class_xml(int number, std::int64_t count) {
  return text_of(
      "<meetdata klasse_id=\"%d\"><verkeersintensiteit>%lld</verkeersintensiteit>"
      "<voertuigsnelheid_rekenkundig>%d</voertuigsnelheid_rekenkundig>"
      "<voertuigsnelheid_harmonisch>%d</voertuigsnelheid_harmonisch></meetdata>",
      number, static_cast<long long>(count), count == 0 ? 0 : 90, count == 0 ? 252 : 88);
}

std::string data_xml(std::int64_t minute_s) {
  std::string xml = head("miv") + "<tijd_publicatie>" + dutch_time(minute_s + kPublishedAfterS) +
                    "</tijd_publicatie>";
  for (std::int64_t uid = kFirstFeedUid; uid < kFirstFeedUid + kFeedPoints; ++uid) {
    xml += text_of("<meetpunt unieke_id=\"%lld\"><tijd_waarneming>%s</tijd_waarneming>",
                   static_cast<long long>(uid), dutch_time(minute_s).c_str());
    xml += "<beschikbaar>1</beschikbaar><defect>0</defect><geldig>0</geldig>";
    for (int number = 1; number <= 5; ++number) {
      xml += class_xml(number, number == 2 ? feed_count(uid, minute_s) : 0);
    }
    xml +=
        "<rekendata><bezettingsgraad>3</bezettingsgraad><beschikbaarheidsgraad>100"
        "</beschikbaarheidsgraad><onrustigheid>4</onrustigheid></rekendata></meetpunt>";
  }
  return xml + "</miv>";
}

std::string list_xml() {
  std::string xml = head("mivconfig");
  for (std::int64_t uid = kFirstFeedUid; uid < kFirstFeedUid + kFeedPoints; ++uid) {
    xml += text_of(
        "<meetpunt unieke_id=\"%lld\"><volledige_naam>point</volledige_naam>"
        "<Rijstrook>R10</Rijstrook><Kmp_Rsys>94,695</Kmp_Rsys></meetpunt>",
        static_cast<long long>(uid));
  }
  return xml + "</mivconfig>";
}

}  // namespace

std::int64_t feed_count(std::int64_t uid, std::int64_t minute_s) {
  return (minute_s / kMinuteS * 7 + uid * 3) % 41;
}

FeedSite::FeedSite(hal::SimNetwork& network, WallTime start) : network_(network), start_(start) {
  hal::serve_http(network, kFeedHost,
                  [this](const hal::HttpRequest& request) { return answer(request); });
}

// The newest that is published.
std::int64_t FeedSite::minute_s() const {
  const WallTime now = start_ + (network_.loop().now() - hal::SimLoop::kDefaultStart);
  return (s_of(now) - kPublishedAfterS) / kMinuteS * kMinuteS;
}

void FeedSite::set_mood(FeedMood mood) {
  mood_ = mood;
  stuck_minute_s_ = minute_s();
}

hal::SimHttpReply FeedSite::answer(const hal::HttpRequest& request) const {
  hal::SimHttpReply reply;
  reply.answer.status = mood_ == FeedMood::away ? 503 : 200;
  if (mood_ == FeedMood::away) return reply;
  if (mood_ == FeedMood::silent) reply.ending = hal::SimHttpReply::Ending::silent;
  if (mood_ == FeedMood::cut) reply.ending = hal::SimHttpReply::Ending::half;
  if (mood_ == FeedMood::portal) {
    reply.answer.body = "<html><body>Please log in.</body></html>";
    return reply;
  }
  const bool is_list = request.url.find("configuratie") != std::string::npos;
  reply.answer.body =
      is_list ? list_xml() : data_xml(mood_ == FeedMood::stuck ? stuck_minute_s_ : minute_s());
  return reply;
}

}  // namespace berm::scenario
