// SPDX-License-Identifier: Apache-2.0
#include "firmware/analytics/audit.hpp"

#include <algorithm>
#include <charconv>

#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::analytics {
namespace {

const std::string* text_of_field(const Json& event, std::string_view name) {
  const Json* value = event.find(name);
  return value != nullptr && value->is_string() ? &value->string() : nullptr;
}

std::optional<std::int64_t> integer_of_field(const Json& event, std::string_view name) {
  const Json* value = event.find(name);
  if (value == nullptr || !value->is_integer()) return std::nullopt;
  return value->integer();
}

bool read_integer(const Json& event, std::string_view name, std::int64_t& into) {
  const auto value = integer_of_field(event, name);
  into = value.value_or(0);
  return value.has_value();
}

bool read_hex(const Json& event, std::string_view name, std::uint64_t& into) {
  const std::string* text = text_of_field(event, name);
  if (text == nullptr || text->size() != 16) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), into, 16);
  return error == std::errc() && end == text->data() + text->size();
}

bool is_named(std::string_view names, std::string_view name) {
  const auto words = split(names, ' ');
  return std::ranges::find(words, name) != words.end();
}

}  // namespace

std::optional<Into> into_of(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 4) return std::nullopt;
  std::string range(parts[3]);
  if (!range.contains('-')) range += '-' + range;
  auto seqs = SeqRanges::parse(range);
  if (!seqs || seqs->ranges().size() != 1 || seqs->ranges().begin()->second == kOpenEnd) {
    return std::nullopt;
  }
  return Into{std::string(parts[0]), std::string(parts[1]), std::string(parts[2]),
              std::move(*seqs)};
}

void Audit::read_line(std::string_view line) {
  line = trim(line);
  if (line.empty()) return;
  const auto event = Json::parse(line);
  if (!event || !event->is_object() || !read_event(*event, line)) ++unreadable_;
}

bool Audit::says_more(std::string_view stream) {
  return stream == "node.gap" || stream == "node.manifest" || stream == "node.epoch";
}

bool Audit::take(std::string_view node, std::string_view epoch, std::string_view stream,
                 std::int64_t seq, std::uint64_t sum64, std::optional<std::int64_t> vehicles) {
  Ledger& ledger = ledgers_[Key{std::string(node), std::string(epoch), std::string(stream)}];
  const auto [known, is_new] = ledger.received.emplace(seq, Received{sum64, vehicles.value_or(-1)});
  ledger.highest = std::max(ledger.highest, seq);
  if (!is_new) ++(known->second.sum == sum64 ? ledger.duplicate : ledger.differing);
  return is_new;
}

bool Audit::read_event(const Json& event, std::string_view line) {
  const std::string* node = text_of_field(event, "node");
  const std::string* epoch = text_of_field(event, "epoch");
  const std::string* stream = text_of_field(event, "stream");
  std::int64_t seq = 0;
  if (node == nullptr || epoch == nullptr || stream == nullptr ||
      !read_integer(event, "seq", seq) || seq < 1) {
    return false;
  }
  std::optional<std::int64_t> vehicles;
  if (*stream == "traffic.lane") vehicles = integer_of_field(event, "count");
  if (!take(*node, *epoch, *stream, seq, sum64_of(line), vehicles)) return true;
  const Key self{*node, *epoch, *stream};
  if (*stream == "node.gap") return read_gap(event, self, seq);
  if (*stream == "node.manifest") return read_manifest(event, self, seq);
  if (*stream == "node.epoch") {
    if (const std::string* previous = text_of_field(event, "previous"))
      previous_[*epoch] = *previous;
  }
  return true;
}

// The node may have been renamed since: then its epoch stands under the old name.
Audit::Ledger& Audit::ledger_of(const std::string& node, const std::string& epoch,
                                const std::string& stream) {
  const auto own = ledgers_.find(Key{node, epoch, stream});
  if (own != ledgers_.end()) return own->second;
  for (auto& [key, ledger] : ledgers_) {
    if (key.epoch == epoch && key.stream == stream) return ledger;
  }
  return ledgers_[Key{node, epoch, stream}];
}

bool Audit::read_gap(const Json& event, const Key& self, std::int64_t seq) {
  const std::string* of = text_of_field(event, "of");
  const std::string* of_epoch = text_of_field(event, "of_epoch");
  const std::string* ranges = text_of_field(event, "ranges");
  const std::string* cause = text_of_field(event, "cause");
  if (of == nullptr || of_epoch == nullptr || ranges == nullptr || cause == nullptr) return false;
  auto parsed = SeqRanges::parse(*ranges);
  if (!parsed) return false;
  Ledger& ledger = ledger_of(self.node, *of_epoch, *of);
  Claim claim{.ranges = std::move(*parsed), .made = {self.node, self.epoch, seq}};
  claim.is_merged = *cause == "merged";
  claim.vehicles = integer_of_field(event, "vehicles");
  const std::string* uplink = text_of_field(event, "uplink");
  claim.is_ours = uplink_.empty() || uplink == nullptr || is_named(*uplink, uplink_);
  if (const std::string* into = text_of_field(event, "into")) {
    for (const std::string_view id : split(*into, ' ')) claim.into.emplace_back(id);
  }
  if (claim.is_ours) ledger.explained.add(claim.ranges);
  if (claim.is_ours && claim.is_merged) ledger.merged.add(claim.ranges);
  ledger.highest = std::max(ledger.highest, claim.ranges.highest());
  for (const std::string& id : claim.into) {
    const auto one = into_of(id);
    const bool is_here = one && one->epoch == *of_epoch && one->stream == *of;
    if (is_here) ledger.highest = std::max(ledger.highest, one->seqs.highest());
  }
  ledger.claims.push_back(std::move(claim));
  return true;
}

bool Audit::read_manifest(const Json& event, const Key& self, std::int64_t seq) {
  const std::string* of = text_of_field(event, "of");
  const std::string* of_epoch = text_of_field(event, "of_epoch");
  Manifest manifest{};
  if (of == nullptr || of_epoch == nullptr || !read_integer(event, "first", manifest.first) ||
      !read_integer(event, "last", manifest.last) ||
      !read_integer(event, "count", manifest.count) || !read_hex(event, "sum64", manifest.sum) ||
      manifest.first < 1 || manifest.last < manifest.first) {
    return false;
  }
  manifest.made = {self.node, self.epoch, seq};
  manifest.gaps = integer_of_field(event, "gaps");
  Ledger& ledger = ledger_of(self.node, *of_epoch, *of);
  ledger.highest = std::max(ledger.highest, manifest.last);
  ledger.manifests.push_back(std::move(manifest));
  return true;
}

}  // namespace berm::analytics
