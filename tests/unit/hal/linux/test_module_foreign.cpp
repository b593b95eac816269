// SPDX-License-Identifier: Apache-2.0
// A module that was left behind by another version of the program.
extern "C" {
[[gnu::visibility("default")]] extern const char* const berm_module_build_id;
const char* const berm_module_build_id = "0.0.1-old";
[[gnu::visibility("default")]] int berm_test_answer() {
  return 41;
}
}
