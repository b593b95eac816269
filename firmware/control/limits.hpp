// SPDX-License-Identifier: Apache-2.0
// Every maximum of the configuration, in one place.
#pragma once

#include <cstddef>

namespace berm::control {

inline constexpr std::size_t kMaxDocumentBytes = 1u << 20;
inline constexpr std::size_t kMaxDrivers = 64;
inline constexpr std::size_t kMaxUplinks = 16;
inline constexpr std::size_t kMaxHeaders = 32;  // of one http uplink
inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxFaults = 200;  // reported; the rest is counted in one line

}  // namespace berm::control
