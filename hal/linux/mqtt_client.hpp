// SPDX-License-Identifier: Apache-2.0
// MosquittoClients: the MqttClients of the real machine, over libmosquitto 2.0 (MQTT v5) on the
// epoll loop, without a thread of the library's. Made once by main, used by the MQTT uplink and
// remote control.
//
// Promises: nothing here blocks the loop: names are resolved by NameLookups on a thread of their
// own, addresses are tried one after the other without blocking, each with its share of `timeout`;
// a client that dies in the middle waits for nothing. `connect` while connecting or connected does
// nothing. Each `connect` begins a new protocol client, so nothing unacknowledged is sent again by
// itself. Events come on the loop, never inside a call; after `disconnect` or the client's death
// none comes. An event may destroy the client. A publish with QoS 0 is acknowledged (reason 0) once
// it is written. A frozen broker is noticed within 2.5 keepalives (`timeout`); wake-ups at rest:
// one per quarter of it.
//
// Limits: keepalive 5…65535 s, window 1…kMaxMqttWindow. A clean_start of false keeps a session only
// as long as the connection: no session expiry is asked for (documents are retained instead).
// Thread: the loop's. Lifetime: loop > clients > client. Process-wide: SIGPIPE is ignored from the
// first MosquittoClients on, because libmosquitto writes to sockets the peer has closed. Fails:
// `create`: `invalid` (options); a connection: `permission` for a TLS file that cannot be used or a
// peer that is not trusted. TLS files are read at each `connect`, so that a renewed certificate is
// used from the next connection on. `publish`: unavailable, full, invalid (149 in
// system_error: larger than the broker takes). Source: mosquitto.h 2.0, MQTT 5.0.
#pragma once

#include <memory>

#include "hal/linux/loop.hpp"
#include "hal/linux/name_lookup.hpp"
#include "hal/mqtt_client.hpp"

namespace berm::hal {

inline constexpr int kMaxMqttWindow = 100;
inline constexpr int kMinMqttKeepaliveS = 5;
inline constexpr int kMaxMqttKeepaliveS = 65535;

class MosquittoClients final : public MqttClients {
 public:
  explicit MosquittoClients(EpollLoop& loop);
  Result<std::unique_ptr<MqttClient>> create(MqttOptions options, MqttEvents events) override;

 private:
  EpollLoop& loop_;
  NameLookups lookups_;
};

}  // namespace berm::hal
