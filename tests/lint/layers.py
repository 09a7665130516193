#!/usr/bin/python3
"""The layering: a module includes only what its declared edges reach, edges have no cycle, and public headers do not lean
on private ones. The edges come from the build (module_edges.txt: `module: used used …`), so there is one list of them."""

import os
import re
import sys
import tempfile

import cpp

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# Modules that only decide: no sockets, no event loop.
PURE = {"core", "text", "sse", "policy", "verify", "local_service", "service",
        "aitbc_service", "cyberun_service"}
# Modules that may know of HTTP messages on the wire.
BEAST = {"transport", "http", "service_front"}
# Beast's own sources, compiled once.
BEAST_SOURCES = "boost/beast/src.hpp"
UMBRELLA = "include/vembed/vembed.hpp"
# The program is an executable, not a module; it and its parts may use what their link edges reach.
PROGRAM = {"cli": ["audit", "plan", "attest", "run", "service", "aitbc_service", "cyberun_service",
                   "service_front", "cli_aitbc"],
           "cli_aitbc": ["cli_parts", "aitbc"], "cli_parts": ["operation", "storage", "text", "verify"]}


def read_edges(path):
    edges = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            module, _, used = line.partition(":")
            if module.strip():
                edges[module.strip()] = used.split()
    return edges


def closure(edges, module, seen=()):
    """Every module that `module` reaches, itself included; raises where the edges go round."""
    if module in seen:
        raise ValueError(" -> ".join(seen[seen.index(module):] + (module,)))
    reached = {module}
    for used in edges.get(module, []):
        reached |= closure(edges, used, seen + (module,))
    return reached


def testing_module(name):
    """include/vembed/testing holds the headers of several modules."""
    if name in ("local_service.hpp", "aitbc_service.hpp", "cyberun_service.hpp"):
        return name[:-len(".hpp")]
    return "service" if re.match(r"(service|fault|proof_fault)", name) else "sim"


def module_of_source(path):
    parts = path.split(os.sep)
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ["include", "vembed"] and len(parts) > 3:
        return testing_module(parts[3]) if parts[2] == "testing" else parts[2]
    return None


def module_of_include(name):
    parts = name.split("/")
    if parts[0] == "vembed":
        if len(parts) < 3:
            return None
        return testing_module(parts[2]) if parts[1] == "testing" else parts[1]
    return parts[0]


def check_file(root, path, module, reach, modules):
    findings = []
    public = path.startswith("include")
    text = cpp.read(root, path)
    for match in INCLUDE.finditer(text):
        quote, name = match.groups()
        line = cpp.line_of(text, match.start())
        if quote == '"' or name.startswith("vembed/"):
            target = module_of_include(name)
            if quote == '"' and public:
                findings.append(cpp.Finding(path, line, f"a public header includes the private {name}"))
            elif quote == '"' and name.startswith("vembed/"):
                findings.append(cpp.Finding(path, line, f"public headers are included with <>: {name}"))
            elif target is None:
                findings.append(cpp.Finding(path, line, f"modules do not include the umbrella header: {name}"))
            elif target not in modules:
                findings.append(cpp.Finding(path, line, f"{name} belongs to no module"))
            elif target not in reach:
                findings.append(cpp.Finding(path, line, f"module {module} must not use module {target}: {name}"))
        elif name.startswith("boost/asio") and module in PURE:
            findings.append(cpp.Finding(path, line, f"module {module} is pure and must not include {name}"))
        elif name.startswith("boost/beast") and module not in BEAST and name != BEAST_SOURCES:
            findings.append(cpp.Finding(path, line, f"module {module} must not include {name}"))
    return findings


def check(root, edges):
    findings = []
    reach = {}
    for module in edges:
        try:
            reach[module] = closure(edges, module)
        except ValueError as cycle:
            findings.append(cpp.Finding("module_edges.txt", 1, f"a cycle: {cycle}"))
            return findings
    for path in cpp.cpp_files(root, ("include", "src")):
        module = module_of_source(path)
        if module is None:
            continue
        if module not in edges:
            findings.append(cpp.Finding(path, 1, f"folder {module} is no declared module"))
            continue
        findings += check_file(root, path, module, reach[module], edges)
    return findings


def check_umbrella(root):
    """vembed/vembed.hpp includes every public header but those of vembed::testing."""
    text = cpp.read(root, UMBRELLA)
    headers = [path[len("include/"):] for path in cpp.cpp_files(root, ("include",))]
    return [cpp.Finding(UMBRELLA, 1, f"does not include {name}") for name in headers
            if "/testing/" not in name and name not in UMBRELLA and f"#include <{name}>" not in text]


def self_test():
    with tempfile.TemporaryDirectory() as root:
        def write(path, text):
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        edges = {"core": [], "policy": ["core"], "http": ["policy"], "service": ["policy"], "sim": ["service"]}
        write("include/vembed/core/a.hpp", '#include "core/b.hpp"\n')
        write("src/core/b.hpp", "#include <vembed/policy/c.hpp>\n")
        write("src/http/d.cpp", '#include "core/b.hpp"\n#include "sim/x.hpp"\n#include <vembed/testing/service.hpp>\n')
        write("src/policy/e.cpp", "#include <boost/asio/awaitable.hpp>\n#include <vembed/vembed.hpp>\n")
        write("src/sim/f.cpp", "#include <vembed/testing/service.hpp>\n#include <boost/beast/http.hpp>\n")
        write("src/stray/g.cpp", "\n")
        cpp.expect("includes", check(root, edges), [
            "includes the private core/b.hpp", "module core must not use module policy", "module http must not use module sim",
            "module http must not use module service", "module policy is pure", "umbrella header",
            "module sim must not include boost/beast", "stray is no declared module"])
        write(UMBRELLA, "#include <vembed/core/a.hpp>\n")
        write("include/vembed/core/z.hpp", "\n")
        write("include/vembed/testing/service.hpp", "\n")
        cpp.expect("umbrella", check_umbrella(root), ["does not include vembed/core/z.hpp"])
        cpp.expect("cycle", check(root, {"core": ["policy"], "policy": ["core"]}), ["core -> policy -> core"])


def main():
    options = cpp.arguments(edges="module_edges.txt as the build wrote it")
    if options.self_test:
        self_test()
        return 0
    edges = PROGRAM | read_edges(options.edges)
    if len(edges) < 2:
        print(f"{options.edges} lists no modules")
        return 1
    return cpp.report(check(options.root, edges) + check_umbrella(options.root), "layers")


if __name__ == "__main__":
    sys.exit(main())
