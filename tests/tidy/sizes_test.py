# SPDX-License-Identifier: Apache-2.0
import unittest

from planted_tree import LICENCE, PlantedTree


def function(lines, head="int Foo::f(int a) const"):
    return LICENCE + head + " {\n" + "  ++a;\n" * (lines - 2) + "}\n"


def nested(depth):
    opened = [
        "if (a) {",
        "for (int i = 0; i < 2; ++i) {",
        "while (a) {",
        "switch (a) { case A::b: {",
    ]
    closed = ["}", "}", "}", "}}"]
    return (
        LICENCE
        + "void f() {\n"
        + "\n".join(opened[:depth])
        + "\n"
        + "\n".join(closed[:depth][::-1])
        + "\n}\n"
    )


class Sizes(PlantedTree):
    CHECK = "sizes.py"

    def test_a_function_has_at_most_70_lines(self):
        self.assert_clean({"a/a.cpp": function(70)})
        self.assert_fault({"a/a.cpp": function(71)}, "a/a.cpp:2: Foo::f has 71 lines")

    def test_the_head_of_a_function_counts(self):
        self.assert_fault(
            {"a/a.cpp": function(70, "template <class T,\n          class U>\nint f(int a)")},
            "a/a.cpp:2",
        )

    def test_constructors_with_braces_before_the_body_are_measured(self):
        self.assert_fault(
            {"a/a.cpp": function(71, "Foo::Foo(int a) : a_{a}, b_(a)")}, "a/a.cpp:2: Foo::Foo"
        )

    def test_methods_in_a_class_and_lambdas_in_a_table_are_measured(self):
        text = (
            LICENCE
            + "struct A {\n  int x{1};\n public:\n  int f() {\n"
            + "  ++x;\n" * 70
            + "  }\n};\n"
        )
        self.assert_fault({"a/a.cpp": text}, "a/a.cpp:5: f has 72 lines")
        text = LICENCE + "const T kT[] = {{1, [](int a) {\n" + "  ++a;\n" * 70 + "}}};\n"
        self.assert_fault({"a/a.cpp": text}, "a/a.cpp:2: a lambda has 72 lines")

    def test_braces_in_comments_and_strings_do_not_count(self):
        text = (
            LICENCE
            + 'void f() {\n  g("}{", \'{\', 1\'000);  // }\n  /* } */ h(R"({{)");\n'
            + "  ++a;\n" * 70
            + "}\n"
        )
        self.assert_fault({"a/a.cpp": text}, "a/a.cpp:2: f has 74 lines")

    def test_three_control_blocks_may_nest(self):
        self.assert_clean({"a/a.cpp": nested(3)})
        self.assert_fault({"a/a.cpp": nested(4)}, "a/a.cpp:6: f nests 4 control blocks")

    def test_a_lambda_nests_anew_and_initialisers_do_not_nest(self):
        text = LICENCE + (
            "void f() {\n if (a) {\n  for (;;) {\n   while (b) {\n"
            "    post([&] { if (c) { d({1}); } });\n"
            "    x = Foo{.a = {1, 2}};\n   }\n  }\n }\n}\n"
        )
        self.assert_clean({"a/a.cpp": text})

    def test_a_file_has_at_most_600_lines(self):
        self.assert_clean({"a/a.py": "# SPDX-License-Identifier: Apache-2.0\n" * 600})
        self.assert_fault({"a/a.py": "# SPDX-License-Identifier: Apache-2.0\n" * 601}, "a/a.py:601")

    def test_a_line_has_at_most_100_columns(self):
        self.assert_clean({"a/a.cpp": LICENCE + "/" * 100 + "\n"})
        self.assert_fault({"a/a.cpp": LICENCE + "/" * 101 + "\n"}, "a/a.cpp:2")

    def test_every_source_names_its_licence(self):
        for path, text in {
            "a/a.cpp": "int a;\n",
            "a/CMakeLists.txt": "x()\n",
            "a/run": "#!/bin/sh\n",
        }.items():
            self.assert_fault({path: text}, f"{path}:1: no SPDX")
        self.assert_clean({"a/a.json": "{}\n", "a/README.md": "text\n"})

    def test_a_header_says_what_it_is(self):
        behaviour = "#pragma once\nclass A {\n void f();\n};\n"
        self.assert_fault({"a/a.hpp": LICENCE + "// short\n" + behaviour}, "a/a.hpp:2: header says")
        self.assert_clean(
            {"a/a.hpp": LICENCE + "// A: what\n// who\n// how it fails\n" + behaviour}
        )
        self.assert_fault(
            {"a/a.hpp": LICENCE + "#pragma once\nstruct A {};\n"}, "a/a.hpp:2: header says"
        )


if __name__ == "__main__":
    unittest.main()
