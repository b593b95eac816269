// SPDX-License-Identifier: Apache-2.0
#include "firmware/analytics/audit.hpp"

#include <algorithm>
#include <charconv>

#include "hal/base/digest.hpp"
#include "hal/base/text.hpp"

namespace berm::analytics {
namespace {

constexpr std::size_t kMaxNamedHoles = 8;

const std::string* text_of_field(const Json& event, std::string_view name) {
  const Json* value = event.find(name);
  return value != nullptr && value->is_string() ? &value->string() : nullptr;
}

bool read_integer(const Json& event, std::string_view name, std::int64_t& into) {
  const Json* value = event.find(name);
  if (value == nullptr || !value->is_integer()) return false;
  into = value->integer();
  return true;
}

bool read_hex(const Json& event, std::string_view name, std::uint64_t& into) {
  const std::string* text = text_of_field(event, name);
  if (text == nullptr || text->size() != 16) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), into, 16);
  return error == std::errc() && end == text->data() + text->size();
}

// The holes in 1…highest that `known` says nothing of, written as ranges.
template <class IsKnown>
std::string name_holes(std::int64_t highest, IsKnown is_known) {
  std::string holes;
  std::size_t named = 0;
  for (std::int64_t seq = 1; seq <= highest; ++seq) {
    if (is_known(seq)) continue;
    const std::int64_t first = seq;
    while (seq < highest && !is_known(seq + 1)) ++seq;
    if (named++ == kMaxNamedHoles) return holes + " …";
    holes += (holes.empty() ? "" : " ") + std::to_string(first) + "-" + std::to_string(seq);
  }
  return holes;
}

}  // namespace

void Audit::read_line(std::string_view line) {
  line = trim(line);
  if (line.empty()) return;
  const auto event = Json::parse(line);
  if (!event || !event->is_object() || !read_event(*event, line)) ++unreadable_;
}

bool Audit::take(std::string_view node, std::string_view epoch, std::string_view stream,
                 std::int64_t seq, std::uint64_t sum64) {
  Ledger& ledger = ledgers_[Key{std::string(node), std::string(epoch), std::string(stream)}];
  const auto [known, is_new] = ledger.received.emplace(seq, sum64);
  ledger.highest = std::max(ledger.highest, seq);
  if (!is_new) ++(known->second == sum64 ? ledger.duplicate : ledger.differing);
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
  if (!take(*node, *epoch, *stream, seq, sum64_of(line))) return true;
  if (*stream == "node.gap") return read_gap(event, *node);
  if (*stream == "node.manifest") return read_manifest(event, *node);
  return true;
}

bool Audit::read_gap(const Json& event, const std::string& node) {
  const std::string* of = text_of_field(event, "of");
  const std::string* of_epoch = text_of_field(event, "of_epoch");
  const std::string* ranges = text_of_field(event, "ranges");
  const std::string* cause = text_of_field(event, "cause");
  if (of == nullptr || of_epoch == nullptr || ranges == nullptr || cause == nullptr) return false;
  const auto parsed = SeqRanges::parse(*ranges);
  if (!parsed) return false;
  Ledger& ledger = ledgers_[Key{node, *of_epoch, *of}];
  ledger.explained.add(*parsed);
  if (*cause == "merged") ledger.merged.add(*parsed);
  return true;
}

bool Audit::read_manifest(const Json& event, const std::string& node) {
  const std::string* of = text_of_field(event, "of");
  const std::string* of_epoch = text_of_field(event, "of_epoch");
  Manifest manifest{};
  if (of == nullptr || of_epoch == nullptr || !read_integer(event, "first", manifest.first) ||
      !read_integer(event, "last", manifest.last) ||
      !read_integer(event, "count", manifest.count) || !read_hex(event, "sum64", manifest.sum)) {
    return false;
  }
  Ledger& ledger = ledgers_[Key{node, *of_epoch, *of}];
  ledger.manifests.push_back(manifest);
  ledger.highest = std::max(ledger.highest, manifest.last);
  return true;
}

bool Audit::holds(const Manifest& manifest, const Ledger& ledger) {
  std::int64_t count = 0;
  std::uint64_t sum = 0;
  for (std::int64_t seq = manifest.first; seq <= manifest.last; ++seq) {
    const auto found = ledger.received.find(seq);
    if (found == ledger.received.end() || ledger.explained.contains(seq)) continue;
    ++count;
    sum += found->second;
  }
  return count == manifest.count && sum == manifest.sum;
}

StreamFinding Audit::find(const Key& key, const Ledger& ledger) {
  StreamFinding finding{.node = key.node, .epoch = key.epoch, .stream = key.stream};
  finding.received = static_cast<std::int64_t>(ledger.received.size());
  finding.duplicate = ledger.duplicate;
  finding.differing = ledger.differing;
  finding.highest = ledger.highest;
  finding.explained = ledger.explained.count_within(1, ledger.highest);
  finding.merged = ledger.merged.count_within(1, ledger.highest);
  for (const auto& [seq, digest] : ledger.received) {
    if (ledger.explained.contains(seq)) --finding.explained;
    if (ledger.merged.contains(seq)) --finding.merged;
  }
  finding.missing = ledger.highest - finding.received - finding.explained;
  if (finding.missing > 0) {
    finding.missing_ranges = name_holes(ledger.highest, [&](std::int64_t seq) {
      return ledger.received.contains(seq) || ledger.explained.contains(seq);
    });
  }
  finding.manifests = static_cast<std::int64_t>(ledger.manifests.size());
  finding.manifests_broken =
      std::ranges::count_if(ledger.manifests, [&](const Manifest& m) { return !holds(m, ledger); });
  return finding;
}

std::vector<StreamFinding> Audit::findings() const {
  std::vector<StreamFinding> all;
  for (const auto& [key, ledger] : ledgers_) all.push_back(find(key, ledger));
  return all;
}

bool Audit::is_clean() const {
  return unreadable_ == 0 && std::ranges::all_of(findings(), [](const StreamFinding& f) {
           return f.missing == 0 && f.differing == 0 && f.manifests_broken == 0;
         });
}

}  // namespace berm::analytics
