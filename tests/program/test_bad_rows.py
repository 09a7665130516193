"""Rows that the service cannot embed, and a service that changes its model."""

import json
import unittest

import numpy

from harness import ProgramTest, corpus

ROWS = 2000
BAD = 1234  # From 0: line 1235.


class BadRows(ProgramTest):
    def setUp(self):
        super().setUp()
        self.texts = corpus(ROWS)
        self.texts[BAD] = "a row with a poisonous word"
        self.lines = self.write_lines(self.texts)

    def failed(self, out):
        return [json.loads(line) for line in (out / "failed.jsonl").read_text().splitlines()]

    def chunks_used(self, service):
        return self.run_program("account", "--json", service=service).object("account")["chunks_consumed_period"]

    def expect_one_row_missing(self, *how):
        out = self.folder / "out"
        service = self.serve("--poison", "poisonous", *how)
        done = self.run_program("embed", self.lines, "-o", out, "--json", service=service, code=3)
        report = done.object("report")
        self.assertEqual(report["rows_done"], ROWS - 1)
        self.assertEqual(report["rows_failed"], 1)
        failed = self.failed(out)
        self.assertEqual([row["row"] for row in failed], [BAD])
        self.assertTrue(failed[0]["origin"].endswith(f"corpus.txt:{BAD + 1}"), failed[0])
        self.assertIn(f"corpus.txt:{BAD + 1}", done.err)
        rows = numpy.load(out / "embeddings.npy")
        self.assertEqual(numpy.flatnonzero(numpy.isnan(rows).any(axis=1)).tolist(), [BAD])
        return out, service, report

    def test_the_row_that_makes_its_job_fail_is_found(self):
        _, _, report = self.expect_one_row_missing()
        self.assertLessEqual(report["narrowing_chunks"], 16)

    def test_a_plan_does_not_count_rows_that_the_run_has_failed(self):
        out, service, _ = self.expect_one_row_missing()
        plan = self.run_program("plan", self.lines, "-o", out, "--json", service=service).object("plan")
        self.assertEqual((plan["rows_bought_before"], plan["rows_failed_before"], plan["rows_to_buy"]), (ROWS - 1, 1, 0))
        told = self.run_program("plan", self.lines, "-o", out, service=service).out
        self.assertIn("failed      1 row in the run that was begun, which does not buy them again", told)
        self.assertIn("Nothing is to be bought.", told)
        used = self.chunks_used(service)
        self.run_program("embed", self.lines, "-o", out, service=service, code=3)
        self.assertEqual(self.chunks_used(service), used)

    def test_the_row_that_is_refused_is_found_and_can_be_fed_back(self):
        out, service, _ = self.expect_one_row_missing("--refuse-poison")
        again = self.folder / "again"
        self.run_program("embed", out / "failed.jsonl", "-o", again, service=service, code=3)
        self.assertEqual(len(self.failed(again)), 1)

    def test_stops_at_the_first_bad_row_where_asked_to(self):
        done = self.run_program("embed", self.lines, "-o", self.folder / "out", "--on-error", "stop",
                                service=self.serve("--poison", "poisonous"), code=1)
        self.assertIn("failed", done.err)

    def test_a_model_that_changes_ends_the_run(self):
        out = self.folder / "out"
        service = self.serve("--model-changes-after", "1")
        done = self.run_program("embed", self.lines, "-o", out, "--rows-per-job", "100", service=service, code=1)
        self.assertIn("specification", done.err)
        self.assertFalse((out / "embeddings.npy").exists())


if __name__ == "__main__":
    unittest.main()
