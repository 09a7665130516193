#!/usr/bin/python3
"""Links in Markdown files lead somewhere, every `./dev VERB` that they tell exists, and documents keep their length."""

import os
import re
import sys
import tempfile

import cpp
import words

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
VERB = re.compile(r"\./dev ([a-z]+)")
# Lines of a document, at most. A folder stands for the documents in it, not for those of its folders.
LINES_MAX = {"README.md": 120, "src/ARCHITECTURE.md": 100, "docs/design": 150}


def anchors(text):
    """The anchors that headings get: lower case, punctuation dropped, spaces as hyphens."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*)$", text, re.MULTILINE):
        flat = re.sub(r"[`*]", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", flat).replace(" ", "-"))
    return found


def lines_max(path):
    """The limit of a document's length; None: it has none."""
    return LINES_MAX.get(path, LINES_MAX.get(os.path.dirname(path)))


def check_length(path, text):
    limit, lines = lines_max(path), len(text.splitlines())
    if limit is None or lines <= limit:
        return []
    return [cpp.Finding(path, limit + 1, f"{lines} lines, at most {limit}")]


def check(root, path, verbs):
    text = cpp.read(root, path)
    findings = check_length(path, text)
    for match in LINK.finditer(text):
        target, _, anchor = match.group(1).partition("#")
        line = cpp.line_of(text, match.start())
        if "://" in target or target.startswith("mailto:"):
            continue
        full = os.path.join(root, os.path.dirname(path), target) if target else os.path.join(root, path)
        if not os.path.exists(full):
            findings.append(cpp.Finding(path, line, f"leads nowhere: {match.group(1)}"))
        elif anchor and full.endswith(".md"):
            with open(full, encoding="utf-8") as file:
                if anchor not in anchors(file.read()):
                    findings.append(cpp.Finding(path, line, f"no such heading: {match.group(1)}"))
    for match in VERB.finditer(text):
        if match.group(1) not in verbs:
            findings.append(cpp.Finding(path, cpp.line_of(text, match.start()), f"no such verb: {match.group(0)}"))
    return findings


def verbs_of(root):
    return set(re.findall(r"^verb_(\w+)\(\)", cpp.read(root, "dev"), re.MULTILINE))


def self_test():
    with tempfile.TemporaryDirectory() as root:
        with open(os.path.join(root, "a.md"), "w", encoding="utf-8") as file:
            file.write("# One `two`, three\n[x](a.md#one-two-three) [y](b.md)\n[z](#four) `./dev test` `./dev fly`\n"
                       "[w](https://example.org/)\n")
        cpp.expect("docs", check(root, "a.md", {"test"}), ["leads nowhere: b.md", "no such heading", "./dev fly"])
    for path, limit in (("README.md", 120), ("src/ARCHITECTURE.md", 100), ("docs/design/engine.md", 150)):
        cpp.expect("long", check_length(path, "line\n" * (limit + 1)), [f"{path}:{limit + 1}: {limit + 1} lines"])
        cpp.expect("short", check_length(path, "line\n" * limit), [])
    cpp.expect("free", check_length("docs/program.md", "line\n" * 500), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    verbs = verbs_of(options.root)
    findings = []
    for path in words.project_files(options.root):
        if path.endswith(".md"):
            findings += check(options.root, path, verbs)
    return cpp.report(findings, "docs")


if __name__ == "__main__":
    sys.exit(main())
