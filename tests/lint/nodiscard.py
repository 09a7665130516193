#!/usr/bin/python3
"""What a public function returns as result<T>, operation<T> or asio::awaitable<T> cannot be dropped: for each of them, as
the public headers declare it, a call that drops it must be refused for that, and one that keeps it must compile."""

import argparse
import re
import subprocess
import sys

import cpp

FOLDER = "include/vembed"
RETURNS = re.compile(r"^[ \t]*(?P<words>(?:static |virtual |inline |\[\[nodiscard\]\] )*)"
                     r"(?P<type>(?:vembed::)?result<|(?:boost::)?asio::awaitable<|Returns<)", re.MULTILINE)
# The operations are declared once, in a base of both clients that has what they return as its parameter.
OPERATIONS = re.compile(r"template <template <class> class Returns>(?=\s*class operations\b)")
CLIENTS = ("client", "blocking_client")
ACCESS = re.compile(r"\b(public|protected|private)\s*:")
SCOPE = re.compile(r"\b(namespace|class|struct)\b((?:\s*\[\[\w+\]\])*\s*)([\w:]+)")
DROPPED = re.compile(r"^([^:\n]+):(\d+):\d+: error: [^\n]*(?:nodiscard|unused-result)", re.MULTILINE)
OTHER = re.compile(r"^([^:\n]+):(\d+):\d+: (?:fatal )?error: (?![^\n]*(?:nodiscard|unused-result))([^\n]*)",
                   re.MULTILINE)
PIECE = "snippet"


class Call:
    """A function as it is declared: `scope` is its class, empty for a free function. The names of its parameters' types
    are those of its `namespace`."""

    def __init__(self, path, line, scope, static, name, parameters, namespace="vembed"):
        self.path, self.line, self.scope, self.static = path, line, scope, static
        self.name, self.parameters, self.namespace = name, parameters, namespace

    def said(self):
        return f"{self.scope}::{self.name}" if self.scope else self.name

    def snippet(self, number, keep):
        """One line: a function with the declared parameters and, first, the object."""
        names = [re.search(r"(\w+)$", each).group(1) for each in self.parameters]
        given = ", ".join(f"static_cast<decltype({name})&&>({name})" for name in names)
        takes = list(self.parameters)
        call = f"{self.name}({given})"
        if self.scope and self.static:
            call = f"{self.scope}::{call}"
        elif self.scope:
            takes.insert(0, f"{self.scope}& the_object")
            call = f"the_object.{call}"
        use = f"[[maybe_unused]] auto kept = {call};" if keep else f"{call};"
        return f"void {PIECE}_{number}({', '.join(takes)}) {{ {use} }}"


def split_parameters(text):
    """The parameters without their defaults."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "<([{") - (char in ">)]}")
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [" ".join(re.split(r"(?<![=<>!])=(?!=)", part)[0].split()) for part in parts if part.strip()]


def end_of(text, begin, opening, closing):
    """Behind the bracket that closes the one at `begin`."""
    depth = 0
    for at in range(begin, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at + 1
    return len(text)


def scopes_of(text, position, tree):
    """(kind, name, group) of each scope around the position, outermost first; None within something else."""
    found, group = [], tree
    while True:
        inside = next((g for g in group.children if g.begin < position < g.end), None)
        if inside is None:
            return found
        head = re.split(r"[;{}]", text[max(0, inside.begin - 300):inside.begin])[-1]
        head = OPERATIONS.sub("", head)
        named = SCOPE.search(head)
        if inside.kind != "{" or not named or "template" in head:
            return None
        found.append((named.group(1), named.group(3), inside))
        group = inside


def is_public(text, position, kind, group):
    words = [m.group(1) for m in ACCESS.finditer(text, group.begin, position)]
    return (words[-1] if words else ("public" if kind == "struct" else "private")) == "public"


def calls_of(path, source):
    text = cpp.blank(source, directives=True)
    tree = cpp.parse(text)
    for match in RETURNS.finditer(text):
        if text[:match.start()].rstrip().endswith(">"):
            continue  # A template.
        behind = end_of(text, match.end() - 1, "<", ">")
        named = re.match(r"\s+(\w+)\(", text[behind:])
        scopes = scopes_of(text, match.end(), tree)
        if not named or scopes is None or "detail" in [name for _, name, _ in scopes]:
            continue
        classes = [each for each in scopes if each[0] != "namespace"]
        if any(not is_public(text, match.start(), kind, group) for kind, _, group in classes):
            continue
        begin = behind + named.end() - 1
        end = end_of(text, begin, "(", ")")
        if re.match(r"\s*(?:const\s*)?(?:noexcept\s*)?(?:override|final)", text[end:]):
            continue  # As the base class declares it.
        # What is spaces in the blanked text may be a default that is a string.
        names = [name for _, name, _ in scopes]
        name = named.group(1) if classes else "::".join(names + [named.group(1)])
        owners = CLIENTS if names[-1] == "operations" else names[-1:]
        for owner in owners if classes else ("",):
            scope = "::".join(names[:-1] + [owner]) if classes else ""
            yield Call(path, cpp.line_of(text, match.start()), scope, "static" in match.group("words"), name,
                       split_parameters(text[begin + 1:end - 1]),
                       "::".join(name for kind, name, _ in scopes if kind == "namespace"))


def compile_text(compiler, flags, text):
    command = [compiler, "-x", "c++", "-std=c++20", "-fsyntax-only", "-Wunused-result", "-Werror=unused-result",
               "-fdiagnostics-color=never", "-fmax-errors=0" if "clang" not in compiler else "-ferror-limit=0",
               *flags, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stderr


def check(calls, headers, compiler, flags):
    """Both forms of each call in one translation unit: reading the headers is what takes the time."""
    lines = [f"#include <{header}>" for header in headers]
    droppers, keepers = {}, {}
    for number, call in enumerate(calls):
        for keep, lines_of in ((False, droppers), (True, keepers)):
            lines.append(f"namespace {call.namespace} {{ {call.snippet(2 * number + keep, keep)} }}")
            lines_of[len(lines)] = call
    said = compile_text(compiler, flags, "\n".join(lines) + "\n")
    refused = {int(m.group(2)) for m in DROPPED.finditer(said) if m.group(1) == "<stdin>"}
    findings = [cpp.Finding(call.path, call.line, f"{call.said()}: its outcome can be dropped")
                for line, call in droppers.items() if line not in refused]
    for match in OTHER.finditer(said):
        call = {**droppers, **keepers}.get(int(match.group(2))) if match.group(1) == "<stdin>" else None
        where = (call.path, call.line) if call else (match.group(1), int(match.group(2)))
        findings.append(cpp.Finding(*where, f"the check's own snippet does not compile: {match.group(3)}"))
    findings += [cpp.Finding(call.path, call.line, f"{call.said()}: refused although its outcome is kept")
                 for line, call in keepers.items() if line in refused]
    return sorted(findings, key=lambda finding: (finding.path, finding.line))


def self_test(compiler):
    source = """namespace vembed {
template <class T> class [[nodiscard]] result {};
result<int> kept_free(int a, const char* b = "x, y");
class some {
public:
    static result<void> made(int);
    result<int> asked(int a = 1) const;
    result<int> overridden() override;
private:
    result<int> own();
};
template <template <class> class Returns>
class operations {
public:
    Returns<int> called(int a = 1);
};
template <class T>
class other {
public:
    result<T> called();
};
namespace detail { result<int> own(); }
}
namespace vembed::inner {
result<int> kept_inner(int a);
}
"""
    calls = list(calls_of("x.hpp", source))
    found = [(call.said(), call.line) for call in calls]
    expected = [("vembed::kept_free", 3), ("vembed::some::made", 6), ("vembed::some::asked", 7),
                ("vembed::client::called", 15), ("vembed::blocking_client::called", 15),
                ("vembed::inner::kept_inner", 25)]
    if found != expected or [call.namespace for call in calls] != ["vembed"] * 5 + ["vembed::inner"]:
        sys.exit(f"self-test nodiscard: {found}")
    plain = "namespace vembed { struct some { int asked(int); [[nodiscard]] int kept(int); }; }\n"
    both = [Call("x.hpp", line, "vembed::some", False, name, ["int a"]) for line, name in ((1, "asked"), (2, "kept"))]
    said = compile_text(compiler, [], plain + both[0].snippet(0, False) + "\n" + both[1].snippet(1, False) + "\n")
    if [int(m.group(2)) for m in DROPPED.finditer(said)] != [3]:
        sys.exit(f"self-test nodiscard: the compiler says\n{said}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", action="append", default=[], help="a folder of headers")
    options = parser.parse_args()
    if options.self_test:
        self_test(options.compiler)
        return 0
    paths = cpp.cpp_files(options.root, (FOLDER,))
    calls = [call for path in paths for call in calls_of(path, cpp.read(options.root, path))]
    if not any(call.said() == "vembed::client::embed" for call in calls):
        sys.exit("nodiscard: the client's operations were not found")
    headers = [path[len("include/"):] for path in paths]
    flags = [f"-I{options.root}/include"] + [f"-I{folder}" for folder in options.include]
    findings = check(calls, headers, options.compiler, flags)
    print(f"{len(calls)} functions")
    return cpp.report(findings, "nodiscard")


if __name__ == "__main__":
    sys.exit(main())
