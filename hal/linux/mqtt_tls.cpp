// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace berm::hal {
namespace {

std::string openssl_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

int refuse_pass_phrase(char*, int, int, void*) {
  return 0;
}

MqttTls* owner_of(const SSL* ssl) {
  return static_cast<MqttTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// libmosquitto sets the SNI to the address it was told; the handshake's start is the last chance to
// put the name there. OpenSSL hands the connection out as const only for the sake of observers.
void set_server_name(const SSL* ssl, int where, int /*value*/) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
  const MqttTls* owner = owner_of(ssl);
  // (What SSL_set_tlsext_host_name expands to, without its C casts.)
  SSL_ctrl(const_cast<SSL*>(ssl), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           const_cast<char*>(owner->host().c_str()));
}

int note_verification(int is_ok, X509_STORE_CTX* store) {
  if (is_ok == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const int code = X509_STORE_CTX_get_error(store);
  owner_of(ssl)->set_failure(X509_verify_cert_error_string(code));
  return 0;
}

}  // namespace

MqttTls::MqttTls(ssl_ctx_st* context, std::string host)
    : context_(context), host_(std::move(host)) {}

MqttTls::~MqttTls() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<MqttTls>> MqttTls::create(const TlsOptions& options,
                                                 const std::string& host) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return fail(ErrorCode::unavailable, "TLS: " + openssl_error());
  auto tls = std::unique_ptr<MqttTls>(new MqttTls(context, host));
  BERM_CHECK(tls->load(options));
  return tls;
}

Result<void> MqttTls::load(const TlsOptions& options) {
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context_, refuse_pass_phrase);
  const bool has_ca = options.ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context_) == 1
                          : SSL_CTX_load_verify_file(context_, options.ca_file.c_str()) == 1;
  if (!has_ca) {
    return fail(ErrorCode::permission, "CA file " + options.ca_file + ": " + openssl_error());
  }
  const auto& cert = options.cert_file;
  if (!cert.empty() && SSL_CTX_use_certificate_chain_file(context_, cert.c_str()) != 1) {
    return fail(ErrorCode::permission, "certificate " + cert + ": " + openssl_error());
  }
  const auto& key = options.key_file;
  if (!key.empty() && (SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
                       SSL_CTX_check_private_key(context_) != 1)) {
    return fail(ErrorCode::permission, "key " + key + ": " + openssl_error());
  }
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context_);
  host_is_name_ = X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str()) != 1;
  if (host_is_name_ && X509_VERIFY_PARAM_set1_host(rules, host_.c_str(), host_.size()) != 1) {
    return fail(ErrorCode::invalid, "TLS host name " + host_ + ": " + openssl_error());
  }
  ERR_clear_error();
  SSL_CTX_set_app_data(context_, this);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, note_verification);
  // RFC 6066 allows no IP address as a server name; libmosquitto's own is then left as it is.
  if (host_is_name_) SSL_CTX_set_info_callback(context_, set_server_name);
  return {};
}

bool MqttTls::is_waiting_for_peer(const ssl_st* ssl) {
  return ssl != nullptr && SSL_in_init(ssl) == 1 && SSL_want_read(ssl);
}

}  // namespace berm::hal
