// SPDX-License-Identifier: Apache-2.0
// A life: a whole node for some days, everything in it drawn from one seed: traffic or none, which
// uplinks, how large the outbox may become, and all that goes wrong. Seed and days are all it takes
// to live it again. Used by `simulate`. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace berm::scenario {

struct LifeOptions {
  std::uint64_t seed = 1;
  double days = 1.0;
  bool is_quiet = false;    // nothing goes wrong: for measuring
  std::string kept_stream;  // whose lines are kept, with what each receiver got; empty: none
  int vehicles = -1;        // −1: the seed decides; 0 or 1
  bool documents = false;   // configurations come while it lives
};

struct LifeResult {
  std::vector<std::string> violations;
  std::vector<std::string> faults;
  std::vector<std::string> lines;  // of the kept stream
  std::string traits;              // what the seed decided
  std::int64_t events = 0;         // different ones that the first receiver has
  std::int64_t repeats = 0;
  std::int64_t vehicles = 0;  // that passed
  std::int64_t boots = 0;
  double cpu_s = 0;
};

LifeResult live(const LifeOptions& options);

}  // namespace berm::scenario
