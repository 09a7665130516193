"""Receipts recomputed while jobs come in: `embed --verify offline`, and what is kept of an account's schemes."""

import json
import unittest

import numpy

from harness import ProgramTest, corpus

ROWS = 300
SPOILED = range(100, 200)  # The second job's.


class Offline(ProgramTest):
    def setUp(self):
        super().setUp()
        self.lines = self.write_lines(corpus(ROWS))
        self.out = self.folder / "out"
        self.pins = self.folder / "pins.json"

    def embed(self, service, *more, code=0):
        return self.run_program("embed", self.lines, "-o", self.out, "--rows-per-job", "100", "--jobs-in-flight", "1",
                                "--json", *more, service=service, code=code)

    def service(self, *how):
        return self.serve("--chunk-size", "25", *how)

    def expect_second_job_set_aside(self, done, check):
        report = done.object("report")
        self.assertEqual((report["rows_done"], report["rows_failed"]), (ROWS - len(SPOILED), 0))
        self.assertEqual([job["rows"] for job in report["jobs_left"]], [[[SPOILED.start, SPOILED.stop]]])
        self.assertIn(check, report["jobs_left"][0]["reason"])
        self.assertFalse((self.out / "embeddings.npy").exists())
        failed = self.out / "failed.jsonl"
        self.assertEqual(failed.read_text() if failed.exists() else "", "")

    def test_what_only_a_recomputation_shows_is_caught_by_it(self):
        for fault, check in (("receipt_hash_bit", "receipt_hash"), ("inputs_root_forged", "inputs_root"),
                             ("outputs_root_bit", "outputs_root")):
            with self.subTest(fault):
                service = self.service("--spoil", f"{fault}@2", "--spoil-in-transfer")
                self.out = self.folder / f"{fault}-trusting"
                self.embed(service)
                self.out = self.folder / fault
                service = self.service("--spoil", f"{fault}@2", "--spoil-in-transfer")
                self.expect_second_job_set_aside(self.embed(service, "--verify", "offline", code=5), check)

    def test_the_report_says_what_was_checked_and_on_what_ground(self):
        report = self.embed(self.service(), "--verify", "offline").object("report")
        checks = {check["name"]: check for check in report["checks"]}
        self.assertEqual({(check["verified"], check["failed"], check["not_checkable"]) for check in checks.values()},
                         {(3, 0, 0)})
        self.assertEqual(checks["ranges"]["basis"], "specified")
        self.assertEqual(checks["inputs_root"]["basis"], "pinned:leaf-00/node-01/rfc6962")
        self.assertNotIn("origin", checks)
        manifest = json.loads((self.out / "manifest.json").read_text())
        self.assertEqual(manifest["account"]["pins"]["inputs_root"], ["leaf-00/node-01/rfc6962"])
        page = self.run_program("verify", self.out).out
        self.assertIn("Result: verified", page)

    def test_a_kept_scheme_turns_another_one_into_a_failure(self):
        self.embed(self.service(), "--verify", "offline", "--pins", self.pins)
        kept = json.loads(self.pins.read_text())["accounts"]
        self.assertEqual(len(kept), 1)
        # The same service address and account, as far as the file tells.
        other = self.service("--receipt-scheme", "as-sent/empty-receipt_hash/leaf-plain/node-plain/duplicate")
        self.out = self.folder / "other"
        unpinned = self.embed(other, "--verify", "offline").object("report")
        self.assertEqual(unpinned["jobs_unverified"], 0)
        address, account = next(iter(kept)).split(" ")
        schemes = next(iter(kept.values()))
        ours = other.environment()["CYBERIAN_BASE_URL"]
        self.assertNotEqual(ours, address)
        self.pins.write_text(json.dumps({"vembed_pins": 1, "accounts": {f"{ours} {account}": schemes}}))
        self.out = self.folder / "pinned"
        pinned = self.embed(other, "--verify", "offline", "--pins", self.pins, code=5).object("report")
        self.assertEqual((pinned["rows_done"], len(pinned["jobs_left"])), (0, 3))

    def test_pins_that_cannot_be_read_stop_the_run_before_it_costs_anything(self):
        self.pins.write_text("not pins")
        service = self.service()
        done = self.embed(service, "--pins", self.pins, code=2)
        self.assertIn(str(self.pins), done.err)
        self.assertFalse((self.out / "embeddings.npy").exists())

    def test_nothing_is_kept_of_a_local_service_unless_asked_for(self):
        self.embed(self.service(), "--verify", "offline")
        self.assertFalse((self.folder / "state" / "vembed" / "pins.json").exists())


if __name__ == "__main__":
    unittest.main()
