#!/usr/bin/python3
"""Time and chance are parameters: no clock, timer, sleep or random device outside the module that owns them."""

import re
import sys

import cpp

# The module that owns them, its tests, and the program's edge.
ALLOWED = ("src/runtime/", "tests/runtime/", "src/cli/main.cpp")
# Sockets' own deadlines are the event loop's business.
STREAM_DEADLINES = ("src/transport/", "src/http/", "src/service_front/")

RULES = [
    (r"\b(?:system|utc|file)_clock\s*::\s*now\b", "a clock"),
    (r"\bsteady_clock\b|\bhigh_resolution_clock\b", "a clock"),
    (r"\bclock_gettime\b|\bgettimeofday\b|\btimespec_get\b|\bftime\s*\(|(?<![\w.>])clock\s*\(\s*\)", "a clock"),
    (r"(?<![\w.>])(?:std\s*::\s*)?time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)", "a clock"),
    (r"\b(?:steady|system|high_resolution|deadline|basic_waitable)_timer\b|\btimerfd_create\b|\btimer_create\b",
     "a timer"),
    (r"\bsleep_for\b|\bthis_thread\s*::\s*sleep_until\b|\busleep\s*\(|\bnanosleep\b|(?<![\w.>])sleep\s*\(", "a sleep"),
    # A wait of nothing only asks.
    (r"\.\s*wait_for\s*\((?!std::chrono::seconds\(0\)\))", "a timed wait"),
    (r"\brandom_device\b|\barc4random\w*|\bgetrandom\s*\(|\bgetentropy\s*\(|\bRAND_\w*bytes\s*\(|"
     r"(?<![\w.>])s?rand\s*\(|\bdefault_random_engine\b", "a random device"),
]
DEADLINE_RULE = (r"\bexpires_(?:after|at|from_now)\s*\(", "a stream deadline")


def check(path, text):
    if path.startswith(ALLOWED):
        return []
    rules = RULES if path.startswith(STREAM_DEADLINES) else RULES + [DEADLINE_RULE]
    text = cpp.blank(text)
    hits = [(match.start(), what) for pattern, what in rules for match in re.finditer(pattern, text)]
    lines = text.split("\n")
    return [cpp.Finding(path, cpp.line_of(text, at), f"{what}: {lines[cpp.line_of(text, at) - 1].strip()}")
            for at, what in sorted(hits)]


def self_test():
    bad = """auto a = std::chrono::system_clock::now();
std::chrono::steady_clock::time_point b;
asio::steady_timer c(executor);
std::this_thread::sleep_for(d);
std::random_device e;
auto f = time(nullptr);
stream.expires_after(g);
int h = rand();
condition.wait_for(lock, i);
"""
    cpp.expect("bad", check("src/bulk/x.cpp", bad), [
        ":1: a clock", ":2: a clock", ":3: a timer", ":4: a sleep", ":5: a random device", ":6: a clock",
        ":7: a stream deadline", ":8: a random device", ":9: a timed wait"])
    good = """// steady_clock::now() in a comment
const char* text = "sleep_for(1s)";
auto a = env->now(); auto b = asleep(1); auto c = x.time(0); co_await sleep_until(env, deadline);
"""
    cpp.expect("good", check("src/bulk/x.cpp", good), [])
    cpp.expect("owner", check("src/runtime/x.cpp", bad), [])
    cpp.expect("sockets", check("src/transport/x.cpp", "stream.expires_at(deadline);\n"), [])


def main():
    options = cpp.arguments()
    if options.self_test:
        self_test()
        return 0
    findings = []
    for path in cpp.cpp_files(options.root):
        findings += check(path, cpp.read(options.root, path))
    return cpp.report(findings, "clocks")


if __name__ == "__main__":
    sys.exit(main())
