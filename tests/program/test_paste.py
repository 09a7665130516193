"""Commands that are printed to be pasted, jobs left aside, today's use in plan, and Ctrl-C while a name is looked up."""

import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import harness
from harness import PROGRAM, ProgramTest, corpus
from scripted_http import ScriptedHttp

RAW_NAME = b"corp\xff us'\n.txt"  # No UTF-8, with a quote, a space and a line end.


class Pasted(ProgramTest):
    """Whatever is printed as a command does what it says, in another folder too."""

    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        (self.bin / "vembed").symlink_to(os.path.abspath(PROGRAM))
        self.elsewhere = self.folder / "elsewhere"
        self.elsewhere.mkdir()
        self.raw = os.fsencode(self.folder) + b"/" + RAW_NAME
        with open(self.raw, "wb") as file:
            file.write("".join(f"{text}\n" for text in corpus(30)).encode())

    def paste(self, command, service):
        environment = harness.clean_environment(service.environment() | {"XDG_STATE_HOME": str(self.folder / "state")})
        environment["PATH"] = f"{self.bin}:{environment['PATH']}"
        return subprocess.run(["bash", "-c", command], env=environment, cwd=self.elsewhere, capture_output=True,
                              timeout=harness.LIMIT_S, check=False)

    def begin(self, service, where, inputs, out):
        process = subprocess.run(
            [PROGRAM if os.path.isabs(PROGRAM) else os.path.abspath(PROGRAM), "embed", *inputs, "-o", out,
             "--rows-per-job", "10", "--max-chunks", "1"],
            env=harness.clean_environment(service.environment() | {"XDG_STATE_HOME": str(self.folder / "state")}),
            cwd=where, capture_output=True, timeout=harness.LIMIT_S, check=False)
        self.assertEqual(process.returncode, 1, process.stderr)

    def test_a_file_name_that_is_not_utf8(self):
        service = self.serve("--chunk-size", "10")
        self.begin(service, self.folder, [RAW_NAME], "out")
        out = self.folder / "out"
        text = self.run_program("status", out).out
        shown = [line for line in text.splitlines() if line.startswith("next")][0].removeprefix("next").strip()
        told = self.run_program("status", out, "--json").object("status")["command"]
        self.assertEqual(shown, told)
        for command in (shown, told):
            done = self.paste(command.replace("--max-chunks 1", "--max-chunks 2"), service)
            self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.paste(shown.replace("--max-chunks 1", ""), service).returncode, 0)
        self.assertEqual(list(self.elsewhere.iterdir()), [])
        json.loads((out / "run.json").read_bytes().decode("utf-8"))

    def test_what_the_end_and_status_of_a_run_print(self):
        service = self.serve()
        name = b"o\xe9t it"
        process = subprocess.run(
            [os.path.abspath(PROGRAM), "embed", RAW_NAME, "-o", name], cwd=self.folder, capture_output=True,
            env=harness.clean_environment(service.environment() | {"XDG_STATE_HOME": str(self.folder / "state")}),
            timeout=harness.LIMIT_S, check=False)
        self.assertEqual(process.returncode, 0, process.stderr)
        end = process.stderr.decode("utf-8", "surrogateescape").split("check it with: ")[1].splitlines()[0]
        self.assertEqual(self.paste(end, service).returncode, 0)
        status = subprocess.run([os.path.abspath(PROGRAM), "status", name], cwd=self.folder, capture_output=True,
                                timeout=harness.LIMIT_S, check=False).stdout.decode("utf-8")
        shown = [line for line in status.splitlines() if line.startswith("next")][0].removeprefix("next").strip()
        self.assertEqual(self.paste(shown, service).returncode, 0)

    def test_a_command_with_absolute_paths_needs_no_folder(self):
        service = self.serve("--chunk-size", "10")
        self.begin(service, self.folder, [self.raw], os.fsencode(self.folder) + b"/out")
        command = self.run_program("status", self.folder / "out", "--json").object("status")["command"]
        self.assertTrue(command.startswith("vembed embed "), command)


class LeftAside(ProgramTest):
    def test_status_names_the_jobs_left_aside_and_why(self):
        account = {"account_id": "acct-1", "tier": "paid", "effective_tier": "paid", "chunks_consumed_period": 0,
                   "limits": {}, "keys": []}
        job = {"id": "job-1", "status": "SETTLED", "chunk_count": 1, "receipt_id": "r-1"}
        results = {"job_id": "job-1", "status": "SETTLED", "receipt_id": "r-1",
                   "chunks": [{"chunk_index": 0, "row_start": 0, "row_end": 3, "status": "VERIFIED",
                               "output_commitment": "ab" * 32, "selected_for_verification": True}]}
        service = ScriptedHttp({
            "GET /account": (200, account), "POST /jobs": (201, job), "GET /jobs/job-1": (200, job),
            "GET /models": (200, {"models": [{"id": "bge-large-v1.5", "name": "b", "description": "",
                                              "output_dimensions": 4}]}),
            "GET /jobs/job-1/wait?max_wait=30": (200, job), "GET /jobs/job-1/results": (200, results),
            "GET /jobs/job-1/output": (200, b"not an output")})
        self.addCleanup(service.stop)
        self.keys.add(service.api_key)
        out = self.folder / "out"
        done = self.run_program("embed", self.write_lines(corpus(3)), "-o", out, "--verify", "hash", "--json",
                                service=service, code=1)
        left = done.object("report")["jobs_left"]
        self.assertEqual([one["job_id"] for one in left], ["job-1"])
        self.assertEqual(self.run_program("status", out, "--json").object("status")["jobs_left"], left)
        text = self.run_program("status", out).out
        self.assertIn("left aside", text)
        self.assertIn("job job-1: rows 0-2: its responses cannot be used: " + left[0]["reason"], text)
        self.assertIn("asks for the jobs left aside once more", text)


class TodaysUse(ProgramTest):
    def test_plan_counts_what_this_machine_used_today(self):
        service = self.serve("--tier", "trial", "--chunk-size", "1")
        lines = self.write_lines(corpus(60))
        self.run_program("embed", lines, "-o", self.folder / "out", service=service)
        more = self.write_lines(corpus(150)[60:], "more.txt")
        plan = self.run_program("plan", more, "--chunk-size", "1", "--json", service=service).object("plan")
        self.assertEqual(plan["chunks_today"], 60)
        forecast = plan["purchases"][0]["forecast"]
        day = [limit for limit in forecast["limits"] if limit["bound"] == "day quota"][0]
        self.assertGreater(day["time_left_s"], 23 * 3600)
        text = self.run_program("plan", more, "--chunk-size", "1", service=service).out
        self.assertIn("60 in the last 24 hours", text)
        alone = self.run_program("plan", more, "--chunk-size", "1", "--no-shared-quota", "--json",
                                 service=service).object("plan")
        self.assertEqual(alone["chunks_today"], 0)


SLOW_RESOLVER = """
#include <netdb.h>
#include <unistd.h>
int getaddrinfo(const char* host, const char* port, const struct addrinfo* hints, struct addrinfo** found) {
    static const char told[] = "resolving\\n";
    (void)host; (void)port; (void)hints; (void)found;
    if (write(STDERR_FILENO, told, sizeof told - 1) < 0) return EAI_AGAIN;
    for (unsigned left = 60; left > 0;) left = sleep(left);
    return EAI_AGAIN;
}
"""


@unittest.skipUnless(shutil.which("cc"), "a compiler makes the resolver that hangs")
class Resolving(ProgramTest):
    def setUp(self):
        super().setUp()
        source = self.folder / "slow.c"
        source.write_text(SLOW_RESOLVER, encoding="ascii")
        self.library = self.folder / "slow.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, source], check=True)

    def interrupt(self, *arguments):
        extra = {"CYBERIAN_BASE_URL": "https://service.invalid", "CYBERIAN_API_KEY": "cyb_" + "0" * 40,
                 "LD_PRELOAD": str(self.library), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        process = self.start(*arguments, extra=extra)
        self.wait_for_line(process.stderr, "resolving")
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(done.code, 75, done.err)
        self.assertLess(time.monotonic() - began, 10)  # The resolver takes 60 s.

    def test_an_interrupt_ends_the_program_at_once(self):
        self.interrupt("account")
        self.interrupt("job", "get", "job-1")

    def test_an_interrupt_ends_a_run_at_once(self):
        self.interrupt("embed", self.write_lines(corpus(3)), "-o", self.folder / "out")


if __name__ == "__main__":
    unittest.main()
