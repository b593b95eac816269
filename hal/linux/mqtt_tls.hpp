// SPDX-License-Identifier: Apache-2.0
// MqttTls: the TLS side of an MQTT client, an OpenSSL context handed to libmosquitto. It exists
// because the client connects to numeric addresses (names are resolved off the loop) while the
// certificate and the SNI must carry the configured name: libmosquitto itself would check the
// address.
//
// Promises: TLS 1.2 or newer; the peer's chain is verified against `ca_file` (empty: the system's)
// and its name against `host` (a DNS name, or an IP address as a subjectAltName); a key that wants
// a pass phrase is refused instead of asking on the terminal. Files are read once, by `create`: the
// client makes a new one for each `connect`.
// Thread: the loop's. Lifetime: outlives the connections made with it. Fails: Error `permission`
// naming the file; a failed verification is kept as text for the connection to report.
#pragma once

#include <memory>
#include <string>

#include "hal/base/result.hpp"
#include "hal/http_client.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace berm::hal {

class MqttTls {
 public:
  static Result<std::unique_ptr<MqttTls>> create(const TlsOptions& options,
                                                 const std::string& host);
  MqttTls(const MqttTls&) = delete;
  MqttTls& operator=(const MqttTls&) = delete;
  ~MqttTls();

  ssl_ctx_st* context() const { return context_; }
  const std::string& host() const { return host_; }
  // Why the last verification failed; empty: it did not.
  const std::string& failure() const { return failure_; }
  void set_failure(std::string text) { failure_ = std::move(text); }
  // The handshake is under way and waits for the peer: asking for writability would spin.
  static bool is_waiting_for_peer(const ssl_st* ssl);

 private:
  MqttTls(ssl_ctx_st* context, std::string host);
  Result<void> load(const TlsOptions& options);
  ssl_ctx_st* context_;
  std::string host_;
  bool host_is_name_ = true;
  std::string failure_;
};

}  // namespace berm::hal
