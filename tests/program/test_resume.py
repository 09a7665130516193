"""Runs that end early and are run again: nothing bought twice, no row lost."""

import os
import signal
import subprocess
import unittest

from harness import ProgramTest, corpus


class Resume(ProgramTest):
    def embed(self, service, *arguments, **options):
        return self.run_program("embed", *arguments, service=service, **options)

    def chunks_used(self, service):
        return self.run_program("account", "--json", service=service).object("account")["chunks_consumed_period"]

    def undisturbed(self, path, *arguments):
        service = self.serve("--chunk-size", "10")
        out = self.folder / "undisturbed"
        self.embed(service, path, "-o", out, *arguments)
        return self.result_bytes(out)

    def test_running_again_buys_nothing(self):
        service = self.serve("--chunk-size", "10")
        lines = self.write_lines(corpus(120))
        out = self.folder / "out"
        self.embed(service, lines, "-o", out, "--rows-per-job", "20")
        before = self.result_bytes(out)
        again = self.embed(service, lines, "-o", out, "--rows-per-job", "20", "--json").object("report")
        self.assertEqual((again["rows_done"], again["rows_done_before"]), (120, 120))
        self.assertEqual((again["jobs"], again["chunks_used"]), (0, 0))
        self.assertEqual(self.chunks_used(service), 12)
        self.assertEqual(self.result_bytes(out), before)
        self.run_program("verify", out)

    def test_a_folder_of_another_run_is_refused(self):
        service = self.serve()
        lines, others = self.write_lines(corpus(10)), self.write_lines(corpus(11), "others.txt")
        out = self.folder / "out"
        self.embed(service, lines, "-o", out)
        before = self.result_bytes(out)
        self.embed(service, others, "-o", out, code=7)
        self.embed(service, lines, "-o", out, "--model", "bge-small-v1.5", code=7)
        self.assertEqual(self.result_bytes(out), before)
        self.assertEqual(self.chunks_used(service), 1)

    def test_a_mark_and_the_last_line_end_make_no_other_corpus(self):
        service = self.serve()
        lines = self.write_lines(corpus(10))
        plain = lines.read_bytes()
        mark = b"\xef\xbb\xbf"
        forms = [plain, plain[:-1], mark + plain, mark + plain[:-1], plain[:-1] + b"\r\n"]
        for number, first in enumerate(forms):
            out = self.folder / f"out{number}"
            lines.write_bytes(first)
            self.embed(service, lines, "-o", out)
            for again in forms:
                lines.write_bytes(again)
                self.assertEqual(self.embed(service, lines, "-o", out, "--json").object("report")["jobs"], 0)
                self.run_program("plan", lines, "-o", out)
            for other in (plain + b"\n", mark + mark + plain, plain.replace(b"\n", b"\r\n")):
                lines.write_bytes(other)
                self.embed(service, lines, "-o", out, code=7)
        self.assertEqual(self.chunks_used(service), len(forms))

    def test_killed_at_several_moments(self):
        service = self.serve("--chunk-size", "10", "--settle-delay", "50")
        path = self.write_jsonl(corpus(200))
        arguments = ["--id-field", "id", "--rows-per-job", "10", "--jobs-in-flight", "2"]
        out = self.folder / "out"
        extra = []
        for jobs in (1, 4, 9):
            process = self.start("embed", path, "-o", out, *arguments, "--log-level", "debug", "--max-chunks", "1000",
                                 service=service, stdin=subprocess.DEVNULL)
            for _ in range(jobs):
                self.wait_for_line(process.stderr, r"target=\S*/jobs\b.*method=POST|method=POST.*target=\S*/jobs\b")
            process.send_signal(signal.SIGKILL)
            self.finish(process)
            extra.append(process.returncode)
        self.assertEqual(extra, [-signal.SIGKILL] * 3)
        # A submission may have been under way when its process died: it is named, and sent again on request only.
        last = self.finish(self.start("embed", path, "-o", out, *arguments, "--json", service=service))
        report = last.object("report")
        self.assertEqual(last.code, 75 if report["unknown"] else 0)
        if report["unknown"]:
            self.embed(service, path, "-o", out, *arguments, "--on-unknown", "resubmit", "--max-extra-chunks", "60")
        self.assertEqual(self.result_bytes(out), self.undisturbed(path, *arguments))
        self.assertLessEqual(self.chunks_used(service), 20 + len(report["unknown"]))
        self.run_program("verify", out)

    def test_a_budget_of_chunks(self):
        service = self.serve("--chunk-size", "1")
        lines = self.write_lines(corpus(130))
        out = self.folder / "out"
        limited = ["--rows-per-job", "20", "--max-chunks", "60"]
        done = self.embed(service, lines, "-o", out, *limited, "--json", code=1)
        report = done.object("report")
        self.assertEqual((report["reason"], report["rows_done"]), ("chunk_budget", 60))
        self.assertIn("used 60 chunks, of 60 that it may use in all; to buy every row that is left, allow 130", done.err)
        self.assertIn("run the same command again with a larger --max-chunks", done.err)
        self.embed(service, lines, "-o", out, *limited, code=1)
        self.assertEqual(self.chunks_used(service), 60)
        self.assertTrue((out / "embeddings.npy.partial").exists())
        self.assertEqual(self.manifest(out)["status"], "unfinished")
        self.assertEqual(self.manifest(out)["rows_done"], 60)
        self.run_program("verify", out, code=75)

    def test_the_trial_ends_at_the_days_quota(self):
        service = self.serve("--tier", "trial", "--chunk-size", "1")
        lines = self.write_lines(corpus(130))
        out = self.folder / "out"
        # One job of the day's whole quota: smaller ones would be spread over minutes.
        done = self.embed(service, lines, "-o", out, "--rows-per-job", "100", "--json", code=75)
        report = done.object("report")
        self.assertEqual((report["reason"], report["rows_done"]), ("quota", 100))
        self.assertIn("quota", done.err)
        self.assertEqual(self.chunks_used(service), 100)
        self.assertEqual(self.manifest(out)["rows_done"], 100)

    def test_processes_share_the_days_quota(self):
        service = self.serve("--tier", "trial", "--chunk-size", "1")
        arguments = ["--rows-per-job", "100", "--log-level", "debug"]
        first = self.embed(service, self.write_lines(corpus(130)), "-o", self.folder / "one", *arguments, code=75)
        self.assertRegex(first.err, r"method=POST")
        self.assertTrue(list((self.folder / "state" / "vembed" / "quota").iterdir()))
        more = self.write_lines(corpus(140)[130:], "more.txt")
        second = self.embed(service, more, "-o", self.folder / "two", *arguments, code=75)
        self.assertIn("quota", second.err)
        self.assertNotRegex(second.err, r"method=POST")
        alone = self.embed(service, more, "-o", self.folder / "two", *arguments, "--no-shared-quota", code=75)
        self.assertRegex(alone.err, r"method=POST", "it finds out by asking")
        named = self.embed(service, more, "-o", self.folder / "two", *arguments, "--quota-folder", self.folder / "q",
                           code=75)
        self.assertTrue((self.folder / "q" / "quota").exists(), named.err)

    def test_waiting_for_the_quota_says_until_when(self):
        service = self.serve("--tier", "trial", "--chunk-size", "1")
        out = self.folder / "out"
        process = self.start("embed", self.write_lines(corpus(130)), "-o", out, "--rows-per-job", "100",
                             "--wait-quota", service=service)
        line = self.wait_for_line(process.stderr, r"waiting until 20\d\d-\d\d-\d\dT\S+Z \(")
        self.assertIn(b"quota is used up", line)
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(done.code, 75, done.err)
        self.assertEqual(self.manifest(out)["rows_done"], 100)
        self.assertEqual(self.chunks_used(service), 100)

    def test_first_and_second_ctrl_c(self):
        service = self.serve("--chunk-size", "10", "--settle-delay", "300")
        path = self.write_lines(corpus(200))
        out = self.folder / "out"
        arguments = ["embed", path, "-o", out, "--rows-per-job", "10", "--jobs-in-flight", "2", "--log-level", "debug"]
        posted = r"method=POST.*target=\S*/jobs\b"
        process = self.start(*arguments, service=service)
        self.wait_for_line(process.stderr, posted)
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(done.code, 75, done.err)
        self.assertIn("run the same command again", done.err)
        self.assertIn("stopping: nothing more is bought", done.err)
        manifest = self.manifest(out)
        self.assertEqual(manifest["status"], "unfinished")
        self.assertGreaterEqual(manifest["rows_done"], 10)
        self.assertEqual(manifest["rows_done"], self.chunks_used(service) * 10, "what was in flight was finished")
        process = self.start(*arguments, service=service)
        self.wait_for_line(process.stderr, posted)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).code, 130)
        last = self.finish(self.start(*arguments, "--on-unknown", "resubmit", "--max-extra-chunks", "60",
                                      service=service))
        self.assertEqual(last.code, 0, last.err)
        self.assertEqual(self.result_bytes(out), self.undisturbed(path, "--rows-per-job", "10"))

    def test_a_closed_terminal_ends_a_run_as_ctrl_c_does(self):
        service = self.serve("--chunk-size", "10", "--settle-delay", "300")
        out = self.folder / "out"
        process = self.start("embed", self.write_lines(corpus(200)), "-o", out, "--rows-per-job", "10",
                             "--log-level", "debug", service=service)
        self.wait_for_line(process.stderr, r"method=POST.*target=\S*/jobs\b")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(self.finish(process).code, 75)
        self.assertEqual(self.manifest(out)["unknown"], [])

    def test_a_folder_that_cannot_be_used_costs_nothing(self):
        service = self.serve()
        lines = self.write_lines(corpus(20))
        for name in ("embeddings.npy", "embeddings.npy.partial", "ids.jsonl", "failed.jsonl", "manifest.json"):
            out = self.folder / name.replace(".", "-")
            out.mkdir()
            (out / name).write_text("somebody's", encoding="utf-8")
            done = self.embed(service, lines, "-o", out, code=7)
            self.assertIn(f"{name} is there without the journal", done.err)
            self.assertEqual([file.name for file in out.iterdir()], [name])
            self.assertEqual((out / name).read_text(encoding="utf-8"), "somebody's")
        self.embed(service, lines, "-o", self.folder / "done")
        used = self.chunks_used(service)
        (self.folder / "done" / "journal.sqlite").unlink()
        self.embed(service, lines, "-o", self.folder / "done", code=7)
        self.assertEqual(self.chunks_used(service), used)

    def test_ctrl_c_while_standard_input_is_read(self):
        service = self.serve()
        out = self.folder / "out"
        process = self.start("embed", "-", "-o", out, service=service, stdin=subprocess.PIPE)
        self.wait_for_line(process.stderr, "reading standard input")
        process.send_signal(signal.SIGINT)
        done = self.finish(process, b"one\n")
        self.assertEqual(done.code, 75)
        self.assertFalse((out / "stdin.spool").exists())
        self.assertEqual(self.chunks_used(service), 0)

    def test_two_at_once_on_one_folder(self):
        service = self.serve("--settle-delay", "2000")
        lines = self.write_lines(corpus(10))
        out = self.folder / "out"
        first = self.start("embed", lines, "-o", out, "--log-level", "debug", service=service)
        self.wait_for_line(first.stderr, r"method=POST.*target=\S*/jobs\b")
        second = self.embed(service, lines, "-o", out, code=7)
        self.assertIn("another process", second.err)
        self.assertEqual(self.finish(first).code, 0)

    def test_a_reader_that_went_away(self):
        service = self.serve()
        process = self.start("models", service=service)
        process.stdout.close()
        process.stdout = open(os.devnull, "rb")
        self.assertIn(self.finish(process).code, (0, 1))


if __name__ == "__main__":
    unittest.main()
