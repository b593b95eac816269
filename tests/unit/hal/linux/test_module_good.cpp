// SPDX-License-Identifier: Apache-2.0
// A module as it should be.
#include "hal/linux/module.hpp"

BERM_MODULE_BUILD_ID;

extern "C" [[gnu::visibility("default")]] int berm_test_answer() {
  return 42;
}
