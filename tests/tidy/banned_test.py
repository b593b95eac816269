# SPDX-License-Identifier: Apache-2.0
import unittest

from planted_tree import PlantedTree


class Banned(PlantedTree):
    CHECK = "banned.py"

    def test_each_banned_call_is_found(self):
        for call in (
            "sleep(1);",
            "::usleep(1);",
            "nanosleep(&a, nullptr);",
            "std::this_thread::sleep_for(x);",
            "std::system(\"ls\");",
            "int a = rand();",
            "time(nullptr);",
            "std::time(0);",
            "getenv(\"A\");",
            "std::chrono::system_clock::now();",
            "steady_clock::now();",
            "clock_gettime(a, b);",
        ):
            self.assert_fault(
                {"firmware/uplink/a.cpp": f"void f() {{\n  {call}\n}}\n"},
                "firmware/uplink/a.cpp:2: ",
            )

    def test_members_longer_words_comments_and_strings_are_not_calls(self):
        for line in (
            "event.time(nullptr);",
            "uptime(0);",
            "a->sleep(1);",
            "Clock::time(&a);",
            "// sleep(1)",
            'log("rand()");',
            "on_time(nullptr);",
            "int system = 1;",
            "random.system(1);",
        ):
            self.assert_clean({"firmware/uplink/a.cpp": line + "\n"})

    def test_clocks_are_read_in_hal_linux_and_the_environment_in_the_agent(self):
        self.assert_clean({"hal/linux/a.cpp": "auto a = std::chrono::steady_clock::now();\n"})
        self.assert_fault(
            {"hal/sim/a.cpp": "auto a = std::chrono::steady_clock::now();\n"}, "hal/sim/a.cpp:1"
        )
        self.assert_clean(
            {"firmware/agent/a.cpp": 'getenv("A");\n', "tests/support/a.cpp": 'getenv("A");\n'}
        )
        self.assert_fault(
            {"hal/linux/a.cpp": 'getenv("A");\n'}, "hal/linux/a.cpp:1: the environment"
        )

    def test_a_unit_test_does_not_sleep_and_a_system_test_may(self):
        self.assert_fault(
            {"tests/unit/a_test.cpp": "sleep(1);\n"}, "tests/unit/a_test.cpp:1: sleeping"
        )
        self.assert_clean({"tests/system/a_test.cpp": "sleep(1);\n"})

    def test_unfinished_work_is_found_in_comments_and_in_texts(self):
        for word in ("TO" "DO", "FIX" "ME"):
            self.assert_fault(
                {"hal/base/a.cpp": f"int a;\n// {word}: b\n"}, "hal/base/a.cpp:2: unfinished work"
            )
            self.assert_fault({"README.md": f"{word}\n"}, "README.md:1: unfinished work")

    def test_paths_of_one_machine_are_found(self):
        for path in ("/wo" "rk/x", "/ro" "ot/.cache"):
            self.assert_fault(
                {"toolchain/a.sh": f"cd {path}\n"}, "toolchain/a.sh:1: a path of one machine"
            )
        self.assert_clean({"toolchain/a.sh": "mkdir -p build/wo" "rk/ $PWD/wo" "rk/\n"})


if __name__ == "__main__":
    unittest.main()
