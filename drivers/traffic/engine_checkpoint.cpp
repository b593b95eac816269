// SPDX-License-Identifier: Apache-2.0
#include "drivers/traffic/engine_checkpoint.hpp"

namespace berm::drivers::traffic {
namespace {

constexpr std::uint32_t kMagic = 0x324c5442;  // "BTL2": the version is the last character

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace

std::string LaneEngine::Checkpoint::encode() const {
  ByteWriter body;
  grid.encode(body);
  ByteWriter rows;
  rows.u8(static_cast<std::uint8_t>(lanes.size()));
  for (const LaneSums& lane : lanes) {
    rows.i64(lane.uid);
    for (const LanePeriodSum& sum : lane.sums) sum.encode(rows);
    rows.text(lane.learned);
  }
  constexpr std::size_t kHead = 12;
  const bool fits = kHead + body.bytes().size() + rows.bytes().size() <= kMaxCheckpointBytes;
  const std::string content = body.bytes() + (fits ? rows.bytes() : std::string(1, '\0'));
  ByteWriter head;
  head.u32(kMagic);
  head.u64(fnv1a(content));
  return head.bytes() + content;
}

std::optional<LaneEngine::Checkpoint> LaneEngine::Checkpoint::decode(std::string_view bytes) {
  ByteReader head(bytes);
  if (head.u32() != kMagic) return std::nullopt;
  const std::uint64_t hash = head.u64();
  if (!head.is_good() || fnv1a(bytes.substr(12)) != hash) return std::nullopt;
  Checkpoint checkpoint;
  if (!checkpoint.grid.decode(head)) return std::nullopt;
  const std::size_t lane_count = head.u8();
  if (lane_count > kMaxLanes) return std::nullopt;
  for (std::size_t i = 0; i < lane_count; ++i) {
    LaneSums& lane = checkpoint.lanes.emplace_back();
    lane.uid = head.i64();
    lane.sums.resize(checkpoint.grid.open.size());
    for (LanePeriodSum& sum : lane.sums) {
      if (!sum.decode(head)) return std::nullopt;
    }
    lane.learned = std::string(head.text());
  }
  if (!head.is_good() || !head.is_at_end()) return std::nullopt;
  return checkpoint;
}

const LaneEngine::Checkpoint::LaneSums* LaneEngine::Checkpoint::find(std::int64_t uid) const {
  for (const LaneSums& lane : lanes) {
    if (lane.uid == uid) return &lane;
  }
  return nullptr;
}

}  // namespace berm::drivers::traffic
