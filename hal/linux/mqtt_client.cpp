// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_client.hpp"

#include <mosquitto.h>

#include <csignal>
#include <unordered_map>

#include "hal/base/assert.hpp"
#include "hal/linux/mqtt_connection.hpp"
#include "hal/linux/mqtt_tls.hpp"

namespace berm::hal {
namespace {

class MosquittoClient final : public MqttClient {
 public:
  MosquittoClient(EpollLoop& loop, NameLookups& lookups, MqttOptions options, MqttEvents events)
      : loop_(loop),
        lookups_(lookups),
        options_(std::move(options)),
        events_(std::make_shared<const MqttEvents>(std::move(events))),
        deadline_(loop),
        address_deadline_(loop),
        wake_(loop) {}

  ~MosquittoClient() override {
    *is_alive_ = false;
    disconnect();
  }

  void connect() override;
  void disconnect() override;
  bool is_connected() const override { return state_ == State::connected; }
  Result<std::uint64_t> publish(const MqttMessage& message) override;
  Result<void> subscribe(const std::string& topic_filter, int qos) override;
  Status status() const override;

 private:
  enum class State { idle, resolving, connecting, connected };

  void on_addresses(Result<NameLookup::Addresses> addresses);
  void try_next_address();
  void leave_address(Error error);
  void on_timeout();
  // Everything the connection has noted, in order; stops where an event ended the connection or us.
  void drain();
  void handle(MqttHappening& happening);
  void on_connack(int reason, bool session_present);
  void on_acknowledged(int mid, int reason);
  void on_subscribed(int mid, int reason);
  void on_closed(Error error, int reason);
  void drop_connection();
  void end(Error error, int reason);
  Error with_place(Error error) const;

  EpollLoop& loop_;
  NameLookups& lookups_;
  const MqttOptions options_;
  std::shared_ptr<const MqttEvents> events_;  // shared: an event may destroy this client
  std::unique_ptr<MqttTls> tls_;              // of this `connect`

  State state_ = State::idle;
  std::unique_ptr<NameLookup> lookup_;
  NameLookup::Addresses addresses_;
  std::size_t next_address_ = 0;
  Error last_error_;
  std::unique_ptr<MqttConnection> connection_;
  std::uint64_t generation_ = 0;  // of the connection
  SocketBytes finished_bytes_;
  Timer deadline_;
  Timer address_deadline_;
  Timer wake_;
  MonoTime give_up_at_{};
  std::uint64_t last_id_ = 0;
  std::unordered_map<int, std::uint64_t> in_flight_;
  std::unordered_map<int, std::string> subscribing_;  // topic filters without their SUBACK
  std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

void MosquittoClient::connect() {
  if (state_ != State::idle) return;
  state_ = State::resolving;
  give_up_at_ = loop_.now() + options_.timeout;
  deadline_.at(give_up_at_, [this] { on_timeout(); });
  lookup_ = lookups_.start(options_.host, [this](Result<NameLookup::Addresses> addresses) {
    on_addresses(std::move(addresses));
  });
}

void MosquittoClient::disconnect() {
  if (connection_ && state_ == State::connected) connection_->say_goodbye();
  drop_connection();
  state_ = State::idle;
}

void MosquittoClient::drop_connection() {
  lookup_.reset();
  deadline_.cancel();
  address_deadline_.cancel();
  wake_.cancel();
  in_flight_.clear();
  subscribing_.clear();
  ++generation_;
  if (!connection_) return;
  finished_bytes_ += connection_->bytes();
  connection_.reset();
}

void MosquittoClient::on_addresses(Result<NameLookup::Addresses> addresses) {
  lookup_.reset();
  if (!addresses) {
    end(std::move(addresses.error()), 0);
    return;
  }
  if (options_.tls) {
    auto tls = MqttTls::create(options_.tls_options, options_.host);
    if (!tls) return end(with_place(std::move(tls.error())), 0);
    tls_ = std::move(*tls);
  }
  addresses_ = std::move(*addresses);
  next_address_ = 0;
  last_error_ = Error{ErrorCode::unavailable, "no address", 0};
  try_next_address();
}

void MosquittoClient::try_next_address() {
  while (next_address_ < addresses_.size()) {
    const auto left = static_cast<std::int64_t>(addresses_.size() - next_address_);
    const auto& address = addresses_[next_address_++];
    state_ = State::connecting;
    auto opened = MqttConnection::open(loop_, options_, address, tls_.get(), [this] { drain(); });
    if (opened) {
      ++generation_;
      connection_ = std::move(*opened);
      const auto share = (give_up_at_ - loop_.now()) / left;
      if (left > 1)
        address_deadline_.after(
            share, [this] { leave_address(Error{ErrorCode::timeout, "no answer", 0}); });
      return;
    }
    last_error_ = std::move(opened.error());
  }
  end(with_place(last_error_), 0);
}

void MosquittoClient::on_timeout() {
  const char* text =
      state_ == State::resolving ? "the name was not resolved in time" : "no answer in time";
  end(with_place(Error{ErrorCode::timeout, text, 0}), 0);
}

Error MosquittoClient::with_place(Error error) const {
  return std::move(error).with_context(options_.host + ":" + std::to_string(options_.port));
}

void MosquittoClient::drain() {
  const auto is_alive = is_alive_;
  const std::uint64_t generation = generation_;
  if (!connection_) return;
  auto happened = connection_->take();
  for (auto& happening : happened) {
    handle(happening);
    if (!*is_alive || generation_ != generation) return;
  }
}

void MosquittoClient::handle(MqttHappening& happening) {
  const auto events = events_;
  switch (happening.kind) {
    case MqttHappening::Kind::connack:
      on_connack(happening.reason, happening.session_present);
      break;
    case MqttHappening::Kind::acknowledged:
      on_acknowledged(happening.mid, happening.reason);
      break;
    case MqttHappening::Kind::subscribed:
      on_subscribed(happening.mid, happening.reason);
      break;
    case MqttHappening::Kind::message:
      if (events->on_message) events->on_message(happening.message);
      break;
    case MqttHappening::Kind::closed:
      on_closed(std::move(happening.error), happening.reason);
      break;
  }
}

void MosquittoClient::on_connack(int reason, bool session_present) {
  const auto events = events_;
  deadline_.cancel();
  address_deadline_.cancel();
  if (reason == 0) {
    state_ = State::connected;
  } else {
    drop_connection();
    state_ = State::idle;
  }
  if (events->on_connected) events->on_connected(reason, session_present);
}

void MosquittoClient::on_acknowledged(int mid, int reason) {
  const auto found = in_flight_.find(mid);
  if (found == in_flight_.end()) return;
  const std::uint64_t id = found->second;
  in_flight_.erase(found);
  const auto events = events_;
  if (events->on_acknowledged) events->on_acknowledged(id, reason);
}

void MosquittoClient::on_subscribed(int mid, int reason) {
  const auto node = subscribing_.extract(mid);
  if (node.empty()) return;
  const auto events = events_;
  if (events->on_subscribed) events->on_subscribed(node.mapped(), reason);
}

void MosquittoClient::on_closed(Error error, int reason) {
  const bool may_try_another = state_ == State::connecting && next_address_ < addresses_.size();
  if (!may_try_another) {
    end(with_place(std::move(error)), reason);
    return;
  }
  leave_address(std::move(error));
}

void MosquittoClient::leave_address(Error error) {
  last_error_ = std::move(error);
  address_deadline_.cancel();
  finished_bytes_ += connection_->bytes();
  connection_.reset();
  ++generation_;
  try_next_address();
}

void MosquittoClient::end(Error error, int reason) {
  drop_connection();
  state_ = State::idle;
  const auto events = events_;
  if (events->on_disconnected) events->on_disconnected(error, reason);
}

Result<std::uint64_t> MosquittoClient::publish(const MqttMessage& message) {
  if (state_ != State::connected) return fail(ErrorCode::unavailable, "MQTT: not connected");
  if (in_flight_.size() >= static_cast<std::size_t>(options_.max_in_flight)) {
    return fail(ErrorCode::full, "MQTT: the window is full");
  }
  auto mid = connection_->publish(message);
  // What was noted inside this call is told from the loop.
  if (connection_->has_happened()) wake_.after(Microseconds{0}, [this] { drain(); });
  if (!mid) return fail(std::move(mid.error()));
  const std::uint64_t id = ++last_id_;
  BERM_ASSERT(in_flight_.emplace(*mid, id).second);
  return id;
}

Result<void> MosquittoClient::subscribe(const std::string& topic_filter, int qos) {
  if (state_ != State::connected) return fail(ErrorCode::unavailable, "MQTT: not connected");
  if (subscribing_.size() >= kMaxMqttSubscribes) {
    return fail(ErrorCode::full, "MQTT: too many subscriptions wait for their answer");
  }
  auto mid = connection_->subscribe(topic_filter, qos);
  if (connection_->has_happened()) wake_.after(Microseconds{0}, [this] { drain(); });
  if (!mid) return fail(std::move(mid.error()));
  subscribing_.emplace(*mid, topic_filter);
  return {};
}

Status MosquittoClient::status() const {
  SocketBytes bytes = finished_bytes_;
  if (connection_) bytes += connection_->bytes();
  Status status("mqtt");
  status.set("connected", is_connected());
  status.set("bytes_sent", bytes.sent);
  status.set("bytes_received", bytes.received);
  status.set("in_flight", in_flight_.size());
  return status;
}

Result<void> check(const MqttOptions& options) {
  if (options.host.empty()) return fail(ErrorCode::invalid, "MQTT: no host");
  if (options.port < 1 || options.port > 65535) {
    return fail(ErrorCode::invalid, "MQTT: port must be 1…65535");
  }
  if (options.keepalive_s < kMinMqttKeepaliveS || options.keepalive_s > kMaxMqttKeepaliveS) {
    return fail(ErrorCode::invalid, "MQTT: keepalive must be 5…65535 s");
  }
  if (options.max_in_flight < 1 || options.max_in_flight > kMaxMqttWindow) {
    return fail(ErrorCode::invalid, "MQTT: window must be 1…100");
  }
  if (options.timeout <= Milliseconds{0}) return fail(ErrorCode::invalid, "MQTT: no timeout");
  if (options.client_id.empty() && !options.clean_start) {
    return fail(ErrorCode::invalid, "MQTT: a kept session needs a client id");
  }
  return {};
}

}  // namespace

MosquittoClients::MosquittoClients(EpollLoop& loop) : loop_(loop), lookups_(loop) {
  // Counted by the library; never undone, since OpenSSL is shared with others in the process.
  mosquitto_lib_init();
  std::signal(SIGPIPE, SIG_IGN);
}

Result<std::unique_ptr<MqttClient>> MosquittoClients::create(MqttOptions options,
                                                             MqttEvents events) {
  BERM_CHECK(check(options));
  return std::make_unique<MosquittoClient>(loop_, lookups_, std::move(options), std::move(events));
}

}  // namespace berm::hal
