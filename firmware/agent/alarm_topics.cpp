// SPDX-License-Identifier: Apache-2.0
// Alarms as retained messages beside the events: `berm/{node}/alarm/{alarm}/{subject}`, there as
// long as the alarm is on. What an earlier life left there is cleared once the broker shows it.
#include <algorithm>

#include "firmware/agent/agent.hpp"
#include "firmware/agent/remote_side.hpp"

namespace berm::agent {
namespace {

std::string prefix_of(const std::string& node) {
  return "berm/" + node + "/alarm/";
}

std::string topic_of(const std::string& node, std::string_view alarm, std::string_view subject) {
  std::string topic = prefix_of(node) + std::string(alarm) + "/" + std::string(subject);
  std::replace_if(topic.begin(), topic.end(), [](char c) { return c == '+' || c == '#'; }, '_');
  return topic;
}

hal::MqttMessage retained(std::string topic, std::string payload) {
  hal::MqttMessage message;
  message.topic = std::move(topic);
  message.payload = std::move(payload);
  message.retain = true;
  return message;
}

std::string text_of_row(const drivers::Row& row, std::string_view key) {
  for (const auto& [name, value] : row.values) {
    if (name != key) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
  }
  return {};
}

std::string payload_of(const Status& alarm) {
  Json text;
  for (const char* key : {"alarm", "subject", "severity"}) text.set(key, alarm.text(key));
  text.set("since", alarm.integer("since"));
  text.set("text", alarm.text("text"));
  return text.to_text();
}

}  // namespace

std::unique_ptr<uplink::ControlChannel> Agent::make_channel(const std::string& uplink) {
  std::vector<std::string> filters{prefix_of(configuration_.node) + "#"};
  const bool is_remote = remote_ && configuration_.remote->uplink == uplink;
  if (is_remote) {
    for (std::string& filter : remote_->filters()) filters.push_back(std::move(filter));
  }
  uplink::ControlChannelEvents events;
  events.on_up = [this, uplink, is_remote] {
    publish_alarms(uplink);
    if (is_remote) remote_->on_up();
  };
  events.on_message = [this, uplink, is_remote](const hal::MqttMessage& message) {
    if (is_remote && remote_->on_message(message)) return;
    clear_stale_alarm(uplink, message);
  };
  return std::make_unique<uplink::ControlChannel>(parts_.loop, std::move(filters),
                                                  std::move(events));
}

void Agent::publish_alarm(const drivers::Row& row) {
  const std::string alarm = text_of_row(row, "alarm");
  const std::string subject = text_of_row(row, "subject");
  const std::string topic = topic_of(configuration_.node, alarm, subject);
  std::string payload;
  if (text_of_row(row, "state") == "begin") {
    const Status all = alarms_.status();
    if (const Status* const active = all.child(alarm + "/" + subject)) {
      payload = payload_of(*active);
    }
  }
  for (const auto& [uplink, channel] : channels_) {
    if (channel->is_up()) channel->publish(retained(topic, payload), {});
  }
}

void Agent::publish_alarms(std::string_view uplink) {
  uplink::ControlChannel* const own = channel(uplink);
  if (own == nullptr) return;
  const Status all = alarms_.status();
  for (const Status& alarm : all.children()) {
    own->publish(retained(topic_of(configuration_.node, alarm.text("alarm"), alarm.text("subject")),
                          payload_of(alarm)),
                 {});
  }
}

void Agent::clear_stale_alarm(std::string_view uplink, const hal::MqttMessage& message) {
  if (message.payload.empty() || !message.topic.starts_with(prefix_of(configuration_.node))) return;
  const Status all = alarms_.status();
  const bool is_on =
      std::any_of(all.children().begin(), all.children().end(), [&](const Status& alarm) {
        return topic_of(configuration_.node, alarm.text("alarm"), alarm.text("subject")) ==
               message.topic;
      });
  uplink::ControlChannel* const own = channel(uplink);
  if (!is_on && own != nullptr) own->publish(retained(message.topic, {}), {});
}

}  // namespace berm::agent
