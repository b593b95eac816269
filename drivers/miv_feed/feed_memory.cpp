// SPDX-License-Identifier: Apache-2.0
#include "drivers/miv_feed/feed_memory.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "hal/base/assert.hpp"

namespace berm::drivers::miv_feed {
namespace {

constexpr std::int64_t kBlockMinutes = 64;
constexpr std::size_t kMaxCommon = 120;                   // patterns named by one byte
constexpr std::size_t kNewsBytes = 20;                    // of one, at most
constexpr std::int64_t kMaxAbsolute = 1'000'000'000'000;  // no time or key of a calendar is beyond

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

struct Place64 {
  std::int64_t key = 0;
  int bit = 0;
};
Place64 place_of(std::int64_t time_s) {
  const std::int64_t minute = floor_div(time_s, kMinuteS);
  const std::int64_t block = floor_div(minute, kBlockMinutes);
  return {block * kMinuteS + (time_s - minute * kMinuteS),
          static_cast<int>(minute - block * kBlockMinutes)};
}

void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7f));
  out += static_cast<char>(value);
}
void put_signed(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  put(out, (bits << 1) ^ (value < 0 ? ~0ull : 0ull));
}
std::int64_t difference(std::int64_t a, std::int64_t b) {  // wraps, and `sum` wraps back
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// Takes numbers off a text; once one was not whole, `ok` stays false.
struct Numbers {
  std::string_view rest;
  bool ok = true;

  std::uint64_t next() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest.empty()) break;
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok = false;
    return 0;
  }
  std::int64_t next_signed() {
    const std::uint64_t bits = next();
    return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~0ull : 0ull));
  }
};

bool is_sane(std::int64_t value) {
  return value >= -kMaxAbsolute && value <= kMaxAbsolute;
}

using Pattern = std::pair<std::int64_t, std::uint64_t>;  // key and minutes of a block

std::int64_t newest_of(const Pattern& pattern) {
  const std::int64_t block = floor_div(pattern.first, kMinuteS);
  const auto newest = static_cast<std::int64_t>(std::bit_width(pattern.second)) - 1;
  const std::int64_t minute = block * kBlockMinutes + newest;
  return minute * kMinuteS + (pattern.first - block * kMinuteS);
}

}  // namespace

struct FeedMemory::Form {
  std::size_t blocks = kMemoryBlocks;
  bool newest_only = false;

  std::vector<Pattern> patterns(const Entry& entry) const {
    std::vector<Pattern> result;
    if (newest_only) {
      const Place64 place = place_of(entry.newest_s);
      return {{place.key, 1ull << place.bit}};
    }
    for (std::size_t i = 0; i < blocks; ++i) {
      const Block& block = entry.blocks[i];
      if (block.minutes != 0) result.emplace_back(block.key, block.minutes);
    }
    return result;
  }
};

void FeedMemory::begin_document() {
  ++document_;
  base_.clear();
}

Seen FeedMemory::mark(Entry& entry, std::int64_t observed_s, std::uint32_t document) {
  const Place64 place = place_of(observed_s);
  const auto found = std::ranges::find_if(entry.blocks, [&](const Block& block) {
    return block.minutes != 0 && block.key == place.key;
  });
  const bool is_known = found != entry.blocks.end();
  Block block = is_known ? *found : Block{.key = place.key};
  // The last used one first; what falls off the end was not used for longest.
  std::move_backward(entry.blocks.begin(), is_known ? found : entry.blocks.end() - 1,
                     is_known ? found + 1 : entry.blocks.end());
  const std::uint64_t bit = 1ull << place.bit;
  const bool is_fresh = (block.minutes & bit) == 0;
  const bool is_repeated = entry.seen == document && entry.newest_s == observed_s;
  block.minutes |= bit;
  entry.blocks.front() = block;
  entry.seen = document;
  entry.newest_s = observed_s;
  if (is_fresh) return Seen::fresh;
  return is_repeated ? Seen::repeated : Seen::before;
}

FeedMemory::Entry* FeedMemory::find_or_make(std::int64_t uid) {
  const auto found = points_.find(uid);
  if (found != points_.end()) return &found->second;
  if (points_.size() >= kMaxPoints && swept_ != document_) {
    swept_ = document_;
    std::erase_if(points_, [this](const auto& one) { return one.second.seen + 2 < document_; });
  }
  if (points_.size() >= kMaxPoints) return nullptr;
  return &points_[uid];
}

Seen FeedMemory::take(std::int64_t uid, std::int64_t observed_s) {
  Entry* entry = find_or_make(uid);
  if (entry == nullptr) return Seen::full;
  const Seen seen = mark(*entry, observed_s, document_);
  if (seen != Seen::fresh || base_.empty()) return seen;
  put_signed(news_, difference(uid, last_uid_));
  put_signed(news_, difference(observed_s, last_s_));
  last_uid_ = uid;
  last_s_ = observed_s;
  return seen;
}

std::string FeedMemory::save(std::size_t max_bytes) {
  BERM_ASSERT(max_bytes >= kMaxMemoryBytes + 64);
  if (base_.empty() || base_.size() + news_.size() + kNewsBytes > max_bytes) {
    base_ = save_points(Form{});
    if (base_.size() > kMaxMemoryBytes) base_ = save_points(Form{.blocks = 1});
    if (base_.size() > kMaxMemoryBytes) base_ = save_points(Form{.newest_only = true});
    news_.clear();
    last_uid_ = last_s_ = 0;
  }
  std::string saved;
  saved.reserve(base_.size() + news_.size() + kNewsBytes);
  put(saved, base_.size());
  return saved.append(base_).append(news_);
}

// Most points share their pattern of minutes with many others: those are named by a number.
std::string FeedMemory::save_points(const Form& form) const {
  std::map<Pattern, std::size_t> counted;
  for (const auto& [uid, entry] : points_) {
    for (const Pattern& pattern : form.patterns(entry)) ++counted[pattern];
  }
  std::vector<std::pair<std::size_t, Pattern>> common;
  for (const auto& [pattern, count] : counted) common.emplace_back(count, pattern);
  std::ranges::sort(common, std::greater<>());
  if (common.size() > kMaxCommon) common.resize(kMaxCommon);
  std::string out;
  std::map<Pattern, std::size_t> number;
  put(out, common.size());
  for (const auto& [count, pattern] : common) {
    put_signed(out, pattern.first);
    put(out, pattern.second);
    number.emplace(pattern, number.size() + 1);
  }
  std::int64_t last_uid = 0;
  std::string one;
  for (const auto& [uid, entry] : points_) {
    one.clear();
    const std::vector<Pattern> patterns = form.patterns(entry);
    put(one, static_cast<std::uint64_t>(difference(uid, last_uid)));
    put(one, patterns.size());
    for (const Pattern& pattern : patterns) {
      const auto found = number.find(pattern);
      put(one, found == number.end() ? 0 : found->second);
      if (found != number.end()) continue;
      put_signed(one, pattern.first);
      put(one, pattern.second);
    }
    if (form.newest_only && out.size() + one.size() > kMaxMemoryBytes) break;
    out += one;
    last_uid = uid;
  }
  return out;
}

bool FeedMemory::restore(std::string_view saved) {
  points_.clear();
  base_.clear();
  Numbers numbers{saved};
  const std::uint64_t size = numbers.next();
  const bool is_whole = numbers.ok && size <= numbers.rest.size();
  const bool is_read = is_whole && restore_points(numbers.rest.substr(0, size)) &&
                       restore_news(numbers.rest.substr(size));
  if (!is_read) points_.clear();
  begin_document();
  return is_read;
}

bool FeedMemory::restore_points(std::string_view saved) {
  Numbers numbers{saved};
  std::vector<Pattern> common(std::min<std::uint64_t>(numbers.next(), kMaxCommon));
  for (Pattern& pattern : common) {
    pattern.first = numbers.next_signed();
    pattern.second = numbers.next();
  }
  std::int64_t uid = 0;
  while (numbers.ok && !numbers.rest.empty()) {
    uid = sum(uid, static_cast<std::int64_t>(numbers.next()));
    const std::uint64_t count = numbers.next();
    Entry* entry = numbers.ok && count <= kMemoryBlocks ? find_or_make(uid) : nullptr;
    if (entry == nullptr) return false;
    entry->seen = document_;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t number = numbers.next();
      if (number > common.size()) return false;
      Pattern pattern = number == 0 ? Pattern() : common[number - 1];
      if (number == 0) {
        pattern.first = numbers.next_signed();
        pattern.second = numbers.next();
      }
      if (!is_sane(pattern.first) || pattern.second == 0) return false;
      if (i == 0) entry->newest_s = newest_of(pattern);
      entry->blocks[i] = Block{pattern.first, pattern.second};
    }
  }
  return numbers.ok;
}

bool FeedMemory::restore_news(std::string_view saved) {
  Numbers numbers{saved};
  std::int64_t uid = 0;
  std::int64_t time_s = 0;
  while (numbers.ok && !numbers.rest.empty()) {
    uid = sum(uid, numbers.next_signed());
    time_s = sum(time_s, numbers.next_signed());
    if (!numbers.ok || !is_sane(time_s)) return false;
    Entry* entry = find_or_make(uid);
    if (entry == nullptr) return false;
    static_cast<void>(mark(*entry, time_s, document_));
  }
  return numbers.ok;
}

}  // namespace berm::drivers::miv_feed
