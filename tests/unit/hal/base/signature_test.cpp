// SPDX-License-Identifier: Apache-2.0
#include "hal/base/signature.hpp"

#include <gtest/gtest.h>

#include "hal/base/base64.hpp"

namespace berm {
namespace {

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// RFC 8032 §7.1, test 2, its key as PKCS #8 and SubjectPublicKeyInfo.
const std::string kSeed =
    bytes_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const std::string kPublic =
    bytes_of("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const std::string kMessage = bytes_of("72");
const std::string kSignature = bytes_of(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");

std::string pem(std::string_view label, std::string_view der) {
  return "-----BEGIN " + std::string(label) + "-----\n" + base64(der) + "\n-----END " +
         std::string(label) + "-----\n";
}
const std::string kPrivatePem =
    pem("PRIVATE KEY", bytes_of("302e020100300506032b657004220420") + kSeed);
const std::string kPublicPem = pem("PUBLIC KEY", bytes_of("302a300506032b6570032100") + kPublic);

TEST(Base64, IsRfc4648AndComesBack) {
  const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(base64_bytes(text), bytes);
  }
}

TEST(Base64, EveryByteComesBackAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 259; ++i) {
    EXPECT_EQ(base64_bytes(base64(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64, RefusesWhatAnEncoderWouldNotWrite) {
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm 8=", "Zm9v\n", "====", "Zg==Zg==", "Zm8_", "=m8="}) {
    EXPECT_FALSE(base64_bytes(text).has_value()) << text;
  }
}

TEST(Signature, IsThatOfRfc8032) {
  const auto key = PrivateKey::from_pem(kPrivatePem);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->sign(kMessage), kSignature);
  EXPECT_EQ(key->public_key().raw(), kPublic);
  const auto public_key = PublicKey::from_pem(kPublicPem);
  ASSERT_TRUE(public_key.has_value());
  EXPECT_EQ(*public_key, key->public_key());
  EXPECT_TRUE(public_key->has_signed(kMessage, kSignature));
}

TEST(Signature, AnyChangedBitOfMessageOrSignatureIsRefused) {
  const auto key = PublicKey::from_pem(kPublicPem);
  ASSERT_TRUE(key.has_value());
  for (std::size_t i = 0; i < kSignature.size() * 8; ++i) {
    std::string changed = kSignature;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(key->has_signed(kMessage, changed)) << i;
  }
  EXPECT_FALSE(key->has_signed("s", kSignature));
  EXPECT_FALSE(key->has_signed("", kSignature));
}

TEST(Signature, OfAnotherLengthIsRefused) {
  const auto key = PublicKey::from_pem(kPublicPem);
  ASSERT_TRUE(key.has_value());
  EXPECT_FALSE(key->has_signed(kMessage, kSignature.substr(1)));
  EXPECT_FALSE(key->has_signed(kMessage, kSignature + '\0'));
  EXPECT_FALSE(key->has_signed(kMessage, ""));
}

TEST(Signature, OfAnotherKeyIsRefused) {
  const PrivateKey one = PrivateKey::generate();
  const PrivateKey other = PrivateKey::generate();
  EXPECT_NE(one.public_key().id(), other.public_key().id());
  EXPECT_TRUE(one.public_key().has_signed("text", one.sign("text")));
  EXPECT_FALSE(one.public_key().has_signed("text", other.sign("text")));
}

TEST(Signature, KeysComeBackFromTheirPem) {
  const PrivateKey key = PrivateKey::generate();
  const auto again = PrivateKey::from_pem(key.to_pem());
  const auto public_again = PublicKey::from_pem(key.public_pem());
  ASSERT_TRUE(again.has_value() && public_again.has_value());
  EXPECT_EQ(again->sign("x"), key.sign("x"));
  EXPECT_EQ(*public_again, key.public_key());
}

TEST(Signature, WhatIsNoKeyIsRefused) {
  const std::string rsa_like = pem("PUBLIC KEY", bytes_of("302a300506032b6571032100") + kPublic);
  for (const std::string& text : {std::string(), std::string("rubbish"), kPrivatePem, rsa_like,
                                  kPublicPem.substr(0, 60), std::string(5000, 'x')}) {
    EXPECT_FALSE(PublicKey::from_pem(text).has_value());
  }
  EXPECT_FALSE(PrivateKey::from_pem(kPublicPem).has_value());
}

}  // namespace
}  // namespace berm
