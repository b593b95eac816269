// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032): who may change a node from afar. A node has public keys and verifies; the
// operator's machine has the private one and signs. Keys are PEM as `openssl genpkey -algorithm
// ed25519` and `openssl pkey -pubout` write them. A key's id is the first 16 hexadecimal digits of
// the SHA-256 of its 32 raw bytes. libcrypto stays inside; the first use loads its providers (1.7
// MB), so a node without a key never pays. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "hal/base/result.hpp"

namespace berm {

inline constexpr std::size_t kSignatureBytes = 64;
inline constexpr std::size_t kMaxKeyPemBytes = 4096;

class PublicKey {
 public:
  // Error invalid: not the PEM of an Ed25519 public key.
  static Result<PublicKey> from_pem(std::string_view pem);
  const std::string& id() const { return id_; }
  const std::string& raw() const { return raw_; }  // 32 bytes
  bool has_signed(std::string_view bytes, std::string_view signature) const;
  bool operator==(const PublicKey&) const = default;

 private:
  explicit PublicKey(std::string raw);
  std::string raw_;
  std::string id_;
};

class PrivateKey {
 public:
  // Error invalid: not the PEM of an Ed25519 private key (without a pass phrase).
  static Result<PrivateKey> from_pem(std::string_view pem);
  static PrivateKey generate();
  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey&&) noexcept = default;
  ~PrivateKey();  // wipes it
  PublicKey public_key() const;
  std::string sign(std::string_view bytes) const;
  std::string to_pem() const;
  std::string public_pem() const;

 private:
  explicit PrivateKey(std::string raw) : raw_(std::move(raw)) {}
  std::string raw_;  // the 32 bytes of the seed
};

}  // namespace berm
