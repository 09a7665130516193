#!/usr/bin/python3
"""A function fits on a screen: from its brace to its end at most LIMIT lines."""

import re
import sys

import cpp

LIMIT = 90
TYPE = re.compile(r"\b(?:class|struct|union|enum|namespace|extern)\b")


def is_scope(text, group):
    """A namespace or a type, whose functions count one by one."""
    if group.parent is None:
        return True
    head = re.split(r"[;{}]", text[max(0, group.begin - 600):group.begin])[-1]
    return bool(TYPE.search(re.sub(r"<[^<>]*>", "", head))) and not head.rstrip().endswith((")", "const", "noexcept"))


def functions(text, group):
    for child in group.children:
        if not child.block:
            continue
        if is_scope(text, child):
            yield from functions(text, child)
        else:
            yield child


def check(path, text):
    text = cpp.blank(text, directives=True)
    findings = []
    for function in functions(text, cpp.parse(text)):
        lines = text.count("\n", function.begin, function.end) + 1
        if lines > LIMIT:
            findings.append(cpp.Finding(path, cpp.line_of(text, function.begin), f"a function of {lines} lines"))
    return findings


def self_test():
    body = "    f();\n" * LIMIT
    cpp.expect("bad", check("x.cpp", "namespace a {\nclass b : c<d> {\n    int e() const {\n" + body + "    }\n};\n}\n"),
               [f":3: a function of {LIMIT + 2} lines"])
    cpp.expect("good", check("x.cpp", "namespace a {\nvoid f() {\n" + body[:-9 * 2] + "}\nvoid g() {}\n}\n"), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    findings = []
    for path in cpp.cpp_files(options.root):
        findings += check(path, cpp.read(options.root, path))
    return cpp.report(findings, "lengths")


if __name__ == "__main__":
    sys.exit(main())
