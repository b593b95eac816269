// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/drivers/miv_feed/feed_bed.hpp"

#include <functional>

#include "hal/base/text.hpp"

namespace berm::drivers::miv_feed {
namespace {

std::string dutch_time(std::int64_t unix_s) {
  std::string text = iso8601(unix_s + 3600);
  text.pop_back();
  return text + "+01:00";
}

std::string element(std::string_view name, std::string_view value) {
  return text_of("<%.*s>%.*s</%.*s>", static_cast<int>(name.size()), name.data(),
                 static_cast<int>(value.size()), value.data(), static_cast<int>(name.size()),
                 name.data());
}

std::string class_xml(int number, int count) {
  const std::string speed = count == 0 ? "0" : "90";
  return "<meetdata klasse_id=\"" + std::to_string(number) + "\">" +
         element("verkeersintensiteit", std::to_string(count)) +
         element("voertuigsnelheid_rekenkundig", speed) +
         element("voertuigsnelheid_harmonisch", count == 0 ? "252" : "88") + "</meetdata>";
}

}  // namespace

std::string data_xml(const std::vector<ServedPoint>& points, std::int64_t published_s) {
  std::string xml = "<miv schemaVersion=\"1.0.0\">" +
                    element("tijd_publicatie", dutch_time(published_s)) +
                    element("tijd_laatste_config_wijziging", "2017-02-17T14:42:06+01:00");
  for (const ServedPoint& point : points) {
    xml += "<meetpunt unieke_id=\"" + std::to_string(point.uid) + "\">" +
           element("tijd_waarneming", dutch_time(point.observed_s)) + element("beschikbaar", "1") +
           element("defect", "0") + element("geldig", "0");
    for (int number = 1; number <= 5; ++number) {
      xml += class_xml(number, number == 2 ? point.count : 0);
    }
    xml +=
        "<rekendata><bezettingsgraad>3</bezettingsgraad><beschikbaarheidsgraad>100"
        "</beschikbaarheidsgraad><onrustigheid>4</onrustigheid></rekendata></meetpunt>";
  }
  return xml + "</miv>";
}

std::string list_xml(const std::vector<ServedPoint>& points) {
  std::string xml =
      "<mivconfig>" + element("tijd_laatste_config_wijziging", "2017-02-17T14:42:06+01:00");
  for (const ServedPoint& point : points) {
    xml += "<meetpunt unieke_id=\"" + std::to_string(point.uid) + "\">" +
           element("volledige_naam", point.name) + element("Rijstrook", point.lane) +
           element("Kmp_Rsys", "94,695") + "</meetpunt>";
  }
  return xml + "</mivconfig>";
}

FeedBed::FeedBed(std::string options)
    : bed(wall_s(kPublished + 20)),
      network(std::make_unique<hal::SimNetwork>(bed.loop())),
      options_(std::move(options)),
      client_(std::make_unique<hal::SimHttpClient>(*network)) {
  const std::vector<ServedPoint> points{{.uid = 29}, {.uid = 30, .lane = "TR10"}};
  data.body = data_xml(points);
  list.body = list_xml(points);
  bed.set_http(client_.get());
  hal::serve_http(*network, kHost,
                  [this](const hal::HttpRequest& request) { return answer(request); });
}

FeedBed::~FeedBed() {
  bed.power_cut();  // the driver goes before the client it asks
}

void FeedBed::start() {
  bed.start(
      miv_feed_driver,
      "{\"data_url\":\"http://site/data\",\"points_url\":\"http://site/list\"" + options_ + "}");
}

void FeedBed::restart(bool in_good_order) {
  if (in_good_order) {
    bed.stop();
  } else {
    bed.power_cut();
  }
  start();
}

hal::SimHttpReply FeedBed::answer(const hal::HttpRequest& request) {
  asked.push_back(request);
  const Page& page = request.url.ends_with("/list") ? list : data;
  hal::SimHttpReply reply;
  reply.delay = page.delay;
  reply.ending = page.ending;
  reply.answer.status = page.status;
  reply.answer.headers = page.headers;
  const std::string etag = "\"" + std::to_string(std::hash<std::string>()(page.body)) + "\"";
  const bool is_fine = page.status == 200 && page.honours_etag;
  if (is_fine) reply.answer.headers.emplace_back("etag", etag);
  for (const auto& [name, value] : request.headers) {
    if (is_fine && name == "If-None-Match" && value == etag) {
      reply.answer.status = 304;
      return reply;
    }
  }
  reply.answer.body = page.body;
  return reply;
}

std::int64_t FeedBed::faults(std::string_view source, std::string_view reason) {
  const Status status = bed.driver().status();
  return status.child(source)->child("faults")->integer(reason);
}

std::string FeedBed::emitted() {
  std::string text;
  for (const LanePeriod& period : bed.periods()) {
    const std::int64_t minute = (s_of(*period.start.wall) - kMinuteOne) / 60;
    text += (text.empty() ? "" : " ") + std::to_string(period.uid) + "@" + std::to_string(minute);
  }
  bed.periods().clear();
  return text;
}

int FeedBed::requests(const std::string& path) const {
  int count = 0;
  for (const hal::HttpRequest& request : asked) count += request.url.ends_with(path) ? 1 : 0;
  return count;
}

}  // namespace berm::drivers::miv_feed
