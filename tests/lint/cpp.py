"""What the lints share: files of the project, C++ text without comments and strings, and its blocks."""

import argparse
import os
import re
import sys

SOURCE_FOLDERS = ("include", "src", "tests", "bench", "examples", "conan")


class Finding:
    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def cpp_files(root, folders=SOURCE_FOLDERS):
    """The C++ files below the folders, as paths relative to root, sorted."""
    found = []
    for folder in folders:
        for where, folders_below, names in os.walk(os.path.join(root, folder)):
            folders_below.sort()
            found += [os.path.relpath(os.path.join(where, name), root) for name in names
                      if name.endswith((".hpp", ".cpp", ".h"))]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


_SKIPPED = re.compile(
    r'//(?:\\\n|[^\n])*'
    r'|/\*.*?\*/'
    r'|\b(?:u8|u|U|L)?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])*'",
    re.DOTALL)


def blank(text, directives=False):
    """The text with comments blanked and string contents emptied; every line keeps its number and every character its
    column. With directives=True preprocessor lines are blanked too."""
    def hide(match):
        whole = match.group(0)
        body = re.sub(r"[^\n]", " ", whole)
        return body if whole.startswith("/") else '"' + body[1:-1] + '"'
    text = _SKIPPED.sub(hide, text)
    if directives:
        text = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.MULTILINE)
    return text


def line_of(text, position):
    return text.count("\n", 0, position) + 1


_PAIRS = {")": "(", "]": "[", "}": "{"}
_BLOCK_WORDS = {"else", "do", "try", "const", "noexcept", "override", "final", "mutable", "constexpr", "requires"}


def _opens_block(text, brace, enclosing):
    """Whether the `{` at `brace` begins statements or members rather than an initializer."""
    before = text[:brace].rstrip()
    if not before:
        return True
    last = before[-1]
    if last == ":":
        return enclosing is None or enclosing.kind != "("
    if last in ");":
        return True
    if last in "{}":
        return enclosing is None or enclosing.block
    if last == "]":
        return bool(re.search(r"(?:^|[=(,{;&|?:]|\breturn)\s*\[[^\[\]]*\]$", before))
    if not (last.isalnum() or last in '_>&*"'):
        return False
    word = re.search(r"(\w+)$", before)
    if word and word.group(1) in _BLOCK_WORDS:
        return True
    head = re.sub(r"\balignas\s*\([^()]*\)", "", re.split(r"[;{}]", before[-600:])[-1])
    if re.search(r"\b(?:class|struct|union|enum|namespace|extern)\b", head) and "(" not in head.split("struct")[-1]:
        return True
    after_parameters = head[head.rfind(")") + 1:] if ")" in head else ""
    return "->" in after_parameters


class Group:
    """A bracketed group: (), [], or {}. `block`: a {} that holds statements or members."""

    def __init__(self, kind, begin, block, parent):
        self.kind, self.begin, self.end, self.block, self.parent = kind, begin, None, block, parent
        self.children = []

    def walk(self):
        for child in self.children:
            yield child
            yield from child.walk()


def parse(text):
    """The groups of a blanked text, as a tree under one root that spans it all."""
    root = Group("{", -1, True, None)
    root.end = len(text)
    current = root
    for match in re.finditer(r"[()\[\]{}]", text):
        char, at = match.group(0), match.start()
        if char in "([{":
            block = char == "{" and _opens_block(text, at, current)
            group = Group(char, at, block, current)
            current.children.append(group)
            current = group
        elif current.parent is not None and current.kind == _PAIRS[char]:
            current.end = at
            current = current.parent
        # A bracket that closes nothing comes from an unbalanced #if branch; the rest still parses.
    while current.parent is not None:
        current.end = len(text)
        current = current.parent
    return root


_CONTROL = re.compile(r"\b(?:if|while|switch|for|constexpr)\s*$")


def full_expressions(text, root):
    """(begin, text) of each full expression: what stands between semicolons and blocks, nested blocks left out (they
    are read on their own), conditions of control statements apart from what they control."""
    blocks = [root] + [g for g in root.walk() if g.block]
    for block in blocks:
        yield from _split(text, block.begin + 1, block.end, block)
    for group in root.walk():
        if group.kind == "(" and _CONTROL.search(text[max(0, group.begin - 40):group.begin]):
            yield from _split(text, group.begin + 1, group.end, group)


def _split(text, begin, end, group):
    pieces, start, at = [], begin, begin
    children = iter(group.children)
    child = next(children, None)

    def flush(stop):
        piece = "".join(pieces) + text[start:stop]
        pieces.clear()
        return piece

    first = begin
    while at < end:
        if child is not None and at == child.begin:
            control = child.kind == "(" and _CONTROL.search(text[max(0, child.begin - 40):child.begin])
            if child.block or control:
                piece = flush(at)
                yield first, piece
                start = first = child.end + 1
            else:
                pieces.append(text[start:at])
                pieces.append(_without_blocks(text, child))
                start = child.end + 1
            at = child.end + 1
            child = next(children, None)
        elif text[at] == ";":
            yield first, flush(at)
            at += 1
            start = first = at
        else:
            at += 1
    yield first, flush(end)


def _without_blocks(text, group):
    """The group's text with the insides of nested blocks (lambda bodies) blanked."""
    out, at = [], group.begin
    for child in group.children:
        out.append(text[at:child.begin])
        if child.block:
            out.append("{" + re.sub(r"[^\n]", " ", text[child.begin + 1:child.end]) + "}")
        else:
            out.append(_without_blocks(text, child))
        at = child.end + 1
    out.append(text[at:group.end + 1])
    return "".join(out)


def report(findings, what):
    for finding in findings:
        print(finding)
    if findings:
        print(f"{what}: {len(findings)} findings")
        return 1
    print(f"{what}: clean")
    return 0


def expect(name, findings, fragments):
    """Self-test: each fragment must be found, in that order, and nothing else."""
    texts = [str(finding) for finding in findings]
    if len(texts) != len(fragments) or any(f not in t for f, t in zip(fragments, texts)):
        print(f"self-test {name}: expected {fragments}, found:")
        print("\n".join("  " + text for text in texts) or "  nothing")
        sys.exit(1)


def arguments(**extra):
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".")
    parser.add_argument("--self-test", action="store_true")
    for name, help_text in extra.items():
        parser.add_argument("--" + name, help=help_text)
    return parser.parse_args()
