# SPDX-License-Identifier: Apache-2.0
"""Finds the functions of a C++ file by its braces alone: no compiler, no configuration needed.

Each `{` is read with its head, the text since the last `;`, `{` or `}`. A head tells a namespace,
a type, a function, a control block, a lambda, or anything else (an initialiser). A lambda is a
function of its own as to nesting; its lines also count in the function around it.
"""

import re
from dataclasses import dataclass

import source_tree

_CONTROL = re.compile(
    r"^(?:(?:case\s+[\w:']+?|default)\s*:(?!:)\s*)*(?:if|for|while|switch|else|do|try|catch)\b"
)
_TYPE = re.compile(
    r"^(?:typedef\s+|static\s+|inline\s+|constexpr\s+|const\s+)*(?:class|struct|union|enum)\b"
)
_LABEL = re.compile(r"^(?:(?:public|private|protected)\s*:\s*)+")
_SCOPE = re.compile(r"^(?:inline\s+)?namespace\b|^extern\s+\"")
_LAMBDA = re.compile(
    r"\]\s*(?:\(.*\))?\s*(?:mutable|noexcept|constexpr|->[\w:<>,&*\s]+)*\s*$", re.DOTALL
)
_NAME = re.compile(r"(operator[^\w\s(]+|~?[\w:]+)\s*\(")


@dataclass
class Function:
    name: str
    line: int
    lines: int
    nesting: int = 0
    nesting_line: int = 0


@dataclass
class _Block:
    kind: str
    line: int
    function: Function = None
    depth: int = 0


def _blank_preprocessor(code):
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.MULTILINE)


def _without_template(head):
    """`template <class T> void f()` without its first angle brackets."""
    while head.startswith("template"):
        depth, at = 0, head.find("<")
        if at < 0:
            return head
        for at in range(at, len(head)):
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            if depth == 0:
                break
        head = head[at + 1 :].lstrip()
    return head


def _kind(head, in_function, at_scope, in_parens):
    head = _LABEL.sub("", head.strip())
    head = re.sub(r"^(?:\[\[.*?\]\]\s*)+", "", _without_template(head))
    if in_function and _CONTROL.match(head) and not in_parens:
        return "control"
    if _SCOPE.match(head):
        return "scope"
    if re.search(r"\]\s*(?:\(|{|$|mutable|->)", head) and _LAMBDA.search(head):
        return "lambda"
    if _TYPE.match(head) and not head.endswith(")"):
        return "scope"
    is_function = "(" in head and not head.endswith(("=", ",", "(", "return"))
    return "function" if is_function and at_scope and not in_parens else "other"


def _partners(code):
    """For each `{` the index of its `}`."""
    stack, partner = [], {}
    for index, char in enumerate(code):
        if char == "{":
            stack.append(index)
        elif char == "}" and stack:
            partner[stack.pop()] = index
    return partner


def _is_member_initialiser(code, head, close):
    """`Foo::Foo() : a_{1}, b_{2} {`: the braces before the body."""
    after = code[close + 1 :].lstrip()[:1]
    return after in (",", "{") and re.search(r"\)[^;]*:[^:]", head) is not None


class _Walk:
    def __init__(self, code):
        self.code = code
        self.partner = _partners(code)
        self.stack = []
        self.found = []
        self.head_start = 0
        self.parens = [0]
        self.line = 1

    def inside(self):
        return next((b for b in reversed(self.stack) if b.function), None)

    def open(self, index):
        head = self.code[self.head_start : index]
        around = self.inside()
        at_scope = not self.stack or self.stack[-1].kind == "scope"
        kind = _kind(head, around is not None, at_scope, self.parens[-1] > 0)
        close = self.partner.get(index, len(self.code) - 1)
        if kind == "function" and _is_member_initialiser(self.code, head, close):
            kind = "member"
        block = _Block(kind, self.line)
        if kind == "function" or (kind == "lambda" and around is None):
            names = _NAME.findall(head)
            first = self.line - _LABEL.sub("", head.lstrip()).count("\n")
            last = self.line + self.code.count("\n", index, close)
            name = names[0] if names and kind == "function" else "a lambda"
            block.function = Function(name, first, last - first + 1)
            self.found.append(block.function)
        elif around is not None:
            block.function = around.function
            block.depth = {"control": around.depth + 1, "lambda": 0}.get(kind, around.depth)
            if block.depth > around.function.nesting:
                around.function.nesting, around.function.nesting_line = block.depth, self.line
        self.stack.append(block)
        self.parens.append(0)
        self.keep_head = kind == "member" or (kind in ("other", "lambda") and self.parens[-2] > 0)
        block.head = self.head_start if self.keep_head else None
        self.head_start = index + 1

    def close(self, index):
        if not self.stack:
            return
        block = self.stack.pop()
        self.parens.pop()
        self.head_start = index + 1 if block.head is None else block.head

    def run(self):
        for index, char in enumerate(self.code):
            if char == "\n":
                self.line += 1
            elif char == "{":
                self.open(index)
            elif char == "}":
                self.close(index)
            elif char in "()":
                self.parens[-1] += 1 if char == "(" else -1
            elif char == ";" and self.parens[-1] <= 0:
                self.head_start = index + 1
        return self.found


def functions(text):
    """The functions of a C++ text, in order, with their length and their deepest nesting."""
    return _Walk(_blank_preprocessor(source_tree.without_comments_and_strings(text))).run()
