// SPDX-License-Identifier: Apache-2.0
#include "firmware/uplink/mqtt_transport.hpp"

#include <algorithm>
#include <utility>

#include "firmware/uplink/limits.hpp"
#include "firmware/uplink/mqtt_answer.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace berm::uplink {
namespace {

Answer read_publish_error(const Error& error) {
  Answer answer{Verdict::failed, error.text};
  if (error.code == ErrorCode::invalid) {
    // The client itself knows that the broker would not take it (its maximum packet size).
    answer.verdict = Verdict::too_large;
    answer.can_set_aside = true;
  }
  return answer;
}

}  // namespace

MqttTransport::MqttTransport(MqttTransportOptions options, hal::Loop& loop,
                             hal::MqttClients& clients)
    : options_(std::move(options)),
      loop_(loop),
      clients_(clients),
      puback_timer_(loop),
      presence_(options_.headers.node(), options_.instance, options_.version) {
  BERM_ASSERT(options_.max_in_flight > 0 && options_.max_events > 0);
}

MqttTransport::~MqttTransport() {
  close();
}

Transport::Limits MqttTransport::limits() const {
  const bool is_lines = options_.payload == codec::MqttPayload::lines;
  return {.max_in_flight = options_.max_in_flight,
          .max_events = is_lines ? options_.max_events : 1,
          .max_bytes = options_.max_message_bytes,
          .one_stream = is_lines};
}

std::string MqttTransport::fault_of(const event::Event& event) const {
  return options_.headers.fault_of(event, options_.max_message_bytes - 1);
}

void MqttTransport::open(Events events) {
  events_ = std::move(events);
  is_ready_ = false;
  hal::MqttOptions broker = options_.broker;
  broker.max_in_flight = static_cast<int>(options_.max_in_flight + kMqttControlSlots);
  broker.has_will = true;
  broker.will = state_message("offline");
  broker.clean_start = true;
  if (broker.client_id.empty()) broker.client_id = options_.headers.node();
  hal::MqttEvents heard;
  heard.on_connected = [this](int reason, bool) { on_connected(reason); };
  heard.on_disconnected = [this](const Error& error, int reason) {
    lose(read_disconnect(error, reason));
  };
  heard.on_acknowledged = [this](std::uint64_t id, int reason) { on_acknowledged(id, reason); };
  heard.on_subscribed = [this](const std::string& filter, int reason) {
    if (filter == presence_.topic()) {
      info_reason_ = reason;
    } else if (options_.channel != nullptr) {
      options_.channel->on_subscribed(filter, reason);
    }
  };
  heard.on_message = [this](const hal::MqttMessage& message) { on_message(message); };
  ++connects_;
  auto made = clients_.create(std::move(broker), std::move(heard));
  if (!made) {
    loop_.post([this, life = std::weak_ptr(life_), reason = made.error().text] {
      if (!life.expired()) lose(Loss{reason});
    });
    return;
  }
  client_ = std::move(*made);
  client_->connect();
}

void MqttTransport::on_connected(int reason) {
  if (reason != 0) {
    lose(read_connack(reason));
    return;
  }
  is_ready_ = true;
  // Its acknowledgement is nobody's: an id that is not waited for.
  if (presence_.is_used()) static_cast<void>(client_->subscribe(presence_.topic(), 1));
  if (options_.channel != nullptr) options_.channel->connected(*client_);
  const auto online = client_->publish(state_message("online"));
  online_id_ = online ? *online : 0;
  if (events_.on_ready) events_.on_ready();
}

// A broker works in order: what was retained when we subscribed has been read, so ours may replace
// it.
void MqttTransport::on_online() {
  online_id_ = 0;
  if (!presence_.is_used()) return;
  static_cast<void>(client_->publish(retained(presence_.topic(), presence_.next_text())));
}

void MqttTransport::on_message(const hal::MqttMessage& message) {
  const bool is_presence = message.topic == presence_.topic();
  if (!is_presence && options_.channel != nullptr) return options_.channel->on_message(message);
  if (!is_presence || !presence_.is_used_twice(message.payload)) return;
  client_->disconnect();
  lose({"another device connects to the broker with this node's name", Trouble::identity_used_twice,
        kTakeoverWait});
}

hal::MqttMessage MqttTransport::state_message(const char* state) const {
  return retained("berm/" + options_.headers.node() + "/state", state);
}

hal::MqttMessage MqttTransport::retained(std::string topic, std::string payload) {
  hal::MqttMessage message;
  message.topic = std::move(topic);
  message.payload = std::move(payload);
  message.qos = 1;
  message.retain = true;
  return message;
}

void MqttTransport::send(const std::vector<Outgoing>& batch, std::function<void(Answer)> done) {
  BERM_ASSERT(is_ready_ && unacknowledged_.size() < options_.max_in_flight);
  codec::MqttText text = codec::write_mqtt_text(batch, options_.headers, options_.payload);
  hal::MqttMessage message;
  message.topic = std::move(text.topic);
  message.payload = std::move(text.payload);
  message.qos = 1;
  message.user_properties = std::move(text.user_properties);
  message.content_type = std::move(text.content_type);
  const Result<std::uint64_t> id = client_->publish(message);
  if (!id) {
    answer_soon(std::move(done), read_publish_error(id.error()));
    return;
  }
  unacknowledged_.push_back({*id, loop_.now(), std::move(done)});
  if (unacknowledged_.size() == 1) watch_oldest();
}

void MqttTransport::answer_soon(std::function<void(Answer)> done, Answer answer) {
  loop_.post([this, life = std::weak_ptr(life_), connect = connects_, done = std::move(done),
              answer = std::move(answer)] {
    if (!life.expired() && is_ready_ && connect == connects_) done(answer);
  });
}

void MqttTransport::on_acknowledged(std::uint64_t id, int reason) {
  if (id == online_id_) return on_online();
  if (options_.channel != nullptr && options_.channel->on_acknowledged(id, reason)) return;
  const auto found = std::find_if(unacknowledged_.begin(), unacknowledged_.end(),
                                  [&](const Unacknowledged& sent) { return sent.id == id; });
  if (found == unacknowledged_.end()) return;
  const bool was_oldest = found == unacknowledged_.begin();
  const auto done = std::move(found->done);
  unacknowledged_.erase(found);
  if (was_oldest) watch_oldest();
  done(read_puback(reason, options_.pass_without_subscriber));
}

void MqttTransport::watch_oldest() {
  puback_timer_.cancel();
  if (unacknowledged_.empty()) return;
  puback_timer_.at(unacknowledged_.front().sent + kPubackTimeout, [this] {
    client_->disconnect();
    lose(Loss{text_of("the broker took a message and did not acknowledge it within %lld s",
                      static_cast<long long>(kPubackTimeout.count() / 1000))});
  });
}

void MqttTransport::lose(const Loss& loss) {
  if (is_ready_ && options_.channel != nullptr) options_.channel->disconnected();
  is_ready_ = false;
  unacknowledged_.clear();
  puback_timer_.cancel();
  if (events_.on_lost) events_.on_lost(loss);
}

void MqttTransport::close() {
  if (is_ready_ && options_.channel != nullptr) options_.channel->disconnected();
  if (is_ready_) static_cast<void>(client_->publish(state_message("offline")));
  if (client_) client_->disconnect();
  events_ = {};
  is_ready_ = false;
  unacknowledged_.clear();
  puback_timer_.cancel();
  ++connects_;
}

void MqttTransport::probe(std::function<void(Answer)> done) {
  hal::MqttOptions broker = options_.broker;
  if (broker.client_id.empty()) broker.client_id = options_.headers.node();
  broker.client_id += "-trial";
  const auto answer = [this, done = std::move(done)](const Answer& said) {
    if (client_) client_->disconnect();
    done(said);
  };
  hal::MqttEvents heard;
  heard.on_connected = [answer](int reason, bool) {
    if (reason == 0) return answer({Verdict::delivered, "connected"});
    answer({Verdict::failed, read_connack(reason).reason});
  };
  heard.on_disconnected = [answer](const Error& error, int reason) {
    answer({Verdict::failed, read_disconnect(error, reason).reason});
  };
  auto made = clients_.create(std::move(broker), std::move(heard));
  if (!made) {
    loop_.post([life = std::weak_ptr(life_), done = answer, reason = made.error().text] {
      if (!life.expired()) done({Verdict::failed, reason});
    });
    return;
  }
  client_ = std::move(*made);
  client_->connect();
}

Status MqttTransport::status() const {
  Status status("transport");
  status.set("kind", "mqtt")
      .set("endpoint", text_of("%s:%d", options_.broker.host.c_str(), options_.broker.port));
  status.set("connected", is_ready_);
  if (info_reason_ >= kRefusedFrom) {
    status.set("info", "subscription refused: MQTT " + name_of_reason(info_reason_));
  }
  return status;
}

}  // namespace berm::uplink
