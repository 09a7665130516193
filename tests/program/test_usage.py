"""Command lines, help, exit codes and keys."""

import os
import pty
import resource
import subprocess
import unittest

from harness import LIMIT_S, PROGRAM, ProgramTest, clean_environment, corpus


class Usage(ProgramTest):
    def test_help_and_version(self):
        text = self.run_program("--help").out
        for word in ("embed", "verify", "serve", "CYBERIAN_API_KEY", "Exit status", "Examples"):
            self.assertIn(word, text)
        self.assertRegex(self.run_program("--version").out, r"^vembed \d+\.\d+\.\d+\n$")
        for command in ("embed", "plan", "verify", "serve", "job", "receipt", "models", "account", "keys"):
            self.assertIn(command, self.run_program(command, "--help").out)

    def test_help_as_a_command(self):
        for command in (["embed"], ["job", "wait"]):
            self.assertEqual(self.run_program("help", *command).out, self.run_program(*command, "--help").out)
        self.assertEqual(self.run_program("help").out, self.run_program("--help").out)
        for words, told in ((["fly"], "fly"), (["job", "nonsense"], "job nonsense"), (["embed", "plan"], "embed plan")):
            self.assertIn(f"there is no command {told}\n", self.run_program("help", *words, code=2).err)

    def test_started_without_standard_descriptors(self):
        service = self.serve()
        lines = self.write_lines(corpus(30))
        environment = clean_environment(service.environment() | {"XDG_STATE_HOME": str(self.folder / "state")})
        for closed in ("0<&- 1>&-", "0<&- 2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"):
            out = self.folder / f"out{closed.count('&')}{closed[:1]}{closed[5:6]}"
            command = f'exec "$0" "$@" {closed}'
            process = subprocess.run(["sh", "-c", command, PROGRAM, "embed", str(lines), "-o", str(out)], check=False,
                                     env=environment, timeout=LIMIT_S, stdin=subprocess.DEVNULL, capture_output=True)
            self.assertTrue((out / "embeddings.npy").exists(), (closed, process))
            self.assertIn(process.returncode, (0, 1), (closed, process))

    def test_a_terminal_without_escape_sequences_gets_none(self):
        service = self.serve("--settle-delay", "600")
        lines = self.write_lines(corpus(30))
        for kind, escapes in (("dumb", False), ("", False), ("xterm", True)):
            shown, terminal = pty.openpty()
            process = self.start("embed", lines, "-o", self.folder / f"out-{kind}", service=service,
                                 extra={"TERM": kind}, stderr=terminal)
            os.close(terminal)
            seen = b""
            while True:
                try:
                    piece = os.read(shown, 65536)
                except OSError:  # The other side is closed.
                    break
                if not piece:
                    break
                seen += piece
            os.close(shown)
            self.assertEqual(self.finish(process).code, 0)
            self.assertEqual(b"\x1b" in seen, escapes, (kind, seen))

    def test_a_limit_of_file_sizes(self):
        self.refused_by_a_limit_of_file_sizes(30, 20_000)  # Too little for a journal.
        self.refused_by_a_limit_of_file_sizes(30, 100_000)
        self.refused_by_a_limit_of_file_sizes(300, 1_000_000)  # 300 rows of 1,024 dimensions are 1.2 MB.

    def test_a_run_within_a_limit_of_file_sizes(self):
        service = self.serve()
        done = self.embed_within(400_000, service, self.write_lines(corpus(90)), "--rows-per-job", "1")
        self.assertEqual(done.returncode, 0, done)

    def refused_by_a_limit_of_file_sizes(self, rows, limit):
        service = self.serve()
        done = self.embed_within(limit, service, self.write_lines(corpus(rows)))
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("ulimit -f", done.stderr)
        used = self.run_program("account", "--json", service=service).object("account")
        self.assertEqual(used["chunks_consumed_period"], 0)

    def embed_within(self, limit, service, lines, *more):
        return subprocess.run([PROGRAM, "embed", str(lines), "-o", str(self.folder / f"out{limit}"), *more],
                              check=False, timeout=LIMIT_S, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=clean_environment(service.environment() | {
                                  "XDG_STATE_HOME": str(self.folder / "state")}),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    def test_jobs_within_a_limit_of_open_files(self):
        service = self.serve()
        lines = self.write_lines(corpus(30))
        given_way = self.embed_with_files(36, service, lines, "out", "--rows-per-job", "3")
        self.assertEqual(given_way.returncode, 0, given_way)
        self.assertIn("may open 36 files and connections: 4 jobs at once instead of 8", given_way.stderr)
        refused = self.embed_with_files(36, service, lines, "refused", "--rows-per-job", "3", "--jobs-in-flight", "8")
        self.assertNotEqual(refused.returncode, 0, refused)
        self.assertIn("give --jobs-in-flight 4", refused.stderr)
        self.assertIn("and 4 can be open here", refused.stderr)

    def embed_with_files(self, limit, service, lines, folder, *more):
        return subprocess.run([PROGRAM, "embed", str(lines), "-o", str(self.folder / folder), *more],
                              check=False, timeout=LIMIT_S, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=clean_environment(service.environment() | {
                                  "XDG_STATE_HOME": str(self.folder / "state")}),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))

    def test_senseless_command_lines(self):
        for arguments in ([], ["fly"], ["embed"], ["embed", "x"], ["models", "--log-level", "loud"],
                          ["embed", "x", "-o", "y", "--on-unknown", "resubmit"]):
            done = self.run_program(*arguments, code=2)
            self.assertEqual(done.out, "")
            self.assertIn("--help", done.err)

    def test_a_key_on_the_command_line_is_refused(self):
        done = self.run_program("models", "--api-key", "cyb_0123456789abcdef", code=2)
        self.assertIn("CYBERIAN_API_KEY", done.err)
        self.assertNotIn("cyb_0123456789abcdef", done.err + done.out)

    def test_no_key_malformed_key_wrong_key(self):
        service = self.serve()
        where = {"CYBERIAN_BASE_URL": service.base_url}
        self.assertIn("CYBERIAN_API_KEY", self.run_program("models", extra=where, code=4).err)
        for key in ("sk-123456", "cyb_with space", ""):
            done = self.run_program("models", extra=where | {"CYBERIAN_API_KEY": key}, code=4)
            self.assertNotIn("with space", done.err)
        done = self.run_program("models", "--json", extra=where | {"CYBERIAN_API_KEY": "cyb_wrong0000"}, code=4)
        self.assertEqual(done.object("failure")["kind"], "unauthorized")
        self.assertNotIn("cyb_wrong0000", done.out + done.err)
        lines = self.write_lines(corpus(3))
        self.run_program("embed", lines, "-o", self.folder / "out",
                         extra=where | {"CYBERIAN_API_KEY": "cyb_wrong0000"}, code=4)

    def test_key_from_a_file(self):
        service = self.serve()
        path = self.folder / "key"
        path.write_text(service.api_key + "\n", encoding="ascii")
        self.run_program("models", "--api-key-file", path, "--base-url", service.base_url)
        self.run_program("models", "--api-key-file", self.folder / "none", "--base-url", service.base_url, code=4)

    def test_plain_http_to_another_machine_is_refused(self):
        done = self.run_program("models", extra={"CYBERIAN_BASE_URL": "http://192.0.2.1",
                                                 "CYBERIAN_API_KEY": "cyb_0123456789abcdef"}, code=2)
        self.assertIn("https", done.err)

    def test_no_service_there(self):
        lines = self.write_lines(corpus(3))
        done = self.run_program("plan", lines, extra={"CYBERIAN_BASE_URL": "http://127.0.0.1:1",
                                                      "CYBERIAN_API_KEY": "cyb_0123456789abcdef"}, code=75)
        self.assertIn("network", done.err)
        self.assertIn("rows", done.out)


if __name__ == "__main__":
    unittest.main()
