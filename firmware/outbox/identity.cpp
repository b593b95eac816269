// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/identity.hpp"

#include "firmware/outbox/limits.hpp"
#include "hal/base/json.hpp"

namespace berm::outbox {
namespace {

constexpr std::size_t kEpochLength = 12;
constexpr std::size_t kMaxSidecarBytes = 64u << 10;
constexpr std::string_view kFile = "/outbox.identity";

std::unexpected<Error> damaged() {
  return fail(ErrorCode::damaged, "outbox.identity: not what this program writes");
}

Result<NamedEpoch> parse_epoch(const Json& json) {
  const Json* epoch = json.find("epoch");
  const Json* node = json.find("node");
  const Json* streams = json.find("streams");
  if (epoch == nullptr || !epoch->is_string() || node == nullptr || !node->is_string() ||
      streams == nullptr || !streams->is_array()) {
    return damaged();
  }
  NamedEpoch named{epoch->string(), node->string(), {}, {}};
  for (const Json& stream : streams->array()) {
    if (!stream.is_string()) return damaged();
    named.streams.push_back(stream.string());
  }
  const Json* series = json.find("series");
  if (series == nullptr || !series->is_array()) return named;
  for (const Json& number : series->array()) {
    if (number.is_integer()) named.series.push_back(number.integer());
  }
  if (named.series.size() != named.streams.size()) named.series.clear();
  return named;
}

}  // namespace

std::string make_epoch(hal::Random& random) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string epoch;
  while (epoch.size() < kEpochLength) epoch += kAlphabet[random.below(kAlphabet.size())];
  return epoch;
}

std::string sidecar_text(const Sidecar& sidecar) {
  Json epochs{Json::Array{}};
  const std::size_t skipped =
      sidecar.size() > kMaxEpochsNamed ? sidecar.size() - kMaxEpochsNamed : 0;
  for (std::size_t i = skipped; i < sidecar.size(); ++i) {
    Json::Array streams(sidecar[i].streams.begin(), sidecar[i].streams.end());
    Json epoch;
    epoch.set("epoch", sidecar[i].epoch);
    epoch.set("node", sidecar[i].node);
    epoch.set("streams", Json(std::move(streams)));
    if (!sidecar[i].series.empty()) {
      epoch.set("series", Json(Json::Array(sidecar[i].series.begin(), sidecar[i].series.end())));
    }
    epochs.array().push_back(std::move(epoch));
  }
  Json whole;
  whole.set("epochs", std::move(epochs));
  return whole.to_text(true) + "\n";
}

Result<Sidecar> parse_sidecar(std::string_view text) {
  BERM_TRY(const Json json, Json::parse(text));
  const Json* epochs = json.find("epochs");
  if (epochs == nullptr || !epochs->is_array()) return damaged();
  Sidecar sidecar;
  for (const Json& epoch : epochs->array()) {
    BERM_TRY(NamedEpoch named, parse_epoch(epoch));
    sidecar.push_back(std::move(named));
  }
  return sidecar;
}

Sidecar read_sidecar(hal::Disk& disk, const std::string& directory) {
  const auto text = disk.read(directory + std::string(kFile), kMaxSidecarBytes);
  if (!text) return {};
  auto sidecar = parse_sidecar(*text);
  return sidecar ? std::move(*sidecar) : Sidecar();
}

Result<void> write_sidecar(hal::Disk& disk, const std::string& directory, const Sidecar& sidecar) {
  return disk.write_whole(directory + std::string(kFile), sidecar_text(sidecar));
}

}  // namespace berm::outbox
