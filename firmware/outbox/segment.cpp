// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/segment.hpp"

#include <zstd.h>

#include <cstring>

#include "firmware/outbox/limits.hpp"
#include "hal/base/assert.hpp"

namespace berm::outbox {
namespace {

enum Flag : unsigned {
  kHasWall = 1,
  kClockShift = 1,  // two bits
  kHasMadeWall = 8,
  kHasVehicles = 16,
  kSameSource = 32,
  kSameKey = 64,
  kHasRest = 128,
};

// Differences wrap like unsigned numbers do, so that no value can overflow.
std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void put_signed(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  put_varint(out, (bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

// What the next record is written against.
struct Before {
  std::int64_t mono = 0;
  std::int64_t wall_offset = 0;
  std::int64_t made_offset = 0;
  std::string_view source;
  std::string_view key;
};

// All but the tail.
void put_head(std::string& out, const Record& record, Before& before) {
  unsigned flags = static_cast<unsigned>(record.clock) << kClockShift;
  if (record.wall_us) flags |= kHasWall;
  if (record.made_wall_us) flags |= kHasMadeWall;
  if (record.vehicles) flags |= kHasVehicles;
  if (record.source == before.source) flags |= kSameSource;
  if (record.key == before.key) flags |= kSameKey;
  if (!record.rest.empty()) flags |= kHasRest;
  out += static_cast<char>(flags);
  put_signed(out, minus(record.mono_us, before.mono));
  before.mono = record.mono_us;
  if (record.wall_us) {
    const std::int64_t offset = minus(*record.wall_us, record.mono_us);
    put_signed(out, minus(offset, before.wall_offset));
    before.wall_offset = offset;
  }
  put_signed(out, minus(record.made_mono_us, record.mono_us));
  if (record.made_wall_us) {
    const std::int64_t offset = minus(*record.made_wall_us, record.made_mono_us);
    put_signed(out, minus(offset, before.made_offset));
    before.made_offset = offset;
  }
  if (record.vehicles) put_signed(out, *record.vehicles);
  if ((flags & kSameSource) == 0) put_text(out, before.source = record.source);
  if ((flags & kSameKey) == 0) put_text(out, before.key = record.key);
  if (!record.rest.empty()) put_text(out, record.rest);
}

std::string rows_of(std::span<const Record> records) {
  std::string body;
  Before before;
  for (const Record& record : records) {
    put_head(body, record, before);
    put_text(body, record.tail);
  }
  return body;
}

// Empty: the tails cannot be turned, or it is not worth it.
std::string turned(std::span<const Record> records) {
  if (records.size() < 2) return {};
  std::vector<std::string_view> tails;
  tails.reserve(records.size());
  for (const Record& record : records) tails.push_back(record.tail);
  const auto columns = columns_of(tails);
  if (!columns) return {};
  std::string body;
  Before before;
  for (const Record& record : records) put_head(body, record, before);
  return body += *columns;
}

bool is_columns(Codec codec) {
  return codec == Codec::plain_columns || codec == Codec::zstd_columns;
}
bool is_zstd(Codec codec) {
  return codec == Codec::zstd || codec == Codec::zstd_columns;
}

// Reads what put_* wrote; after a fault everything is zero and empty and `is_good` says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  unsigned byte() {
    if (bytes_.empty()) return bad();
    const auto value = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned part = byte();
      value |= std::uint64_t{part & 0x7f} << shift;
      if ((part & 0x80) == 0) return value;
    }
    return bad();
  }
  std::int64_t signed_number() {
    const std::uint64_t bits = varint();
    return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
  }
  std::string_view text() {
    const std::uint64_t size = varint();
    if (size > bytes_.size()) {
      bad();
      return {};
    }
    const std::string_view value = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return value;
  }
  bool is_good() const { return good_; }
  bool is_at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

 private:
  unsigned bad() {
    good_ = false;
    bytes_ = {};
    return 0;
  }
  std::string_view bytes_;
  bool good_ = true;
};

Record read_head(Reader& in, Before& before) {
  Record record;
  const unsigned flags = in.byte();
  record.clock = static_cast<ClockSource>((flags >> kClockShift) & 3u);
  record.mono_us = before.mono = plus(before.mono, in.signed_number());
  if ((flags & kHasWall) != 0) {
    before.wall_offset = plus(before.wall_offset, in.signed_number());
    record.wall_us = plus(record.mono_us, before.wall_offset);
  }
  record.made_mono_us = plus(record.mono_us, in.signed_number());
  if ((flags & kHasMadeWall) != 0) {
    before.made_offset = plus(before.made_offset, in.signed_number());
    record.made_wall_us = plus(record.made_mono_us, before.made_offset);
  }
  if ((flags & kHasVehicles) != 0) record.vehicles = in.signed_number();
  if ((flags & kSameSource) == 0) before.source = in.text();
  if ((flags & kSameKey) == 0) before.key = in.text();
  record.source = before.source;
  record.key = before.key;
  if ((flags & kHasRest) != 0) record.rest = in.text();
  return record;
}

constexpr std::size_t kSumBytes = 4;

std::string checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  hash ^= hash >> 32;
  std::string sum(kSumBytes, '\0');
  for (std::size_t i = 0; i < kSumBytes; ++i) sum[i] = static_cast<char>((hash >> (8 * i)) & 0xff);
  return sum;
}

std::optional<std::int64_t> us_of_optional(const std::optional<WallTime>& time) {
  return time ? std::optional(us_of(*time)) : std::nullopt;
}

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::damaged, std::string("outbox segment: ") + what);
}

}  // namespace

Record record_of(const event::Draft& draft) {
  return Record{.mono_us = us_of(draft.mono),
                .wall_us = us_of_optional(draft.wall),
                .clock = draft.wall ? draft.clock : ClockSource::none,
                .made_mono_us = us_of(draft.made_mono),
                .made_wall_us = us_of_optional(draft.made_wall),
                .vehicles = draft.vehicles,
                .source = draft.source,
                .key = draft.key,
                .tail = draft.tail};
}

Result<std::vector<Record>> read_records(std::string_view bytes, std::size_t count) {
  Reader in(bytes);
  Before before;
  std::vector<Record> records;
  records.reserve(count);
  for (std::size_t i = 0; i < count && in.is_good(); ++i) {
    records.push_back(read_head(in, before));
    records.back().tail = in.text();
  }
  if (!in.is_good() || !in.is_at_end()) return damaged("does not add up");
  return records;
}

namespace {

// As read_records, of columns; `tails` is what their tails are views into.
Result<std::vector<Record>> read_columns(std::string_view bytes, std::size_t count, Tails& tails) {
  Reader in(bytes);
  Before before;
  std::vector<Record> records;
  records.reserve(count);
  for (std::size_t i = 0; i < count && in.is_good(); ++i) records.push_back(read_head(in, before));
  if (!in.is_good()) return damaged("does not add up");
  BERM_TRY(tails, tails_of(in.rest(), count, kMaxBodyBytes));
  for (std::size_t i = 0; i < count; ++i) records[i].tail = tails.views[i];
  return records;
}

}  // namespace

struct SegmentCodec::Contexts {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  using Compressor = std::unique_ptr<ZSTD_CCtx, Free>;
  static Compressor make_compressor();
  Compressor compress;
  std::unique_ptr<ZSTD_DCtx, Free> expand;
};

// The level's search with tables for our segments, not for files: 0.5 MB, not 3.
SegmentCodec::Contexts::Compressor SegmentCodec::Contexts::make_compressor() {
  Compressor made(ZSTD_createCCtx());
  if (!made) return made;
  ZSTD_CCtx_setParameter(made.get(), ZSTD_c_compressionLevel, kCompressionLevel);
  ZSTD_CCtx_setParameter(made.get(), ZSTD_c_hashLog, kCompressionTableLog);
  ZSTD_CCtx_setParameter(made.get(), ZSTD_c_chainLog, kCompressionTableLog);
  return made;
}

SegmentCodec::SegmentCodec() : contexts_(std::make_unique<Contexts>()) {}
SegmentCodec::~SegmentCodec() = default;

Packed SegmentCodec::pack(std::span<const Record> records) {
  BERM_ASSERT(!records.empty() && records.size() <= kMaxSegmentEvents);
  Packed packed;
  packed.body = turned(records);
  const bool is_turned = !packed.body.empty();
  if (!is_turned) packed.body = rows_of(records);
  packed.raw_bytes = packed.body.size();
  const bool is_compressed = packed.raw_bytes >= kMinCompressedBytes && compress(packed.body);
  if (is_turned)
    packed.codec = is_compressed ? Codec::zstd_columns : Codec::plain_columns;
  else
    packed.codec = is_compressed ? Codec::zstd : Codec::plain;
  packed.body += checksum_of(packed.body);
  return packed;
}

// False: it would not become smaller.
bool SegmentCodec::compress(std::string& body) {
  if (!contexts_->compress) contexts_->compress = Contexts::make_compressor();
  if (!contexts_->compress) return false;
  std::string compressed(ZSTD_compressBound(body.size()), '\0');
  const std::size_t size = ZSTD_compress2(contexts_->compress.get(), compressed.data(),
                                          compressed.size(), body.data(), body.size());
  if (ZSTD_isError(size) != 0 || size >= body.size()) return false;
  body.assign(compressed, 0, size);
  return true;
}

Result<OpenedSegment> SegmentCodec::open(Codec codec, std::size_t raw_bytes, std::size_t count,
                                         std::string_view body) {
  if (count == 0 || count > kMaxSegmentEvents) return damaged("impossible count");
  if (raw_bytes > kMaxBodyBytes || body.size() < kSumBytes) return damaged("impossible size");
  const std::string_view sum = body.substr(body.size() - kSumBytes);
  body.remove_suffix(kSumBytes);
  if (checksum_of(body) != sum) return damaged("its checksum does not hold");
  if (codec < Codec::plain || codec > Codec::zstd_columns) return damaged("unknown codec");
  OpenedSegment segment;
  segment.bytes_ = std::make_unique_for_overwrite<char[]>(raw_bytes);
  if (is_zstd(codec)) {
    BERM_CHECK(expand(body, segment.bytes_.get(), raw_bytes));
  } else if (body.size() != raw_bytes) {
    return damaged("wrong size");
  } else {
    std::memcpy(segment.bytes_.get(), body.data(), body.size());
  }
  const std::string_view bytes(segment.bytes_.get(), raw_bytes);
  if (is_columns(codec)) {
    BERM_TRY(segment.records_, read_columns(bytes, count, segment.tails_));
  } else {
    BERM_TRY(segment.records_, read_records(bytes, count));
  }
  return segment;
}

Result<void> SegmentCodec::expand(std::string_view body, char* into, std::size_t raw_bytes) {
  if (!contexts_->expand) contexts_->expand.reset(ZSTD_createDCtx());
  if (!contexts_->expand) return fail(ErrorCode::unavailable, "no memory to expand a segment");
  const std::size_t size =
      ZSTD_decompressDCtx(contexts_->expand.get(), into, raw_bytes, body.data(), body.size());
  if (ZSTD_isError(size) != 0 || size != raw_bytes) return damaged("does not expand");
  return {};
}

std::string SegmentCodec::pack_checkpoint(std::string_view bytes) {
  std::string body(bytes);
  const bool is_small = body.size() < kMinCompressedBytes;
  const Codec codec = is_small || !compress(body) ? Codec::plain : Codec::zstd;
  return static_cast<char>(codec) + body;
}

Result<std::string> SegmentCodec::open_checkpoint(std::string_view stored) {
  if (stored.empty()) return damaged("no codec");
  const auto codec = static_cast<Codec>(stored.front());
  stored.remove_prefix(1);
  if (codec == Codec::plain) return std::string(stored);
  if (codec != Codec::zstd) return damaged("unknown codec");
  const unsigned long long raw_bytes = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (raw_bytes > kMaxCheckpointBytes) return damaged("impossible size");  // unknown is greater too
  std::string bytes(static_cast<std::size_t>(raw_bytes), '\0');
  BERM_CHECK(expand(stored, bytes.data(), bytes.size()));
  return bytes;
}

}  // namespace berm::outbox
