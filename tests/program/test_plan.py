"""What a run would take."""

import os
import pty
import unittest

from harness import ProgramTest, corpus


class Plan(ProgramTest):
    def poisoned(self):
        rows = [row.encode() for row in corpus(50)]
        rows[3] = b""
        rows[9] = b"y" * 70000
        rows[20] = b"\xc3("
        rows[30] = rows[31]
        path = self.folder / "corpus.txt"
        path.write_bytes(b"".join(row + b"\n" for row in rows))
        return path

    def test_jobs_smaller_than_a_chunk_do_not_tell_its_size(self):
        service = self.serve("--chunk-size", "10")
        lines = self.write_lines(corpus(50))
        out = self.folder / "out"
        done = self.run_program("embed", lines, "-o", out, "--rows-per-job", "5", "--max-chunks", "1",
                                service=service, code=1)
        self.assertIn("a chunk has at least 1 row", done.err)
        plan = self.run_program("plan", lines, "-o", out, "--json", service=service).object("plan")
        self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [1, 100])
        self.assertIn("; at least 1 row a chunk", self.run_program("status", out).out)
        self.run_program("embed", lines, "-o", out, "--rows-per-job", "5", service=service)

    def test_corpus_alone(self):
        done = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", "--rows-per-job", "10")
        self.assertRegex(done.out, r"rows +50\n")
        self.assertRegex(done.out, r"to buy +46 rows in 5 jobs, 5 to 46 chunks\n")
        self.assertRegex(done.out, r"duplicates +1 ")
        for line in (4, 10, 21):
            self.assertIn(f"corpus.txt:{line}: ", done.out)
        self.assertIn("at 1 row a chunk: 46 chunks in 5 jobs", done.out)
        self.assertIn("no API key", done.err)

    def test_standard_input_without_a_temporary_folder(self):
        nowhere = {"TMPDIR": "/nonexistent"}
        plan = self.run_program("plan", "-", "--json", stdin=b"one\ntwo\n", extra=nowhere).object("plan")
        self.assertEqual(plan["rows"], 2)

    def test_an_ended_trial_is_told(self):
        lines = self.write_lines(corpus(3))
        plan = self.run_program("plan", lines, service=self.serve("--tier", "expired"))
        self.assertRegex(plan.out, r"the trial ended 20\S+Z: .*402 trial_expired")
        self.assertNotIn("trial ended", self.run_program("plan", lines, service=self.serve()).out)

    def test_what_the_output_takes(self):
        lines = self.write_lines(corpus(2000))
        self.assertIn("its size is not known before the first job", self.run_program("plan", lines).out)
        service = self.serve()
        done = self.run_program("plan", lines, service=service)
        self.assertRegex(done.out, r"output +8\.4 MB of disk space: 2,000 rows of 1,024 dimensions\n")
        done = self.run_program("plan", lines, "-o", self.folder / "new" / "out", service=service)
        self.assertRegex(done.out, r"1,024 dimensions; [0-9.]+ [kMGT]B free in .*/new/out\n")
        self.assertFalse((self.folder / "new").exists())
        plan = self.run_program("plan", lines, "--json", service=service).object("plan")
        self.assertEqual((plan["dimensions"], plan["output_bytes"]), (1024, 128 + 2000 * (4096 + 96)))
        self.assertNotIn("free_bytes", plan)

    def on_a_terminal(self, *arguments):
        """What comes on standard error where that is a terminal."""
        leader, follower = pty.openpty()
        process = self.start(*arguments, stderr=follower)
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += os.read(leader, 65536)
            except OSError:  # The program has closed the other end.
                break
        os.close(leader)
        self.assertEqual(self.finish(process).code, 0)
        return shown.decode()

    def test_reading_a_large_corpus_is_told_on_a_terminal_only(self):
        for rows in (50_000, 200_000, 800_000, 3_200_000):  # until it takes long enough to be told
            lines = self.write_lines([f"{i} some words of a text" for i in range(rows)])
            shown = self.on_a_terminal("plan", lines)
            if "rows read" in shown:
                break
        self.assertRegex(
            shown, r"\r\x1b\[K[0-9.]+[kM]? rows read \| [0-9.]+ [kM]B of [0-9.]+ MB \d+% \| [0-9,]+ rows/s \| done in ")
        self.assertNotIn("rows read", self.on_a_terminal("plan", lines, "--quiet"))
        self.assertNotIn("rows read", self.on_a_terminal("plan", lines, "--json"))
        self.assertNotIn("rows read", self.run_program("plan", lines).err)

    def test_a_model_that_the_catalog_lacks(self):
        lines = self.write_lines(corpus(5))
        service = self.serve()
        done = self.run_program("plan", lines, "--model", "bge-smal-v1.5", service=service, code=1)
        self.assertIn('has no model "bge-smal-v1.5"; it has bge-', done.err)
        self.run_program("plan", lines, "--model", "bge-small-v1.5", service=service)

    def test_json(self):
        plan = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", "--json").object("plan")
        self.assertEqual((plan["rows"], plan["rows_defective"], plan["rows_duplicate"], plan["jobs"]), (50, 3, 1, 1))
        self.assertEqual([row["row"] for row in plan["defects"]], [3, 9, 20])
        self.assertEqual((plan["chunks_min"], plan["chunks_max"]), (1, 46))
        self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [1, 100])
        plan = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", "--json", "--chunk-size", "10").object("plan")
        self.assertEqual((plan["chunks_min"], plan["chunks_max"]), (5, 5))
        self.run_program("plan", self.poisoned(), "--blank-lines", "fail", "--chunk-size", "0", code=2)

    def test_what_is_bought_once(self):
        lines = self.write_lines(corpus(70) + corpus(70)[:30])
        plan = self.run_program("plan", lines, "--json", "--chunk-size", "10").object("plan")
        self.assertEqual((plan["rows_duplicate"], plan["rows_to_buy"]), (30, 70))
        self.assertEqual(plan["purchases"][0]["chunks"], 7)
        self.assertEqual(plan["purchases"][0]["chunks_saved_by_reuse"], 3)

    def test_nothing_is_submitted(self):
        service = self.serve("--tier", "trial")
        done = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", service=service)
        self.assertIn("trial", done.out)
        self.assertIn("left of 400", done.out)
        account = self.run_program("account", "--json", service=service).object("account")
        self.assertEqual(account["chunks_consumed_period"], 0)
        typed = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", "--json", service=service)
        self.assertEqual([one["type"] for one in typed.objects()], ["input", "plan", "account"])

    def test_what_a_trial_buys_and_when(self):
        lines = self.write_lines([f"{row}, {i}" for i, row in enumerate(corpus(4700))])
        service = self.serve("--tier", "trial")
        done = self.run_program("plan", lines, "--chunk-size", "10", service=service)
        self.assertIn("this tier buys 400 of the 470 chunks: 4,000 of the 4,700 rows; the limit that binds: period quota", done.out)
        self.assertRegex(done.out, r"days 1-4 \(20..-..-.. to 20..-..-..\): 100 chunks, up to 1,000 rows a day")
        self.assertIn("the other 70 chunks, 700 rows, need another tier: the trial ends 20", done.out)
        plan = self.run_program("plan", lines, "--chunk-size", "10", "--json", service=service).object("plan")
        forecast = plan["purchases"][0]["forecast"]
        self.assertEqual((forecast["chunks_bought"], forecast["chunks_unbought"]), (400, 70))
        self.assertEqual(forecast["days"], [{"first_day": 1, "last_day": 4, "chunks_a_day": 100}])

    def test_when_a_paid_tier_is_done(self):
        lines = self.write_lines([f"{row}, {i}" for i, row in enumerate(corpus(7000))])
        service = self.serve()
        done = self.run_program("plan", lines, service=service)
        self.assertRegex(done.out, r"done in 10 s at the earliest, 20\S+Z; the limit that binds: chunks a minute")
        self.assertIn("done as fast as the service computes: no limit of the account binds", done.out)
        self.assertNotIn("another tier", done.out)

    def test_a_service_that_does_not_answer(self):
        done = self.run_program("plan", self.poisoned(), "--blank-lines", "fail", service=self.serve(), code=4,
                                extra={"CYBERIAN_API_KEY": "cyb_not-the-one"})
        self.assertIn("to buy", done.out)

    def test_a_run_that_was_begun(self):
        service = self.serve("--chunk-size", "10")
        lines, out = self.write_lines(corpus(300)), self.folder / "out"
        report = self.run_program("embed", lines, "-o", out, "--rows-per-job", "50", "--max-chunks", "12", "--json",
                                  service=service, code=1).object("report")
        plan = self.run_program("plan", lines, "-o", out, "--json", service=service).object("plan")
        self.assertEqual(plan["rows_bought_before"], report["rows_done"])
        self.assertEqual(plan["rows_to_buy"], 300 - report["rows_done"])
        self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [10])
        self.run_program("plan", self.write_lines(corpus(9), "other.txt"), "-o", out, service=service, code=7)
        self.assertIn("no run was begun", self.run_program("plan", lines, "-o", self.folder / "new").err)

    def test_the_size_of_a_chunk_that_earlier_runs_showed(self):
        service = self.serve("--chunk-size", "10")
        lines = self.write_lines(corpus(300))
        one = self.write_lines(corpus(7), "few.txt")
        self.run_program("embed", one, "-o", self.folder / "few", service=service)
        plan = self.run_program("plan", lines, "--json", service=service).object("plan")
        self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [7, 100], "it has at least 7 rows")
        self.assertNotIn("rows_per_chunk_from", plan)
        some = self.write_lines(corpus(50), "some.txt")
        self.run_program("embed", some, "-o", self.folder / "some", service=service)
        plan = self.run_program("plan", lines, "--json", service=service).object("plan")
        self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [10])
        self.assertEqual((plan["chunks_min"], plan["chunks_max"], plan["rows_per_chunk_from"]), (30, 30, "memory"))
        text = self.run_program("plan", lines, service=service).out
        self.assertRegex(text, r"chunk +10 rows, as earlier jobs of this machine showed\n")
        self.assertNotIn("--chunk-size N says it before", text)
        for other in (("--model", "bge-small-v1.5"), ("--no-shared-quota",)):
            plan = self.run_program("plan", lines, *other, "--json", service=service).object("plan")
            self.assertEqual([one["rows_per_chunk"] for one in plan["purchases"]], [1, 100], other)

    def test_a_word_against_the_size_that_earlier_runs_showed(self):
        service = self.serve("--chunk-size", "10")
        lines = self.write_lines(corpus(300))
        self.run_program("embed", self.write_lines(corpus(50), "some.txt"), "-o", self.folder / "some", service=service)
        plan = self.run_program("plan", lines, "--chunk-size", "50", "--json", service=service).object("plan")
        self.assertEqual((plan["chunks_max"], plan["rows_per_chunk_from"]), (6, "option"))
        text = self.run_program("plan", lines, "--chunk-size", "50", service=service).out
        self.assertIn("earlier jobs of this machine had 10 rows a chunk: --max-chunks of embed counts with that", text)
        out = self.folder / "out"
        done = self.run_program("embed", lines, "-o", out, "--chunk-size", "50", "--max-chunks", "3", service=service,
                                code=1)
        told = "--chunk-size says 50 rows a chunk, but earlier jobs had 10: --max-chunks counts with the smaller size"
        self.assertEqual(done.err.count(told), 1, done.err)
        account = self.run_program("account", "--json", service=service).object("account")
        self.assertEqual(account["chunks_consumed_period"], 5 + 3, "the cap holds from the first job on")

    def test_standard_input(self):
        done = self.run_program("plan", "-", "--blank-lines", "fail", stdin=b"one\n\nthree\n")
        self.assertIn("stdin:2: ", done.out)

    def test_what_is_no_corpus(self):
        self.run_program("plan", self.folder / "none", code=1)
        self.run_program("plan", self.folder, code=1)


if __name__ == "__main__":
    unittest.main()
