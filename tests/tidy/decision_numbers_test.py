# SPDX-License-Identifier: Apache-2.0
import unittest

from planted_tree import PlantedTree


class DecisionNumbers(PlantedTree):
    CHECK = "decision_numbers.py"

    def test_a_number_used_twice_is_found(self):
        self.assert_fault(
            {"firmware/design/0001-a.md": "", "firmware/design/0001-b.md": ""},
            "firmware/design/0001-b.md:1: number 0001 is taken",
        )

    def test_a_file_without_a_number_is_found(self):
        self.assert_fault({"firmware/design/why.md": ""}, "firmware/design/why.md:1: ")

    def test_numbers_used_once_and_a_readme_are_right(self):
        self.assert_clean(
            {
                "firmware/design/0001-a.md": "",
                "firmware/design/0002-a.md": "",
                "firmware/design/README.md": "",
            }
        )


if __name__ == "__main__":
    unittest.main()
