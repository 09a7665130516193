#!/usr/bin/python3
"""Words that must not be in the sources: paths of one machine, and notes about work left undone."""

import os
import re
import subprocess
import sys

import cpp

# Spelt in pieces, so that this file keeps its own rules.
RULES = [
    (r"(?<![\w.~}\])*-])/(?:wo" r"rk|ro" r"ot|home/\w+)(?![\w-])", "a path of one machine", ()),
    # Tests make folders of their own with mkdtemp.
    (r"(?<![\w.~}\])*-])/t" r"mp\b", "a path of one machine", ("tests/",)),
    (r"\bTO" r"DO\b|\bFIX" r"ME\b|\bX" r"XX\b|\bHA" r"CK\b|(?i:(?<!wait )(?<!waits )\bfor n" r"ow\b)", "work left undone", ()),
    (r"(?i:\biss" r"ue #?\d)", "a reference that readers cannot follow", ()),
]
TEXT = (".hpp", ".cpp", ".py", ".md", ".txt", ".cmake", ".in", ".sh", ".yaml", ".yml", ".json", ".supp")
SKIPPED = {"build", "demo", ".git", "__pycache__"}


def project_files(root):
    """What git tracks or would track; in an unpacked archive every file."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                                capture_output=True, check=True).stdout.decode().split("\0")
        paths = [path for path in listed if path]
    except (OSError, subprocess.CalledProcessError):
        paths = []
    if not paths:
        for where, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED and not f.startswith("build"))
            paths += [os.path.relpath(os.path.join(where, name), root) for name in names]
    return sorted(path for path in paths
                  if (path.endswith(TEXT) or "." not in os.path.basename(path)) and
                  os.path.isfile(os.path.join(root, path)))


def check(path, text):
    findings = []
    for pattern, what, allowed in RULES:
        if allowed and path.startswith(allowed):
            continue
        for match in re.finditer(pattern, text):
            findings.append(cpp.Finding(path, cpp.line_of(text, match.start()), f"{what}: {match.group(0)}"))
    return findings


def self_test():
    bad = "a /wo" "rk/main\nb \"/ro" "ot/x\"\nc /t" "mp/y\n// TO" "DO d\n# f" "or now e\nIss" "ue 7\n"
    cpp.expect("bad", check("src/x.cpp", bad), [
        ":1: a path", ":2: a path", ":3: a path", ":4: work left", ":5: work left", ":6: a reference"])
    cpp.expect("good", check("tests/x.cpp", "/workflows a/work ${x}/root it waits for n" "ow /t" "mp/vembed-XXXXXX\n"), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    findings = []
    for path in project_files(options.root):
        try:
            findings += check(path, cpp.read(options.root, path))
        except UnicodeDecodeError:
            findings.append(cpp.Finding(path, 1, "not UTF-8"))
    return cpp.report(findings, "words")


if __name__ == "__main__":
    sys.exit(main())
