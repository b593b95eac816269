// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_connection.hpp"

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hal/base/assert.hpp"

namespace berm::hal {
namespace {

constexpr int kFirstServerReason = 128;  // below: libmosquitto's own codes
constexpr int kReasonTooLarge = 149;

// A v5 property list that is freed.
class Properties {
 public:
  Properties() = default;
  Properties(const Properties&) = delete;
  Properties& operator=(const Properties&) = delete;
  ~Properties() { mosquitto_property_free_all(&list_); }
  mosquitto_property* get() const { return list_; }
  mosquitto_property* release() { return std::exchange(list_, nullptr); }

  Result<void> fill(const MqttMessage& message) {
    const auto& correlation = message.correlation_data;
    bool is_good = add(MQTT_PROP_CONTENT_TYPE, message.content_type) &&
                   add(MQTT_PROP_RESPONSE_TOPIC, message.response_topic);
    if (!correlation.empty()) {
      is_good = is_good && correlation.size() <= UINT16_MAX &&
                mosquitto_property_add_binary(
                    &list_, MQTT_PROP_CORRELATION_DATA, correlation.data(),
                    static_cast<std::uint16_t>(correlation.size())) == MOSQ_ERR_SUCCESS;
    }
    for (const auto& [name, value] : message.user_properties) {
      is_good = is_good &&
                mosquitto_property_add_string_pair(&list_, MQTT_PROP_USER_PROPERTY, name.c_str(),
                                                   value.c_str()) == MOSQ_ERR_SUCCESS;
    }
    if (!is_good) return fail(ErrorCode::invalid, "a property is too long or no UTF-8");
    return {};
  }

 private:
  bool add(int identifier, const std::string& value) {
    return value.empty() ||
           mosquitto_property_add_string(&list_, identifier, value.c_str()) == MOSQ_ERR_SUCCESS;
  }
  mosquitto_property* list_ = nullptr;
};

struct FreeText {
  void operator()(void* text) const { std::free(text); }
};

std::string take_text(char* text) {
  const std::unique_ptr<char, FreeText> owned(text);
  return text == nullptr ? std::string() : std::string(text);
}

void read_user_properties(const mosquitto_property* properties, MqttMessage& message) {
  char* name = nullptr;
  char* value = nullptr;
  const auto* at = mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name,
                                                       &value, false);
  while (at != nullptr) {
    auto owned_name = take_text(std::exchange(name, nullptr));
    message.user_properties.emplace_back(std::move(owned_name),
                                         take_text(std::exchange(value, nullptr)));
    at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY, &name, &value, true);
  }
}

MqttMessage message_from(const mosquitto_message& raw, const mosquitto_property* properties) {
  MqttMessage message;
  message.topic = raw.topic;
  if (raw.payloadlen > 0) {
    message.payload.assign(static_cast<const char*>(raw.payload),
                           static_cast<std::size_t>(raw.payloadlen));
  }
  message.qos = raw.qos;
  message.retain = raw.retain;
  char* text = nullptr;
  mosquitto_property_read_string(properties, MQTT_PROP_CONTENT_TYPE, &text, false);
  message.content_type = take_text(std::exchange(text, nullptr));
  mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &text, false);
  message.response_topic = take_text(std::exchange(text, nullptr));
  void* bytes = nullptr;
  std::uint16_t size = 0;
  mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &bytes, &size, false);
  if (bytes != nullptr) message.correlation_data.assign(static_cast<const char*>(bytes), size);
  std::free(bytes);
  read_user_properties(properties, message);
  return message;
}

ErrorCode code_of(int mosquitto_code) {
  switch (mosquitto_code) {
    case MOSQ_ERR_KEEPALIVE:
      return ErrorCode::timeout;
    case MOSQ_ERR_CONN_LOST:
      return ErrorCode::closed;
    case MOSQ_ERR_CONN_REFUSED:
    case MOSQ_ERR_TLS:
    case MOSQ_ERR_AUTH:
    case MOSQ_ERR_ACL_DENIED:
      return ErrorCode::permission;
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
      return ErrorCode::damaged;
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE:
      return ErrorCode::invalid;
    case MOSQ_ERR_QOS_NOT_SUPPORTED:
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      return ErrorCode::unsupported;
    default:
      return ErrorCode::unavailable;
  }
}

std::string text_of_code(int mosquitto_code) {
  std::string text = mosquitto_strerror(mosquitto_code);
  while (!text.empty() && text.back() == '.') text.pop_back();
  if (!text.empty() && text.size() > 1 && text[1] >= 'a') {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::unexpected<Error> refuse(const char* what, int code) {
  const bool is_too_large = code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_PAYLOAD_SIZE;
  return fail(code_of(code), std::string(what) + ": " + text_of_code(code),
              is_too_large ? kReasonTooLarge : code);
}

}  // namespace

// The C callbacks; each only notes what it was told.
struct MqttCallbacks {
  static MqttConnection& self(void* object) { return *static_cast<MqttConnection*>(object); }

  static void on_connect(mosquitto*, void* object, int reason, int flags,
                         const mosquitto_property* properties) {
    MqttConnection& connection = self(object);
    connection.has_connack_ = true;
    std::uint16_t keepalive_s = 0;
    if (mosquitto_property_read_int16(properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive_s,
                                      false) != nullptr &&
        keepalive_s > 0) {
      connection.set_keepalive(keepalive_s);
    }
    MqttHappening happening;
    happening.kind = MqttHappening::Kind::connack;
    happening.reason = reason;
    happening.session_present = (flags & 1) != 0;
    connection.happened_.push_back(std::move(happening));
  }

  static void on_disconnect(mosquitto*, void* object, int code, const mosquitto_property*) {
    self(object).note_closed(code);
  }

  static void on_publish(mosquitto*, void* object, int mid, int reason, const mosquitto_property*) {
    MqttHappening happening;
    happening.kind = MqttHappening::Kind::acknowledged;
    happening.mid = mid;
    happening.reason = reason;
    self(object).happened_.push_back(std::move(happening));
  }

  static void on_subscribe(mosquitto*, void* object, int mid, int count, const int* reasons,
                           const mosquitto_property*) {
    MqttHappening happening;
    happening.kind = MqttHappening::Kind::subscribed;
    happening.mid = mid;
    happening.reason = count > 0 ? reasons[0] : kFirstServerReason;
    self(object).happened_.push_back(std::move(happening));
  }

  static void on_message(mosquitto*, void* object, const mosquitto_message* raw,
                         const mosquitto_property* properties) {
    MqttHappening happening;
    happening.kind = MqttHappening::Kind::message;
    happening.message = message_from(*raw, properties);
    self(object).happened_.push_back(std::move(happening));
  }

  static void on_log(mosquitto*, void* object, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) self(object).last_log_ = text;
  }
};

void MqttConnection::Free::operator()(mosquitto* client) const {
  mosquitto_destroy(client);
}

MqttConnection::MqttConnection(EpollLoop& loop, MqttTls* tls, std::function<void()> on_activity)
    : loop_(loop), tls_(tls), on_activity_(std::move(on_activity)), keepalive_timer_(loop) {}

MqttConnection::~MqttConnection() {
  watch_.reset();
}

Result<std::unique_ptr<MqttConnection>> MqttConnection::open(EpollLoop& loop,
                                                             const MqttOptions& options,
                                                             const std::string& address,
                                                             MqttTls* tls,
                                                             std::function<void()> on_activity) {
  auto connection =
      std::unique_ptr<MqttConnection>(new MqttConnection(loop, tls, std::move(on_activity)));
  BERM_CHECK(connection->prepare(options));
  BERM_CHECK(connection->start(options, address));
  return connection;
}

Result<void> MqttConnection::prepare(const MqttOptions& options) {
  const char* id = options.client_id.empty() ? nullptr : options.client_id.c_str();
  client_.reset(mosquitto_new(id, options.clean_start, this));
  if (!client_) return fail(system_error("MQTT client", errno));
  mosquitto* client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, options.max_in_flight);
  mosquitto_connect_v5_callback_set(client, MqttCallbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(client, MqttCallbacks::on_disconnect);
  mosquitto_publish_v5_callback_set(client, MqttCallbacks::on_publish);
  mosquitto_subscribe_v5_callback_set(client, MqttCallbacks::on_subscribe);
  mosquitto_message_v5_callback_set(client, MqttCallbacks::on_message);
  mosquitto_log_callback_set(client, MqttCallbacks::on_log);
  if (!options.user.empty()) {
    const char* password = options.password.empty() ? nullptr : options.password.c_str();
    const int code = mosquitto_username_pw_set(client, options.user.c_str(), password);
    if (code != MOSQ_ERR_SUCCESS) return refuse("MQTT user", code);
  }
  if (tls_ != nullptr) {
    tls_->set_failure({});
    mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, tls_->context());
  }
  set_keepalive(options.keepalive_s);
  if (options.has_will) BERM_CHECK(prepare_will(options.will));
  return {};
}

Result<void> MqttConnection::prepare_will(const MqttMessage& will) {
  Properties properties;
  BERM_CHECK(properties.fill(will));
  const int code = mosquitto_will_set_v5(client_.get(), will.topic.c_str(),
                                         static_cast<int>(will.payload.size()), will.payload.data(),
                                         will.qos, will.retain, properties.get());
  if (code != MOSQ_ERR_SUCCESS) return refuse("MQTT will", code);
  properties.release();  // libmosquitto's now
  return {};
}

Result<void> MqttConnection::start(const MqttOptions& options, const std::string& address) {
  errno = 0;
  const int code =
      mosquitto_connect_async(client_.get(), address.c_str(), options.port, options.keepalive_s);
  if (code == MOSQ_ERR_ERRNO) return fail(system_error("connecting to " + address, errno));
  // On a quick network the handshake is over, and refused, before this call returns.
  if (code == MOSQ_ERR_TLS && tls_ != nullptr) return fail(tls_failure());
  if (code != MOSQ_ERR_SUCCESS) return refuse("connecting", code);
  const int fd = mosquitto_socket(client_.get());
  socket_.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!socket_.is_open()) return fail(system_error("connecting to " + address, errno));
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  watch_ = loop_.watch(socket_.get(), {.read = true, .write = true},
                       [this](FdEvents events) { on_socket(events); });
  return {};
}

void MqttConnection::set_keepalive(int keepalive_s) {
  check_interval_ =
      std::clamp<Microseconds>(Microseconds{Seconds{keepalive_s}} / 4, Seconds{1}, Seconds{15});
  keepalive_timer_.after(check_interval_, [this] { on_keepalive(); });
}

void MqttConnection::on_keepalive() {
  keepalive_timer_.after(check_interval_, [this] { on_keepalive(); });
  if (is_closed_ || is_tcp_pending_) return;
  settle(mosquitto_loop_misc(client_.get()));
  if (has_happened()) on_activity_();
}

void MqttConnection::on_socket(FdEvents events) {
  if (is_tcp_pending_ && !finish_connecting(events)) {
    on_activity_();
    return;
  }
  int code = MOSQ_ERR_SUCCESS;
  if (events.readable || events.failed) code = mosquitto_loop_read(client_.get(), 1);
  if (code == MOSQ_ERR_SUCCESS && !is_closed_ && mosquitto_want_write(client_.get())) {
    code = mosquitto_loop_write(client_.get(), 1);
  }
  // During the TLS handshake libmosquitto takes a dead socket for one that is not ready.
  if (events.failed && !is_closed_ && is_over(socket_.get())) note_closed(MOSQ_ERR_CONN_LOST);
  settle(code);
  if (has_happened()) on_activity_();
}

bool MqttConnection::finish_connecting(FdEvents events) {
  int number = 0;
  socklen_t size = sizeof(number);
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &number, &size);
  // A write before the answer came has taken the reason away, but not the hang-up.
  if (number == 0 && events.failed && is_over(socket_.get())) number = ECONNREFUSED;
  is_tcp_pending_ = false;
  if (number == 0) return true;
  is_closed_ = true;
  watch_.reset();
  keepalive_timer_.cancel();
  MqttHappening happening;
  happening.error = system_error("connecting", number);
  happened_.push_back(std::move(happening));
  return false;
}

void MqttConnection::settle(int code) {
  if (mosquitto_socket(client_.get()) < 0 && !is_closed_) {
    note_closed(code == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : code);
  }
  if (is_closed_) {
    watch_.reset();
    keepalive_timer_.cancel();
    return;
  }
  const auto* ssl = static_cast<const ssl_st*>(mosquitto_ssl_get(client_.get()));
  const bool wants_write =
      mosquitto_want_write(client_.get()) && !MqttTls::is_waiting_for_peer(ssl);
  watch_.change({.read = true, .write = wants_write || is_tcp_pending_});
}

void MqttConnection::note_closed(int code) {
  if (is_closed_) return;
  is_closed_ = true;
  MqttHappening happening;
  happening.reason = code >= kFirstServerReason ? code : 0;
  happening.error = describe(code);
  happened_.push_back(std::move(happening));
}

Error MqttConnection::describe(int code) const {
  if (code >= kFirstServerReason) {
    return Error{ErrorCode::closed,
                 std::string("the broker ended the connection: ") + mosquitto_reason_string(code),
                 code};
  }
  if (!has_connack_ && tls_ != nullptr) return tls_failure();
  if (code == MOSQ_ERR_SUCCESS) {
    return Error{ErrorCode::closed, "the broker ended the connection", 0};
  }
  if (code == MOSQ_ERR_KEEPALIVE) {
    return Error{ErrorCode::timeout, "no answer to a ping within the keepalive", code};
  }
  return Error{code_of(code), text_of_code(code), code};
}

Error MqttConnection::tls_failure() const {
  if (!tls_->failure().empty()) {
    return Error{ErrorCode::permission, "TLS: " + tls_->failure(), 0};
  }
  const auto at = last_log_.rfind(':');
  const bool is_broken = last_log_.find("unexpected eof") != std::string::npos;
  if (at != std::string::npos && !is_broken) {
    return Error{ErrorCode::permission, "TLS: " + last_log_.substr(at + 1), 0};
  }
  return Error{ErrorCode::closed, "the connection ended during the TLS handshake", 0};
}

Result<int> MqttConnection::publish(const MqttMessage& message) {
  if (is_closed_) return fail(ErrorCode::unavailable, "MQTT: not connected");
  Properties properties;
  BERM_CHECK(properties.fill(message));
  if (message.payload.size() > MQTT_MAX_PAYLOAD) return refuse("MQTT", MOSQ_ERR_PAYLOAD_SIZE);
  int mid = 0;
  const int code = mosquitto_publish_v5(
      client_.get(), &mid, message.topic.c_str(), static_cast<int>(message.payload.size()),
      message.payload.data(), message.qos, message.retain, properties.get());
  settle(code);
  if (code != MOSQ_ERR_SUCCESS) return refuse("MQTT publish", code);
  return mid;
}

Result<int> MqttConnection::subscribe(const std::string& topic_filter, int qos) {
  if (is_closed_) return fail(ErrorCode::unavailable, "MQTT: not connected");
  int mid = 0;
  const int code =
      mosquitto_subscribe_v5(client_.get(), &mid, topic_filter.c_str(), qos, 0, nullptr);
  settle(code);
  if (code != MOSQ_ERR_SUCCESS) return refuse("MQTT subscribe", code);
  return mid;
}

void MqttConnection::say_goodbye() {
  if (is_closed_ || is_tcp_pending_) return;
  mosquitto_disconnect_v5(client_.get(), 0, nullptr);
}

SocketBytes MqttConnection::bytes() const {
  return bytes_of_socket(socket_.get());
}

}  // namespace berm::hal
