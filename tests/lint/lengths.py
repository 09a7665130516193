#!/usr/bin/python3
"""A function fits on a screen: from its brace to its end at most LIMIT lines. A source of the product has at most
FILE_LIMIT lines, and a folder of src or include at most FOLDER_LIMIT files of its own."""

import collections
import os
import re
import sys
import tempfile

import cpp

LIMIT = 65
FILE_LIMIT = 500
FOLDER_LIMIT = 24
PRODUCT = ("include", "src")
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


def check_sizes(root):
    findings = []
    folders = collections.Counter()
    for path in cpp.cpp_files(root, PRODUCT):
        folders[os.path.dirname(path)] += 1
        lines = cpp.read(root, path).count("\n")
        if lines > FILE_LIMIT:
            findings.append(cpp.Finding(path, FILE_LIMIT, f"a file of {lines} lines: divide it"))
    for folder, files in sorted(folders.items()):
        if files > FOLDER_LIMIT:
            findings.append(cpp.Finding(folder, 1, f"a folder of {files} files: give it folders of its own"))
    return findings


def self_test():
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "src", "full"))
        for number in range(FOLDER_LIMIT + 1):
            with open(os.path.join(root, "src", "full", f"{number}.cpp"), "w", encoding="utf-8") as file:
                file.write("\n" * (FILE_LIMIT + (1 if number == 3 else 0)))
        cpp.expect("sizes", check_sizes(root), ["a file of 501 lines", "a folder of 25 files"])
    body = "    f();\n" * LIMIT
    cpp.expect("bad", check("x.cpp", "namespace a {\nclass b : c<d> {\n    int e() const {\n" + body + "    }\n};\n}\n"),
               [f":3: a function of {LIMIT + 2} lines"])
    cpp.expect("good", check("x.cpp", "namespace a {\nvoid f() {\n" + body[:-9 * 2] + "}\nvoid g() {}\n}\n"), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    findings = check_sizes(options.root)
    for path in cpp.cpp_files(options.root):
        findings += check(path, cpp.read(options.root, path))
    return cpp.report(findings, "lengths")


if __name__ == "__main__":
    sys.exit(main())
