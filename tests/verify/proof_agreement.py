#!/usr/bin/python3
"""The library and examples/check_row_proof.py say the same of random proofs, half of them damaged.

usage: proof_agreement.py CASES_PROGRAM EXAMPLE_FOLDER     VEMBED_SEED and VEMBED_PROOFS: other ones, more of them
"""

import os
import subprocess
import sys

# What the script has no line for, or has together with another check.
WITHOUT_LINE = {"proof_form", "receipt_form", "text_leaf"}


def cases(program, seed, count):
    with subprocess.Popen([program, str(seed), str(count)], stdout=subprocess.PIPE) as process:
        for head in process.stdout:
            verified, names, size = head.split()
            yield verified == b"1", set(names.decode().split(",")) - {"-"}, process.stdout.read(int(size))
    if process.returncode != 0:
        sys.exit(f"{program} ended with {process.returncode}")


def main():
    program, examples = sys.argv[1:]
    sys.path.insert(0, examples)
    from check_row_proof import check
    seed = int(os.environ.get("VEMBED_SEED", "1"))
    count = int(os.environ.get("VEMBED_PROOFS", "1000"))
    seen = {True: 0, False: 0}
    damaged_but_holding = 0
    for number, (verified, names, text) in enumerate(cases(program, seed, count)):
        holds, lines = check(text.decode("utf-8", "surrogateescape"))
        said = {line.split()[1] for line in lines if line.startswith("verified ")}
        where = f"seed {seed}, proof {number}"
        if holds != verified:
            sys.exit(f"{where}: the library says {verified} ({sorted(names)}), the script {holds}: {lines}\n{text[:4000]!r}")
        if holds and said != names - WITHOUT_LINE:
            sys.exit(f"{where}: the library verified {sorted(names)}, the script {sorted(said)}\n{text[:4000]!r}")
        seen[holds] += 1
        damaged_but_holding += holds and number % 2
    if sum(seen.values()) != count or min(seen.values()) < count // 4:
        sys.exit(f"seed {seed}: of {count} proofs {seen[True]} hold and {seen[False]} do not")
    print(f"seed {seed}: {seen[True]} proofs hold ({damaged_but_holding} of them changed), {seen[False]} do not; agreed on all")


if __name__ == "__main__":
    main()
