// SPDX-License-Identifier: Apache-2.0
// The bytes of a checkpoint: fixed-width little-endian numbers, written and read in order. A reader
// that runs out of bytes gives zeros and says so by `is_good()`; it never reads beyond its text.
// Pure values.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace berm::drivers::traffic {

class ByteWriter {
 public:
  void u64(std::uint64_t value) { put(value, 8); }
  void u32(std::uint32_t value) { put(value, 4); }
  void u8(std::uint8_t value) { put(value, 1); }
  void i64(std::int64_t value) { u64(static_cast<std::uint64_t>(value)); }
  void real(double value) { u64(std::bit_cast<std::uint64_t>(value)); }
  // At most 255 bytes are kept.
  void text(std::string_view value) {
    value = value.substr(0, 255);
    u8(static_cast<std::uint8_t>(value.size()));
    bytes_ += value;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void put(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>((value >> (8 * i)) & 0xffu);
  }
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t u64() { return get(8); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(get(4)); }
  std::uint8_t u8() { return static_cast<std::uint8_t>(get(1)); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  double real() { return std::bit_cast<double>(u64()); }
  std::string_view text() {
    const std::size_t size = u8();
    if (size > bytes_.size()) return spoil();
    const std::string_view value = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return value;
  }
  bool is_good() const { return is_good_; }
  bool is_at_end() const { return bytes_.empty(); }

 private:
  std::string_view spoil() {
    is_good_ = false;
    bytes_ = {};
    return {};
  }
  std::uint64_t get(std::size_t width) {
    if (bytes_.size() < width) {
      spoil();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes_[i])} << (8 * i);
    }
    bytes_.remove_prefix(width);
    return value;
  }
  std::string_view bytes_;
  bool is_good_ = true;
};

}  // namespace berm::drivers::traffic
