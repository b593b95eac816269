// SPDX-License-Identifier: Apache-2.0
// Every bound of the shell's room.
#pragma once

#include <cstddef>

namespace berm::shell {

inline constexpr std::size_t kMaxRequestBytes = 65536;  // one line; or lines that wait their turn
inline constexpr std::size_t kMaxWords = 64;
inline constexpr std::size_t kMaxAnswerBytes = 16u << 20;  // one part of an answer, for the reader
inline constexpr std::size_t kMaxCandidates = 256;         // offered for one word
inline constexpr std::size_t kMaxClients = 128;            // connections at once
inline constexpr int kMaxAnswersPerTurn = 16;  // of one connection; then the loop has its turn
// A client that has this much of its answers to read gets no other before it has.
inline constexpr std::size_t kMaxUnsentBytes = 65536;
// A client with more than this unread is cut off.
inline constexpr std::size_t kMaxAnswersBytes = 4u << 20;

}  // namespace berm::shell
