"""Runs the built program as a user does: as a process, with its own local service, folder and environment."""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

PROGRAM = os.environ.get("VEMBED_PROGRAM", "build/release/bin/vembed")
LIMIT_S = 120  # No process of a test is waited for longer.

SUBJECTS = ["ocean", "sea", "harbour", "river", "lake", "program", "compiler", "keyboard", "horse", "runner", "violin",
            "orchestra", "kitchen", "bread", "mountain", "glacier", "engine", "wheel", "planet", "comet"]
PHRASES = ["a large body of salt water called {}", "someone who writes about a {}", "moving quickly with a {}",
           "the sound made by a {}", "an old name for the {}", "made of parts of a {}", "far away from any {}",
           "the study of the {}", "a small picture of one {}", "belonging to the {} of a town"]


def corpus(rows):
    """Small definitions, all different, the same each time."""
    return [f"{PHRASES[i % 10].format(SUBJECTS[i // 10 % 20])} ({i // 200})" for i in range(rows)]


class Finished:
    """What a process left."""

    def __init__(self, process, out, err):
        self.code = process.returncode
        self.out = out
        self.err = err

    def objects(self, kind=None):
        found = [json.loads(line) for line in self.out.splitlines()]
        return [one for one in found if kind is None or one["type"] == kind]

    def object(self, kind):
        found = self.objects(kind)
        assert len(found) == 1, f"{len(found)} objects of type {kind} in {self.out!r}"
        return found[0]


class Service:
    """`vembed serve` as a process of its own."""

    def __init__(self, *arguments, ca_file=None, port=0):
        self.process = subprocess.Popen([PROGRAM, "serve", "--port", str(port), *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=clean_environment())
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            raise RuntimeError(f"the service did not start: {self.process.communicate()[1]}")
        self.ready = json.loads(line)
        self.base_url = self.ready["base_url"]
        self.api_key = self.ready["api_key"]
        self.ca_file = ca_file
        # What the names of the service's variables begin with.
        self.name = arguments[arguments.index("--api") + 1].upper() if "--api" in arguments else "CYBERIAN"

    @property
    def port(self):
        return int(re.search(r":(\d+)$", self.base_url).group(1))

    def environment(self):
        extra = {f"{self.name}_BASE_URL": self.base_url, f"{self.name}_API_KEY": self.api_key}
        if self.ca_file:
            extra[f"{self.name}_CA_FILE"] = self.ca_file
        return extra

    def submit(self, rows):
        """Submits a job without the program; its id."""
        body = json.dumps({"model": "bge-large-v1.5", "inputs": rows}).encode()
        request = urllib.request.Request(f"{self.base_url}/jobs", data=body, method="POST", headers={
            "Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=LIMIT_S) as response:
            return json.load(response)["id"]

    def stop(self):
        """Ends it as Ctrl-C does; its exit status and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, out, err


def clean_environment(extra=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CYBERIAN_", "CYBERUN_", "AITBC_"))}
    return kept | (extra or {})


class ProgramTest(unittest.TestCase):
    """A folder for each test, services that end with it, and an eye on keys in whatever the program leaves."""

    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vembed-program-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = set()
        self.transcript = []

    def tearDown(self):
        for key in self.keys:
            for text in self.transcript:
                self.assertNotIn(key, text, "a key was printed")
            for path in self.folder.rglob("*"):
                if path.is_file() and path.name != "key":
                    self.assertNotIn(key.encode(), path.read_bytes(), f"a key is in {path}")

    def serve(self, *arguments, **options):
        service = Service(*arguments, **options)
        self.addCleanup(service.stop)
        self.keys.add(service.api_key)
        return service

    def start(self, *arguments, program=PROGRAM, service=None, extra=None, stdin=None, stderr=subprocess.PIPE,
              cwd=None):
        own = {"XDG_STATE_HOME": str(self.folder / "state")}
        environment = clean_environment(own | (service.environment() if service else {}) | (extra or {}))
        # Unbuffered: wait_for_line() asks the pipe whether there is more, and what a buffer holds is not in the pipe.
        process = subprocess.Popen([program, *map(str, arguments)], stdin=stdin or subprocess.DEVNULL, bufsize=0,
                                   stdout=subprocess.PIPE, stderr=stderr, env=environment, cwd=cwd)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def finish(self, process, data=None):
        out, err = process.communicate(input=data, timeout=LIMIT_S)
        finished = Finished(process, out.decode("utf-8", "replace"), (err or b"").decode("utf-8", "replace"))
        self.transcript += [finished.out, finished.err]
        return finished

    def run_program(self, *arguments, code=0, stdin=None, **options):
        source = subprocess.PIPE if stdin is not None else None
        finished = self.finish(self.start(*arguments, stdin=source, **options), stdin)
        self.assertEqual(finished.code, code, f"{arguments}\nout: {finished.out}\nerr: {finished.err}")
        return finished

    def write_lines(self, rows, name="corpus.txt"):
        path = self.folder / name
        path.write_text("".join(f"{text}\n" for text in rows), encoding="utf-8")
        return path

    def write_jsonl(self, rows, name="corpus.jsonl"):
        path = self.folder / name
        path.write_text("".join(json.dumps({"id": f"id{i}", "text": text}) + "\n" for i, text in enumerate(rows)),
                        encoding="utf-8")
        return path

    def result_bytes(self, folder):
        return [(folder / name).read_bytes() for name in ("embeddings.npy", "rows.sha256", "texts.sha256", "ids.jsonl")]

    def manifest(self, folder):
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    def wait_for_line(self, stream, pattern):
        """Reads a process' stream up to a line that matches: an event to wait for, instead of time."""
        seen = b""
        while True:
            ready, _, _ = select.select([stream], [], [], LIMIT_S)
            line = stream.readline() if ready else b""
            self.assertTrue(line, f"ended before {pattern!r}: {seen!r}")
            seen += line
            self.transcript.append(line.decode("utf-8", "replace"))
            if re.search(pattern, line.decode("utf-8", "replace")):
                return line
