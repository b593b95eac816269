// SPDX-License-Identifier: Apache-2.0
// `berm sign`: on an operator's machine. Takes the JSON text of a `config/set` or command, binds it
// to its target and its end, signs these exact bytes and prints the envelope to be published.
//   berm sign --key operator.key --target group/flanders --for 7d set.json > envelope.json
//   berm sign --key operator.key --target node/e19-km31 --sequence 7 --document patch.json
//   berm sign --new-key operator.key       makes a key; its public half goes to operator.key.pub
//   berm sign --verify operator.pub --target T FILE     what a node with this key would say
#include <sys/stat.h>

#include <cstdio>
#include <ctime>

#include "firmware/agent/arguments.hpp"
#include "firmware/agent/configuration_file.hpp"
#include "firmware/agent/verbs.hpp"
#include "firmware/control/limits.hpp"
#include "firmware/control/remote_message.hpp"
#include "firmware/control/set_message.hpp"
#include "hal/base/text.hpp"
#include "hal/linux/clock.hpp"
#include "hal/linux/disk.hpp"

namespace berm::agent {
namespace {

constexpr ArgumentSpec kSpecs[] = {
    {"--key", true},      {"--target", true},    {"--for", true},       {"--not-after", true},
    {"--sequence", true}, {"--document", false}, {"--rotate-to", true}, {"--new-key", true},
    {"--verify", true},   {"--who", true},       {"--why", true}};
constexpr std::int64_t kDay = 86400;

// "90s", "30m", "12h", "7d"; a bare number: seconds.
std::optional<std::int64_t> duration_s(std::string_view text) {
  std::int64_t unit = 1;
  if (text.ends_with('d')) unit = kDay;
  if (text.ends_with('h')) unit = 3600;
  if (text.ends_with('m')) unit = 60;
  if (unit != 1 || text.ends_with('s')) text.remove_suffix(1);
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > 3650 * kDay / unit) return std::nullopt;
  return *number * unit;
}

int make_key(const std::string& path) {
  hal::SystemDisk disk;
  if (disk.exists(path)) return complain("sign", path + " is there already", kFailed);
  const PrivateKey key = PrivateKey::generate();
  ::umask(0077);
  const std::string file = absolute_path(path);
  for (const auto& [name, text] :
       {std::pair{file, key.to_pem()}, std::pair{file + ".pub", key.public_pem()}}) {
    if (const auto written = disk.write_whole(name, text); !written) {
      return complain("sign", name + ": " + written.error().text, kFailed);
    }
  }
  ::chmod(file.c_str(), S_IRUSR | S_IWUSR);
  ::chmod((file + ".pub").c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  std::printf("%s\n", key.public_key().id().c_str());
  return kDone;
}

class Signing {
 public:
  explicit Signing(const Arguments& arguments) : arguments_(arguments) {}

  Result<std::string> payload() {
    BERM_TRY(Json body, read_body());
    BERM_CHECK(bind(body));
    return body.to_text();
  }

 private:
  Result<Json> read_body() {
    Json body{Json::Object{}};
    if (!arguments_.plain().empty()) {
      const std::string& path = arguments_.plain()[0];
      BERM_TRY(const std::string text,
               disk_.read(absolute_path(path), control::kMaxRemoteDocumentBytes));
      Json::Limits limits;
      limits.comments = true;
      auto read = Json::parse(text, limits);
      if (!read) return fail(std::move(read.error()).with_context(path));
      if (!read->is_object()) return fail(ErrorCode::invalid, path + ": must be an object");
      if (arguments_.has("--document")) {
        body.set("document", std::move(*read));
      } else {
        body = std::move(*read);
      }
    }
    if (const auto text = arguments_.value("--rotate-to")) {
      BERM_TRY(const std::string pem, disk_.read(absolute_path(*text), kMaxKeyPemBytes));
      BERM_TRY(const PublicKey key, PublicKey::from_pem(pem));
      static_cast<void>(key);
      body.set("public_key", pem);
    }
    return body;
  }

  Result<void> bind(Json& body) {
    const auto target = arguments_.value("--target");
    if (!target) return fail(ErrorCode::invalid, "--target is missing");
    const bool is_known = target->starts_with("node/") || target->starts_with("group/") ||
                          target->starts_with("cmd/");
    if (!is_known) {
      return fail(ErrorCode::invalid, "--target is node/NAME, group/NAME or cmd/NODE/ID");
    }
    if (const auto sequence = arguments_.value("--sequence")) {
      const auto number = parse_integer(*sequence);
      if (!number) return fail(ErrorCode::invalid, "--sequence must be a whole number");
      body.set("sequence", *number);
    }
    for (const char* key : {"who", "why"}) {
      if (const auto text = arguments_.value(std::string("--") + key)) body.set(key, *text);
    }
    body.set("target", *target);
    BERM_TRY(const std::int64_t end, not_after());
    body.set("not_after", end);
    if (target->starts_with("cmd/")) return {};
    if (const auto message = control::read_set_message(body); !message) {
      return fail(ErrorCode::invalid, message.error());
    }
    return {};
  }

  Result<std::int64_t> not_after() const {
    if (const auto text = arguments_.value("--not-after")) {
      const auto number = parse_integer(*text);
      const auto time = control::time_in(number ? Json(*number) : Json(*text));
      if (!time) return fail(ErrorCode::invalid, "--not-after must be a time");
      return *time;
    }
    const std::string text = arguments_.value("--for").value_or("7d");
    const auto length = duration_s(text);
    if (!length) return fail(ErrorCode::invalid, "--for is a duration such as 12h or 7d");
    return s_of(hal::SystemClock({}).wall().time) + *length;
  }

  const Arguments& arguments_;
  const hal::SystemDisk disk_;
};

int verify(const Arguments& arguments, const std::string& key_path) {
  const hal::SystemDisk disk;
  const auto pem = disk.read(absolute_path(key_path), kMaxKeyPemBytes);
  const auto key = pem ? PublicKey::from_pem(*pem) : fail(pem.error());
  if (!key) return complain("sign", key_path + ": " + key.error().text, kBadUsage);
  const auto target = arguments.value("--target");
  if (!target || arguments.plain().empty()) {
    return complain("sign", "usage: berm sign --verify KEY --target TARGET FILE", kBadUsage);
  }
  const auto text = disk.read(absolute_path(arguments.plain()[0]), control::kMaxEnvelopeBytes);
  if (!text) return complain("sign", text.error().text, kBadUsage);
  const std::int64_t now_s = s_of(hal::SystemClock({}).wall().time);
  const auto message =
      control::read_message(trim(*text), *target, control::kMaxEnvelopeBytes, {*key, now_s});
  if (!message) return complain("sign", message.error().reason, kFailed);
  std::puts(message->body.to_text().c_str());
  return kDone;
}

}  // namespace

int sign_verb(Words words) {
  const auto arguments = Arguments::parse(words, kSpecs, 1);
  if (!arguments) return complain("sign", arguments.error().text, kBadUsage);
  if (const auto path = arguments->value("--new-key")) return make_key(*path);
  if (const auto path = arguments->value("--verify")) return verify(*arguments, *path);
  const auto key_path = arguments->value("--key");
  if (!key_path) return complain("sign", "--key is missing", kBadUsage);
  const hal::SystemDisk disk;
  const auto pem = disk.read(absolute_path(*key_path), kMaxKeyPemBytes);
  const auto key = pem ? PrivateKey::from_pem(*pem) : fail(pem.error());
  if (!key) return complain("sign", *key_path + ": " + key.error().text, kBadUsage);
  const auto payload = Signing(*arguments).payload();
  if (!payload) return complain("sign", payload.error().text, kBadUsage);
  std::puts(control::signed_envelope(*payload, *key).c_str());
  return kDone;
}

}  // namespace berm::agent
