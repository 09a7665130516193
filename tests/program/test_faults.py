"""A service that drops connections, is busy, and limits rates."""

import json
import unittest

import numpy

from harness import ProgramTest, corpus

ROWS = 400
ARGUMENTS = ["--rows-per-job", "10", "--jobs-in-flight", "8"]


class Faults(ProgramTest):
    def setUp(self):
        super().setUp()
        self.lines = self.write_lines(corpus(ROWS))
        out = self.folder / "undisturbed"
        self.run_program("embed", self.lines, "-o", out, *ARGUMENTS, service=self.serve("--chunk-size", "10"))
        self.expected = self.result_bytes(out)
        self.matrix = numpy.load(out / "embeddings.npy")

    def disturbed(self, faults, seed="3"):
        return self.serve("--chunk-size", "10", "--seed", seed, "--faults", faults + ",retry_after_s_max=1")

    def test_unanswered_batches_are_named_and_the_others_right(self):
        service = self.disturbed("drop=0.15,busy=0.01,rate_limited=0.01")
        out = self.folder / "out"
        done = self.run_program("embed", self.lines, "-o", out, *ARGUMENTS, "--json", service=service, code=75)
        report = done.object("report")
        self.assertEqual(report["reason"], "parked_batches")
        unknown = [row for batch in report["unknown"] for first, end in batch["rows"] for row in range(first, end)]
        self.assertGreater(len(unknown), 0)
        self.assertEqual(report["rows_done"], ROWS - len(unknown))
        for batch in report["unknown"]:
            self.assertIn(f"batch {batch['batch']},", done.err)
        self.assertEqual(self.manifest(out)["unknown"], report["unknown"])
        settled = numpy.setdiff1d(numpy.arange(ROWS), unknown)
        partial = numpy.memmap(out / "embeddings.npy.partial", dtype="<f4", mode="r", offset=128)
        rows = partial[:len(partial) // 1024 * 1024].reshape(-1, 1024)
        self.assertTrue(numpy.array_equal(rows[settled], self.matrix[settled]))
        self.run_program("verify", out, code=75)

    def test_sending_again_within_a_budget_gives_all_bytes(self):
        service = self.disturbed("drop=0.15,busy=0.01,rate_limited=0.01")
        out = self.folder / "out"
        done = self.run_program("embed", self.lines, "-o", out, *ARGUMENTS, "--on-unknown", "resubmit",
                                "--max-extra-chunks", "40", "--json", service=service)
        report = done.object("report")
        self.assertGreater(report["extra_chunks"], 0)
        self.assertLessEqual(report["extra_chunks"], 40)
        self.assertEqual(self.result_bytes(out), self.expected)
        used = [line for line in self.run_until_answered("account", service).splitlines()]
        consumed = json.loads(used[0])["chunks_consumed_period"]
        self.assertLessEqual(consumed, ROWS // 10 + report["extra_chunks"])

    def test_a_service_that_goes_away_is_told(self):
        service = self.serve("--chunk-size", "10", "--settle-delay", "2000")
        process = self.start("embed", self.lines, "-o", self.folder / "gone", *ARGUMENTS, "--json", service=service)
        self.wait_for_line(process.stdout, r'"jobs_in_flight":[1-9]')
        service.process.kill()
        self.wait_for_line(process.stderr, r"warning: service_unreachable reason=")
        told = json.loads(self.wait_for_line(process.stdout, r'"unreachable_ms"'))
        self.assertGreaterEqual(told["unreachable_ms"], 2000)
        self.assertIn("refused", told["unreachable_reason"])

    def run_until_answered(self, command, service):
        return self.run_program(command, "--json", service=service).out

    def test_damage_on_the_way_is_noticed(self):
        service = self.disturbed("truncate=0.1,corrupt=0.1,wrong_shape=0.1,bad_gateway=0.03")
        out = self.folder / "out"
        code = self.finish(self.start("embed", self.lines, "-o", out, *ARGUMENTS, "--on-unknown", "resubmit",
                                      "--max-extra-chunks", "100", service=service)).code
        self.assertIn(code, (0, 5))
        rows = numpy.load(out / "embeddings.npy")
        kept = ~numpy.isnan(rows).any(axis=1)
        self.assertGreater(kept.sum(), ROWS // 2)
        self.assertTrue(numpy.array_equal(rows[kept], self.matrix[kept]), "no wrong row was let through")

    def test_jobs_whose_receipt_does_not_verify_are_set_aside_and_asked_for_again(self):
        service = self.disturbed("invalid_receipt=1")
        out = self.folder / "out"
        command = ["embed", self.lines, "-o", out, "--rows-per-job", "200", "--json"]
        first = self.run_program(*command, service=service, code=5).object("report")
        self.assertEqual((first["rows_failed"], first["jobs_unverified"]), (0, 0))
        self.assertIn("receipt is not valid", first["jobs_left"][0]["reason"])
        self.assertTrue(first["jobs_left"][0]["check_failed"])
        self.assertFalse((out / "embeddings.npy").exists())
        again = self.run_program(*command, service=service, code=5).object("report")
        self.assertEqual({job["job_id"] for job in again["jobs_left"]}, {job["job_id"] for job in first["jobs_left"]})
        self.assertEqual(again["chunks_used"], 0)


if __name__ == "__main__":
    unittest.main()
