"""How far a run is, while it runs and after."""

import shlex
import signal
import unittest

from harness import ProgramTest, corpus


class Status(ProgramTest):
    def status(self, folder, **options):
        return self.run_program("status", folder, "--json", **options).object("status")

    def test_a_finished_run(self):
        service = self.serve("--chunk-size", "10")
        rows = corpus(120)
        rows[7] = ""
        out = self.folder / "out"
        self.run_program("embed", self.write_lines(rows), "-o", out, "--blank-lines", "fail", service=service, code=3)
        seen = self.status(out)
        self.assertEqual((seen["state"], seen["rows_total"], seen["rows_done"], seen["rows_failed"], seen["rows_left"]),
                         ("complete", 120, 119, 1, 0))
        self.assertEqual((seen["in_flight"], seen["unanswered"], seen["chunks_charged"]), ([], [], 12))
        self.assertEqual((seen["service"], seen["model"]), (service.base_url, "bge-large-v1.5"))
        text = self.run_program("status", out).out
        self.assertRegex(text, r"state +complete")
        self.assertRegex(text, r"rows +119 done, 1 failed, 0 left of 120")
        self.assertIn("vembed verify", text)

    def test_a_stopped_run_says_how_to_go_on(self):
        service = self.serve("--chunk-size", "10")
        path = self.write_lines(corpus(100), "a corpus.txt")
        out = self.folder / "out"
        limited = ["embed", path, "-o", out, "--rows-per-job", "10", "--max-chunks", "4"]
        report = self.run_program(*limited, "--json", service=service, code=1).object("report")
        self.assertIn(report["rows_done"], range(10, 50))
        seen = self.status(out)
        self.assertEqual((seen["state"], seen["rows_done"], seen["rows_left"], seen["rows_total"]),
                         ("unfinished", report["rows_done"], 100 - report["rows_done"], 100))
        self.assertEqual((seen["batches_done"], seen["chunks_charged"]), (report["jobs"], report["chunks_used"]))
        # The same command could buy nothing more: the one that is printed has a cap that is enough.
        needed = 4 + -(-(100 - report["rows_done"]) // seen["rows_per_chunk"])
        self.assertEqual((seen["max_chunks"], seen["max_chunks_used_up"], seen["max_chunks_needed"]),
                         (4, True, needed))
        command = shlex.split(seen["command"])
        self.assertEqual(command, ["vembed", *map(str, limited[:-1]), str(needed), "--json"])
        text = self.run_program("status", out).out
        self.assertIn("next        vembed embed '", text)
        self.assertIn("--max-chunks 4 is used up (4 chunks charged", text)
        self.assertIn(f"{needed} is enough", text)
        self.run_program(*command[1:], service=service)
        self.assertEqual(self.status(out)["state"], "complete")

    def test_a_cap_is_used_up_only_where_rows_are_left(self):
        service = self.serve("--chunk-size", "10")
        out = self.folder / "out"
        self.run_program("embed", self.write_lines(corpus(20)), "-o", out, "--max-chunks=1", "--chunk-size", "10",
                         service=service, code=1)
        command = shlex.split(self.status(out)["command"])
        self.assertIn("--max-chunks=2", command)
        self.run_program(*command[1:], service=service)
        seen = self.status(out)
        self.assertEqual((seen["state"], seen["max_chunks"], seen["max_chunks_used_up"]), ("complete", 2, False))
        self.assertNotIn("max_chunks_needed", seen)
        self.assertNotIn("used up", self.run_program("status", out).out)

    def test_blank_lines_of_a_stopped_run_are_no_failed_rows(self):
        service = self.serve("--chunk-size", "10")
        rows = corpus(30)
        rows[4] = rows[9] = ""
        out = self.folder / "out"
        self.run_program("embed", self.write_lines(rows), "-o", out, "--rows-per-job", "10", "--max-chunks", "1",
                         service=service, code=1)
        status = self.run_program("status", out, "--json").object("status")
        self.assertEqual((status["state"], status["rows_failed"], status["rows_blank"]), ("unfinished", 0, 2))
        self.assertEqual(status["rows_done"] + status["rows_blank"] + status["rows_left"], 30)
        self.assertIn("0 failed, 2 blank, ", self.run_program("status", out).out)
        self.run_program("embed", self.write_lines(rows), "-o", out, "--rows-per-job", "10", service=service)
        status = self.run_program("status", out, "--json").object("status")
        self.assertEqual((status["rows_failed"], status["rows_blank"], status["rows_left"]), (0, 2, 0))

    def test_while_it_runs_and_after_kill_9(self):
        service = self.serve("--chunk-size", "10", "--settle-delay", "60000")
        path = self.write_lines(corpus(60))
        out = self.folder / "out"
        process = self.start("embed", path, "-o", out, "--rows-per-job", "20", "--log-level", "debug", service=service)
        for _ in range(3):
            self.wait_for_line(process.stderr, r"target=\S*/wait")
        seen = self.status(out)
        self.assertEqual((seen["state"], seen["rows_done"], seen["unanswered"]), ("running", 0, []))
        self.assertEqual(sorted(tuple(map(tuple, job["rows"])) for job in seen["in_flight"]),
                         [((0, 20),), ((20, 40),), ((40, 60),)])
        self.assertTrue(all(job["job_id"] and job["chunks"] == 2 for job in seen["in_flight"]))
        self.assertIn("a process is working on it", self.run_program("status", out).out)
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        seen = self.status(out)
        self.assertEqual((seen["state"], len(seen["in_flight"]), seen["rows_left"]), ("unfinished", 3, 60))
        self.assertIn("taken up again", self.run_program("status", out).out)

    def test_what_was_never_answered(self):
        service = self.serve("--chunk-size", "10", "--faults", "drop=0.15", "--seed", "6")
        out = self.folder / "out"
        done = self.run_program("embed", self.write_lines(corpus(400)), "-o", out, "--rows-per-job", "10", "--json",
                                "-q", service=service, code=75)
        self.assertRegex(done.err, r"in doubt:\n  batch \d+, ")
        unknown = done.object("report")["unknown"]
        self.assertGreater(len(unknown), 0)
        seen = self.status(out)
        self.assertEqual(sorted(batch["rows"] for batch in seen["unanswered"]), sorted(one["rows"] for one in unknown))
        # The first one was sent before the size of a chunk was known.
        self.assertIn([[0, 10]], [batch["rows"] for batch in seen["unanswered"]])
        self.assertEqual([batch["chunks"] for batch in seen["unanswered"]], [1] * len(unknown))
        text = self.run_program("status", out).out
        self.assertIn(f"--on-unknown resubmit --max-extra-chunks {len(unknown)}\n", text)
        self.assertIn("up to 1 chunk may have been charged", text)

    def test_what_is_no_run(self):
        self.run_program("status", self.folder, code=1)
        out = self.folder / "out"
        self.run_program("embed", self.write_lines(corpus(5)), "-o", out, service=self.serve())
        (out / "run.json").write_text("{not json", encoding="utf-8")
        self.assertEqual(self.status(out)["state"], "complete")
        with open(out / "journal.sqlite", "r+b") as journal:
            journal.seek(100)
            journal.write(b"\xff" * 3000)
        self.run_program("status", out, code=1)


if __name__ == "__main__":
    unittest.main()
