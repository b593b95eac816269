// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/centre.hpp"

#include <utility>

#include "hal/base/text.hpp"

namespace berm::scenario {
namespace {

constexpr Seconds kChannelWait{3};
const hal::SimFlumeServer::Options kReplicating{.channel_capacity = 100, .channels = 2};

hal::SimHttpReply page(int status, std::string_view text, Microseconds delay = Microseconds{0}) {
  hal::SimHttpReply reply;
  reply.answer.status = status;
  reply.answer.headers = {{"content-type", "text/html;charset=iso-8859-1"}};
  reply.answer.body = "<html><body><h2>" + std::string(text) + "</h2></body></html>";
  reply.delay = delay;
  return reply;
}

std::optional<hal::SimHttpReply> reply_of(FlumeMood mood) {
  switch (mood) {
    case FlumeMood::sound:
      break;
    case FlumeMood::too_many:
      return page(503, "Error appending event to channel. Channel might be full.");
    case FlumeMood::busy:
      return page(503,
                  "Error appending event to channel. Space for commit to queue couldn't be "
                  "acquired.",
                  kChannelWait);
    case FlumeMood::bad_request:
      return page(400, "Bad request from client. Request has invalid JSON Syntax.");
    case FlumeMood::broken:
      return page(500, "Unexpected exception.");
    case FlumeMood::too_long:
      return page(431, "Request Header Fields Too Large");
    case FlumeMood::portal:
      return page(200, "Welcome. Please log in.");
    case FlumeMood::not_there:
      return page(404, "Not Found");
  }
  return std::nullopt;
}

}  // namespace

Centre::Centre(hal::SimNetwork& network, TakeLine flume_took, TakeLine broker_routed)
    : network_(network),
      flume_(network, kFlumeHost, kReplicating),
      broker_(network, kBrokerHost),
      broker_routed_(std::move(broker_routed)) {
  flume_.hand_over(
      [took = std::move(flume_took)](std::size_t channel, const hal::SimFlumeEvent& event) {
        if (channel == 0) took(event.body);
      });
  broker_.keep_taken(false);
  set_subscribed(true);
}

void Centre::set_flume_mood(FlumeMood mood) {
  flume_.answer_all(reply_of(mood));
}

void Centre::set_second_channel_full(bool is_full) {
  flume_.freeze_sink(1, is_full);
}

void Centre::set_puback_reason(int reason) {
  if (reason == 0) {
    broker_.set_judge(nullptr);
    return;
  }
  broker_.set_judge([reason](const std::string&, const hal::MqttMessage& message) {
    return message.retain ? -1 : reason;
  });
}

void Centre::set_subscribed(bool is_subscribed) {
  broker_.unsubscribe_all();
  if (!is_subscribed) return;
  broker_.subscribe("berm/+/event/#", [this](const hal::MqttMessage& message) {
    for (const std::string_view line : split(message.payload, '\n')) {
      if (!line.empty()) broker_routed_(line);
    }
  });
}

void Centre::set_flume_up(bool is_up) {
  if (std::exchange(is_flume_up_, is_up) == is_up) return;
  if (is_up) {
    flume_.start();
  } else {
    flume_.kill();
  }
}

void Centre::set_broker_up(bool is_up) {
  if (std::exchange(is_broker_up_, is_up) == is_up) return;
  if (is_up) {
    broker_.start();
  } else {
    broker_.kill();
  }
}

void Centre::heal() {
  set_flume_mood(FlumeMood::sound);
  flume_.set_poison({});
  set_second_channel_full(false);
  set_flume_up(true);
  set_broker_up(true);
  broker_.thaw();
  broker_.set_connack_reason(0);
  set_puback_reason(0);
  set_subscribed(true);
  set_link(kFlumeHost, {});
  set_link(kBrokerHost, {});
}

}  // namespace berm::scenario
