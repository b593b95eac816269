// SPDX-License-Identifier: Apache-2.0
// MqttConnection: one libmosquitto object with one TCP connection on the loop, from connect to
// close. Used by MosquittoClient only, which makes a new one for each attempt: a reused
// libmosquitto object would send its unacknowledged messages again behind our back.
//
// libmosquitto calls back in the middle of its own work; what it says is noted and taken afterwards
// by the owner (`take`), who may then do anything, also end this object. `on_activity` tells the
// owner that something was noted; it is called from the loop only, last in the callback.
//
// Wake-ups at rest: one per quarter of the keepalive (1…15 s), so a ping leaves at most 1.25
// keepalives after the last message and a frozen peer is noticed within 2.5. The socket is watched
// through a duplicate descriptor, because libmosquitto closes its own before we can end the watch;
// the last byte counters are read from it too. Thread: the loop's. Fails: Error of `open` (nothing
// was sent), or a happening `closed`. Source: mosquitto.h 2.0, MQTT 5.0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hal/base/unique_fd.hpp"
#include "hal/linux/loop.hpp"
#include "hal/linux/mqtt_tls.hpp"
#include "hal/linux/socket_bytes.hpp"
#include "hal/mqtt_client.hpp"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace berm::hal {

struct MqttHappening {
  enum class Kind { connack, acknowledged, subscribed, message, closed };
  Kind kind = Kind::closed;
  int reason = 0;
  bool session_present = false;
  int mid = 0;
  MqttMessage message;
  Error error;
};

class MqttConnection {
 public:
  // `address` is numeric; `tls` may be nullptr and outlives the connection.
  static Result<std::unique_ptr<MqttConnection>> open(EpollLoop& loop, const MqttOptions& options,
                                                      const std::string& address, MqttTls* tls,
                                                      std::function<void()> on_activity);
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;
  ~MqttConnection();

  std::vector<MqttHappening> take() { return std::exchange(happened_, {}); }
  bool has_happened() const { return !happened_.empty(); }
  // The message's packet id.
  Result<int> publish(const MqttMessage& message);
  // Also the packet's id.
  Result<int> subscribe(const std::string& topic_filter, int qos);
  // Sends DISCONNECT if that does not block.
  void say_goodbye();
  SocketBytes bytes() const;

 private:
  struct Free {
    void operator()(mosquitto* client) const;
  };
  friend struct MqttCallbacks;

  MqttConnection(EpollLoop& loop, MqttTls* tls, std::function<void()> on_activity);
  Result<void> prepare(const MqttOptions& options);
  Result<void> prepare_will(const MqttMessage& will);
  Result<void> start(const MqttOptions& options, const std::string& address);
  void on_socket(FdEvents events);
  bool finish_connecting(FdEvents events);
  void on_keepalive();
  void set_keepalive(int keepalive_s);
  // After each call into libmosquitto: notice its end, ask for writability where it wants that.
  void settle(int code);
  void note_closed(int code);
  Error describe(int code) const;
  Error tls_failure() const;

  EpollLoop& loop_;
  MqttTls* tls_;
  std::function<void()> on_activity_;
  UniqueFd socket_;  // duplicate
  FdWatch watch_;
  Timer keepalive_timer_;
  Microseconds check_interval_{Seconds{15}};
  bool is_tcp_pending_ = true;
  bool has_connack_ = false;
  bool is_closed_ = false;
  std::string last_log_;  // libmosquitto's last error line
  std::vector<MqttHappening> happened_;
  std::unique_ptr<mosquitto, Free> client_;  // last: its end may still log
};

}  // namespace berm::hal
