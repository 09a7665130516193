#!/usr/bin/python3
"""Makes the C++ in Markdown compilable, so that what the documents show is what the library has.

usage: snippets.py --root ROOT --out FOLDER DOCUMENT...   writes one .cpp a block; prints their paths
       snippets.py --root ROOT --check DOCUMENT...        says which blocks would not be compiled
       snippets.py --self-test

A block fenced as ```cpp needs a comment on the line before the fence, which the rendered page does not show:

    <!-- example: NAME -->        lines of examples/NAME.cpp, which is compiled and run: all of them or a part, in which
                                  the indentation may be smaller
    <!-- snippet: NAME -->        declarations, as in a file: functions, classes, main()
    <!-- snippet: NAME body -->   statements, as in a function; with co_await in a coroutine that has a vembed::client
                                  called client

A snippet that includes nothing gets all of vembed, the standard headers below, the namespace asio and the chrono
literals.
"""

import argparse
import os
import re
import sys
import tempfile
import textwrap

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)")
MARKER = re.compile(r"^<!-- snippet: ([a-z][a-z0-9_]*)( body)? -->$")
EXAMPLE = re.compile(r"^<!-- example: ([a-z][a-z0-9_]*) -->$")
CPP = {"cpp", "c++", "cxx", "cc", "hpp"}
STANDARD = ("chrono", "exception", "future", "iostream", "memory", "optional", "stop_token", "string", "thread",
            "utility", "vector")
ASIO = ("awaitable", "co_spawn", "detached", "io_context", "signal_set", "use_awaitable", "use_future")


class Block:
    def __init__(self, document, line, marker):
        self.document, self.line = document, line  # Of the fence, from 1.
        self.lines = []
        self.closed = False
        match = MARKER.match(marker)
        self.name = match.group(1) if match else None
        self.is_body = bool(match and match.group(2))
        match = EXAMPLE.match(marker)
        self.example = match.group(1) if match else None

    def complaint(self, text):
        return f"{self.document}:{self.line}: {text}"

    def source(self):
        text = "\n".join(self.lines)
        parts = []
        if not re.search(r"^\s*#\s*include\b", text, re.MULTILINE):
            parts += [f"#include <{name}>" for name in STANDARD]
            parts += [f"#include <boost/asio/{name}.hpp>" for name in ASIO]
            parts += ["#include <vembed/vembed.hpp>", "namespace asio = boost::asio;",
                      "using namespace std::chrono_literals;"]
        if self.is_body and "co_await" in text:
            parts.append(f"asio::awaitable<void> {self.name}([[maybe_unused]] vembed::client& client) {{")
        elif self.is_body:
            parts.append(f"void {self.name}() {{")
        # The compiler then speaks of the document.
        parts += [f'#line {self.line + 1} "{self.document}"', text]
        if self.is_body:
            parts.append("}")
        return "\n".join(parts) + "\n"


def blocks_of(document, text):
    """The C++ blocks of a document, in order."""
    found, fence, current, before = [], None, None, ""
    for number, line in enumerate(text.split("\n"), 1):
        match, bare = FENCE.match(line), line.strip()
        if fence is None and match:
            fence = match.group(1)
            current = Block(document, number, before.strip()) if match.group(2).lower() in CPP else None
            found += [current] if current else []
        elif fence is not None and len(bare) >= len(fence) and set(bare) == {fence[0]}:
            if current:
                current.closed = True
            fence = current = None
        elif current:
            current.lines.append(line)
        before = line
    return found


def is_part_of(part, whole):
    """Whether the lines are consecutive lines of the whole, apart from indentation that all of them have."""
    wanted = textwrap.dedent("\n".join(part))
    return any(textwrap.dedent("\n".join(whole[first:first + len(part)])) == wanted
               for first in range(len(whole) - len(part) + 1))


def check_example(block, root):
    path = os.path.join("examples", f"{block.example}.cpp")
    if not os.path.exists(os.path.join(root, path)):
        return [block.complaint(f"there is no {path}")]
    with open(os.path.join(root, path), encoding="utf-8") as file:
        lines = file.read().splitlines()
    return [] if is_part_of(block.lines, lines) else [block.complaint(f"these are not lines of {path}")]


def check(blocks, root):
    findings, seen = [], set()
    for block in blocks:
        if not block.closed:
            findings.append(block.complaint("a block without end"))
        if block.example:
            findings += check_example(block, root)
            continue
        if block.name is None:
            findings.append(block.complaint("C++ that is not compiled: put <!-- example: NAME --> or "
                                            "<!-- snippet: NAME --> on the line before"))
        elif block.name in seen:
            findings.append(block.complaint(f"a second snippet called {block.name}"))
        seen.add(block.name)
    return findings


def write(blocks, folder):
    """Writes what can be compiled, touching only files that change, and removes what is no longer there."""
    os.makedirs(folder, exist_ok=True)
    sources = {f"{block.name}.cpp": block.source() for block in blocks if block.name and block.closed}
    for name in set(os.listdir(folder)) - set(sources):
        os.remove(os.path.join(folder, name))
    for name, source in sources.items():
        path = os.path.join(folder, name)
        old = None
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                old = file.read()
        if old != source:
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
    return [os.path.join(folder, name) for name in sources]


SAMPLE = """# A document
```sh
./dev test
```
<!-- snippet: whole -->
```cpp
#include <vector>
std::vector<int> numbers();
```
<!-- snippet: asks body -->
```cpp
auto models = co_await client.models();
```
<!-- snippet: plain body -->
~~~ c++
vembed::blocking_client client;
~~~
<!-- snippet: Not a name -->
```cpp
int unnamed;
```

```cpp
int unmarked;
```
<!-- snippet: whole -->
```cpp
int again;
```
<!-- example: one -->
```cpp
if (true) {
    return 1;
}
```
<!-- example: one -->
```cpp
return 2;
```
<!-- example: absent -->
```cpp
int open;
"""
SAMPLE_EXAMPLE = """int main() {
    if (true) {
        return 1;
    }
}
"""


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"self-test {what}: expected {wanted!r}, found {got!r}")


def self_test():
    blocks = blocks_of("X.md", SAMPLE)
    expect("blocks", [(b.line, b.name, b.is_body, b.closed) for b in blocks],
           [(6, "whole", False, True), (11, "asks", True, True), (15, "plain", True, True), (19, None, False, True),
            (23, None, False, True), (27, "whole", False, True), (31, None, False, True), (37, None, False, True),
            (41, None, False, False)])
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "examples"))
        with open(os.path.join(root, "examples", "one.cpp"), "w", encoding="utf-8") as file:
            file.write(SAMPLE_EXAMPLE)
        expect("findings", [finding.split(": ")[0] for finding in check(blocks, root)],
               ["X.md:19", "X.md:23", "X.md:27", "X.md:37", "X.md:41", "X.md:41"])
        expect("good", check(blocks[:3] + blocks[6:7], root), [])
    expect("whole", blocks[0].source(), '#line 7 "X.md"\n#include <vector>\nstd::vector<int> numbers();\n')
    expect("asks", blocks[1].source().split("literals;\n")[1],
           'asio::awaitable<void> asks([[maybe_unused]] vembed::client& client) {\n#line 12 "X.md"\n'
           "auto models = co_await client.models();\n}\n")
    expect("plain", blocks[2].source().split("literals;\n")[1],
           'void plain() {\n#line 16 "X.md"\nvembed::blocking_client client;\n}\n')
    with tempfile.TemporaryDirectory() as folder:
        def names():
            return sorted(os.listdir(folder))
        write(blocks[:3] + blocks[6:7], folder)
        expect("written", names(), ["asks.cpp", "plain.cpp", "whole.cpp"])
        before = os.stat(os.path.join(folder, "asks.cpp")).st_ino
        os.utime(os.path.join(folder, "asks.cpp"), (0, 0))
        write(blocks[1:2], folder)
        expect("removed", names(), ["asks.cpp"])
        after = os.stat(os.path.join(folder, "asks.cpp"))
        expect("untouched", (after.st_ino, after.st_mtime), (before, 0.0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", default=".")
    parser.add_argument("--out")
    parser.add_argument("documents", nargs="*")
    options = parser.parse_args()
    if options.self_test:
        self_test()
        return 0
    blocks = []
    for document in options.documents:
        with open(os.path.join(options.root, document), encoding="utf-8") as file:
            blocks += blocks_of(document, file.read())
    if options.check:
        findings = check(blocks, options.root)
        shown = sum(bool(block.example) for block in blocks)
        print("\n".join(findings) or f"snippets: {shown} of examples, {len(blocks) - shown} compiled")
        return 1 if findings else 0
    if not options.out:
        parser.error("--out or --check is needed")
    print(";".join(write(blocks, options.out)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
