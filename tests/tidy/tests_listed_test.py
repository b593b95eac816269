# SPDX-License-Identifier: Apache-2.0
import unittest

from planted_tree import PlantedTree


class TestsListed(PlantedTree):
    CHECK = "tests_listed.py"

    def test_a_test_no_list_names_is_found(self):
        files = {
            "tests/unit/a/CMakeLists.txt": "add_berm_test(a SOURCES a_test.cpp)\n",
            "tests/unit/a/b_test.cpp": "",
        }
        self.assert_fault(files, "tests/unit/a/b_test.cpp:1: ")
        files["tests/unit/a/CMakeLists.txt"] += "# b_test.cpp\n"
        self.assert_fault(files, "tests/unit/a/b_test.cpp:1: ")
        files["tests/unit/a/CMakeLists.txt"] += "add_berm_test(b SOURCES b_test.cpp)\n"
        self.assert_clean(files)

    def test_a_list_above_may_name_it_with_its_folder(self):
        files = {
            "tests/unit/CMakeLists.txt": "add_berm_test(a SOURCES a/a_test.cpp)\n",
            "tests/unit/a/a_test.cpp": "",
        }
        self.assert_clean(files)

    def test_fuzz_targets_are_listed_too(self):
        files = {"tests/fuzz/CMakeLists.txt": "", "tests/fuzz/fuzz_json.cpp": ""}
        self.assert_fault(files, "tests/fuzz/fuzz_json.cpp:1: ")


if __name__ == "__main__":
    unittest.main()
