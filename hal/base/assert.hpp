// SPDX-License-Identifier: Apache-2.0
// BERM_ASSERT: a broken invariant, that is a defect of the program. On in release: says where,
// aborts; systemd restarts, the outbox is intact. Never for what the world can do to us.
#pragma once

#include <cstdio>
#include <cstdlib>

#define BERM_ASSERT(condition)                                                                  \
  do {                                                                                          \
    if (!(condition)) [[unlikely]] {                                                            \
      std::fprintf(stderr, "<2>%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                             \
    }                                                                                           \
  } while (false)
