#!/usr/bin/python3
"""Runs a program while a local service is there for it, and ends with the program's exit status.

usage: run_with_service.py VEMBED [OPTIONS OF serve...] -- PROGRAM [ARGUMENTS...]

The variables CYBERIAN_BASE_URL and CYBERIAN_API_KEY lead the program to the service.
"""

import json
import os
import signal
import subprocess
import sys

PATIENCE_S = 120  # For the program. The service ends with this script.


def main(arguments):
    at = arguments.index("--")
    (vembed, *options), program = arguments[:at], arguments[at + 1:]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CYBERIAN_")}
    with subprocess.Popen([vembed, "serve", "--port", "0", *options], stdout=subprocess.PIPE, env=kept) as service:
        try:
            ready = json.loads(service.stdout.readline())  # Nothing comes if the service ends before it is ready.
            there = {"CYBERIAN_BASE_URL": ready["base_url"], "CYBERIAN_API_KEY": ready["api_key"]}
            return subprocess.run(program, env=kept | there, timeout=PATIENCE_S, check=False).returncode
        finally:
            service.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
