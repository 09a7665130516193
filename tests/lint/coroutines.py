#!/usr/bin/python3
"""Shapes of coroutine code that g++ 12 is known to compile wrongly, and shapes whose lifetimes nobody can check.

In a full expression with co_await: no second co_await, no ?:, no braced temporary, no lambda that captures by value.
A lambda that captures is never a coroutine. A coroutine of the library takes no references."""

import re
import sys

import cpp

CO = re.compile(r"\bco_(?:await|return|yield)\b")
# Texts in braces are a vembed::input_texts, which is made without a std::initializer_list so that they can stand here.
TEXTS = re.compile(r"\b(?:embed|verify_outputs)\((?=[^(){};]*,\s*\{)[^(){};]*,\s*\{[^{};]*\}")
LAMBDA = re.compile(r"(?:^|(?<=[=(,{;&|?:!<+]))\s*\[(?P<captures>[^\[\]]*)\]\s*(?=[({<]|mutable\b)|"
                    r"\breturn\s*\[(?P<captures2>[^\[\]]*)\]\s*(?=[({<]|mutable\b)")
AWAITABLE = re.compile(r"\bawaitable\s*<")
# Unit tests and examples hold their objects on the stack of a test that outlives the coroutine.
REFERENCES_CHECKED = ("include", "src")


def owning_capture(captures):
    """Whether a capture list copies something."""
    items = [item.strip() for item in captures.split(",") if item.strip()]
    return any(not item.startswith("&") and item not in ("this", "&") for item in items)


def lambdas(text):
    for match in LAMBDA.finditer(text):
        captures = match.group("captures")
        yield match, (match.group("captures2") if captures is None else captures)


def check_expressions(path, text, root):
    findings = []
    unread = len(re.findall(r"\bco_await\b", text))
    for begin, piece in cpp.full_expressions(text, root):
        awaits = [m.start() for m in re.finditer(r"\bco_await\b", piece)]
        unread -= len(awaits)
        if not awaits:
            continue
        line = cpp.line_of(text, begin + awaits[0])
        if len(awaits) > 1:
            findings.append(cpp.Finding(path, line, "more than one co_await in one full expression"))
        if "?" in piece:
            findings.append(cpp.Finding(path, line, "co_await and ?: in one full expression"))
        blank_bodies = piece
        if any(owning_capture(captures) for _, captures in lambdas(blank_bodies)):
            findings.append(cpp.Finding(path, line, "co_await beside a lambda that captures by value"))
        braces = re.sub(r"\]\s*(?:\([^()]*\))?[^(){},;]*\{\s*\}", "]", piece)
        braces = TEXTS.sub("(", braces)
        if "{" in braces:
            findings.append(cpp.Finding(path, line, "co_await beside a braced temporary: give it a name first"))
    if unread != 0:
        findings.append(cpp.Finding(path, 1, f"this lint cannot read {unread} of the file's co_await: simplify"))
    return findings


def body_after(text, position, root):
    """The first block that opens after position, before the statement ends."""
    best = None
    for group in root.walk():
        if group.block and group.begin >= position and (best is None or group.begin < best.begin):
            best = group
    if best is None or ";" in text[position:best.begin]:
        return None
    return best


def own_text(text, group):
    """A block's text without the lambdas and local classes nested in its expressions."""
    out, at = [], group.begin + 1
    for child in group.children:
        out.append(text[at:child.begin])
        if child.block and not is_lambda_body(text, child):
            out.append(own_text(text, child))
        elif not child.block:
            out.append(own_text(text, child))
        at = child.end + 1
    out.append(text[at:group.end])
    return " ".join(out)


def is_lambda_body(text, group):
    head = re.split(r"[;{}]", text[max(0, group.begin - 400):group.begin])[-1]
    return any(True for _ in lambdas(head))


def check_lambdas(path, text, root):
    findings = []
    for match, captures in lambdas(text):
        if not captures.strip():
            continue
        body = body_after(text, match.end(), root)
        if body is None:
            continue
        head = text[match.end():body.begin]
        if CO.search(own_text(text, body)) or AWAITABLE.search(head[head.rfind("->"):] if "->" in head else ""):
            at = match.end() - 1
            findings.append(cpp.Finding(path, cpp.line_of(text, at), f"a coroutine lambda captures [{captures.strip()}]"))
    return findings


def closing_angle(text, at):
    depth = 0
    for position in range(at, min(len(text), at + 2000)):
        if text[position] == "<":
            depth += 1
        elif text[position] == ">" and text[position - 1] != "-":
            depth -= 1
            if depth == 0:
                return position
    return -1


def split_parameters(text):
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "<([{":
            depth += 1
        elif char in ")]}" or (char == ">" and text[at - 1] != "-"):
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return parts + [text[start:]]


def has_reference(parameter):
    flat = parameter
    while True:
        shorter = re.sub(r"<[^<>]*>|\([^()]*\)|=.*$", "", flat, flags=re.DOTALL)
        if shorter == flat:
            break
        flat = shorter
    return "&" in flat


def becomes_coroutine(text, position, root):
    """Whether what follows a parameter list is a coroutine's body, or says that there will be one."""
    if re.match(r"[^;{}]*=\s*0\s*;", text[position:position + 200]):
        return True
    body = body_after(text, position, root)
    return body is not None and bool(CO.search(own_text(text, body)))


def check_references(path, text, root):
    """Coroutines, declared as `awaitable<…> name(…)` or `(…) -> awaitable<…>`: definitions whose body is one, and pure
    virtual functions, whose bodies will be. A function that only hands a coroutine out may take what it likes."""
    findings = []
    groups = {g.begin: g for g in root.walk() if g.kind == "("}
    by_end = {g.end: g for g in groups.values()}
    for match in AWAITABLE.finditer(text):
        close = closing_angle(text, match.end() - 1)
        if close < 0:
            continue
        name = re.compile(r"\s+((?:[\w~]+\s*(?:<[^<>;]*>)?\s*::\s*)*(?:\w+|operator\s*\(\s*\)))\s*\(").match(text, close + 1)
        trailing = re.search(r"\)\s*(?:mutable|const|noexcept|\s)*->\s*[\w:\s]*$", text[:match.start()])
        if name:
            parameters, label = groups.get(name.end() - 1), name.group(1)
        elif trailing:
            parameters, label = by_end.get(trailing.start()), "lambda"
        else:
            continue
        if parameters is None or not becomes_coroutine(text, parameters.end + 1, root):
            continue
        for parameter in split_parameters(text[parameters.begin + 1:parameters.end]):
            if has_reference(parameter):
                line = cpp.line_of(text, match.start())
                shown = " ".join(parameter.split())
                findings.append(cpp.Finding(path, line, f"coroutine {label} takes a reference: {shown}"))
    return findings


def check(path, text):
    text = cpp.blank(text, directives=True)
    if "co_" not in text and "awaitable" not in text:
        return []
    root = cpp.parse(text)
    findings = check_expressions(path, text, root) + check_lambdas(path, text, root)
    if path.startswith(REFERENCES_CHECKED):
        findings += check_references(path, text, root)
    return sorted(findings, key=lambda finding: finding.line)


BAD = """awaitable<int> f(std::string name, const client& c) {
    auto a = co_await g(co_await h());
    auto b = flag ? co_await g(1) : 2;
    auto c = co_await g(options{1, "x"});
    co_await post([name](int x) { use(x); });
    auto d = [name]() -> awaitable<void> { co_return; };
    co_spawn(e, [&] { log(); }, [this]() { return 1; });
    auto h = [self = ptr](int z) { co_await z.run(); };
    if (co_await g({})) {
        co_return 1;
    }
    co_return co_await g(x ? 1 : 2);
}
class x {
    virtual asio::awaitable<exchange_outcome> exchange(std::shared_ptr<const r> q, sink& s) = 0;
};
auto lambda = [](std::map<int, t&> ok, int&& bad) -> asio::awaitable<void> { co_return; };
"""
BAD_FINDINGS = [
    ":1: coroutine f takes a reference: const client& c", ":2: more than one", ":3: co_await and ?:",
    ":4: co_await beside a braced", ":5: co_await beside a lambda", ":6: a coroutine lambda captures [name]",
    ":8: a coroutine lambda captures [self = ptr]", ":9: co_await beside a braced", ":12: co_await and ?:",
    ":15: coroutine exchange takes a reference: sink& s", ":17: coroutine lambda takes a reference: int&& bad"]
GOOD = """asio::awaitable<result<int>> f(std::shared_ptr<x> p, std::function<void(int&)> hook) {
    auto some = co_await client.embed("model", {"hello", "world"});
    // co_await a ? b : c
    options named{1, 2};
    int chosen = flag ? 1 : 2;
    auto a = co_await g(std::move(named), chosen);
    if (auto r = co_await g(1); !r) {
        values[index] = {1, 2};
        co_return r.error();
    } else if (co_await h()) {
        auto sorted = [&](int i) { return i < chosen ? 1 : 0; };
        sorted(array[0]);
    }
    for (auto& item : items) {
        co_await item.run();
    }
    co_await asio::post(asio::use_awaitable);
    asio::co_spawn(executor, run(p), [p](std::exception_ptr) {});
    co_return co_await last(p);
}
asio::awaitable<int> declared(row_source& source);
asio::awaitable<int> hands_out(row_source& source) {
    return run(&source);
}
void plain(const client& c, std::vector<int> list = {1, 2});
template <class Token>
auto async_f(int x, Token&& token) { return asio::co_spawn(ex, f(x), std::forward<Token>(token)); }
"""


def self_test():
    cpp.expect("bad", check("src/x.cpp", BAD), BAD_FINDINGS)
    cpp.expect("good", check("src/x.cpp", GOOD), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    findings = []
    for path in cpp.cpp_files(options.root):
        findings += check(path, cpp.read(options.root, path))
    return cpp.report(findings, "coroutines")


if __name__ == "__main__":
    sys.exit(main())
