#!/usr/bin/python3
"""The picture of the modules in docs/design/overview.md is the one that the build's edges give.

With --write the picture is drawn anew. Edges that follow from others are left out: what a module reaches through
another one, it may use.
"""

import os
import re
import sys
import tempfile

import cpp
from layers import closure, read_edges

DOCUMENT = "docs/design/overview.md"
BEGIN = "<!-- modules: drawn by tests/lint/picture.py -->\n"
END = "<!-- end of modules -->"


def direct(edges, module):
    """The modules that `module` names and reaches through no other one that it names."""
    named = edges[module]
    return [used for used in named
            if not any(used in closure(edges, other) for other in named if other != used)]


def picture(edges):
    lines = ["```mermaid", "flowchart BT"]
    for module in edges:
        lines += [f"    {module} --> {used}" for used in direct(edges, module)]
    return "\n".join(lines + ["```"]) + "\n"


def with_picture(text, drawn):
    """The document with the picture between its marks; nothing if it has no marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        return None
    return re.sub(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: BEGIN + drawn + END, text, flags=re.DOTALL)


def check(root, edges):
    text = cpp.read(root, DOCUMENT)
    wanted = with_picture(text, picture(edges))
    if wanted is None:
        return [cpp.Finding(DOCUMENT, 1, "the picture of the modules has no marks")]
    if wanted != text:
        line = cpp.line_of(text, text.index(BEGIN))
        return [cpp.Finding(DOCUMENT, line, "not the build's modules: run tests/lint/picture.py --write --edges FILE")]
    return []


def write(root, edges):
    text = with_picture(cpp.read(root, DOCUMENT), picture(edges))
    with open(os.path.join(root, DOCUMENT), "w", encoding="utf-8") as file:
        file.write(text)


def self_test():
    edges = {"core": [], "text": ["core"], "http": ["core", "text"]}
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, os.path.dirname(DOCUMENT)))
        path = os.path.join(root, DOCUMENT)
        with open(path, "w", encoding="utf-8") as file:
            file.write("# A\n" + BEGIN + "old\n" + END + "\n")
        cpp.expect("old", check(root, edges), ["not the build's modules"])
        write(root, edges)
        cpp.expect("new", check(root, edges), [])
        assert "http --> text" in cpp.read(root, DOCUMENT) and "http --> core" not in cpp.read(root, DOCUMENT)
        with open(path, "w", encoding="utf-8") as file:
            file.write("# A\n")
        cpp.expect("none", check(root, edges), ["has no marks"])


def main():
    drawing = "--write" in sys.argv
    if drawing:
        sys.argv.remove("--write")
    options = cpp.arguments(edges="module_edges.txt as the build wrote it")
    if options.self_test:
        self_test()
        return 0
    edges = read_edges(options.edges)
    if drawing:
        write(options.root, edges)
    return cpp.report(check(options.root, edges), "picture")


if __name__ == "__main__":
    sys.exit(main())
