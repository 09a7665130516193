"""Texts that were bought before: in the same corpus, or by an earlier run."""

import json
import unittest

import numpy

from harness import ProgramTest, corpus


class Reuse(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "10")

    def embed(self, *arguments, **options):
        done = self.run_program("embed", *arguments, "--json", service=self.service, **options)
        return done, done.object("report")

    def chunks_used(self):
        return self.run_program("account", "--json", service=self.service).object("account")["chunks_consumed_period"]

    def verified(self, folder):
        return self.run_program("verify", folder, "--json").object("verification")

    def test_thirty_percent_of_duplicates_cost_thirty_percent_less(self):
        rows = corpus(700)
        mixed = [row for i in range(300) for row in (rows[i], rows[i])] + rows[300:]
        path = self.write_lines(mixed)
        out = self.folder / "out"
        done, report = self.embed(path, "-o", out)
        self.assertEqual((report["rows_done"], report["rows_duplicate"]), (1000, 300))
        self.assertEqual(self.chunks_used(), 70)
        self.assertIn("300 rows repeat others (about 30 chunks saved)", done.err)
        matrix = numpy.load(out / "embeddings.npy")
        self.assertTrue(numpy.array_equal(matrix[0:600:2], matrix[1:600:2]))
        copies = [json.loads(line) for line in (out / "duplicates.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(copies, [{"row": row + 1, "same_as": row} for row in range(0, 600, 2)])
        seen = self.verified(out)
        self.assertEqual((seen["rows_in_receipts"], seen["rows_copied"], seen["rows_cached"]), (700, 300, 0))
        bought, report = self.embed(path, "-o", self.folder / "every", "--no-dedup")
        self.assertEqual(report["rows_duplicate"], 0)
        self.assertEqual(self.chunks_used(), 170)
        self.assertEqual(self.result_bytes(self.folder / "every"), self.result_bytes(out))

    def test_a_second_run_with_the_cache_costs_nothing(self):
        path = self.write_lines(corpus(250) + corpus(50))
        cache = self.folder / "cache"
        self.embed(path, "-o", self.folder / "one", "--cache", cache)
        self.assertEqual(self.chunks_used(), 25)
        plan = self.run_program("plan", path, "--cache", cache, "--json", service=self.service).object("plan")
        self.assertEqual((plan["rows_cached"], plan["rows_duplicate"], plan["rows_to_buy"]), (250, 50, 0))
        done, report = self.embed(path, "-o", self.folder / "two", "--cache", cache)
        self.assertEqual((report["chunks_used"], report["rows_cached"], report["rows_duplicate"]), (0, 250, 50))
        self.assertEqual(self.chunks_used(), 25)
        self.assertIn("250 rows came from the cache", done.err)
        self.assertEqual(self.result_bytes(self.folder / "two"), self.result_bytes(self.folder / "one"))
        seen = self.verified(self.folder / "two")
        self.assertEqual((seen["rows_in_receipts"], seen["rows_copied"], seen["rows_cached"]), (0, 50, 250))
        self.assertIn("came from the cache", self.run_program("verify", self.folder / "two").out)
        other, report = self.embed(path, "-o", self.folder / "small", "--cache", cache, "--model", "bge-small-v1.5")
        self.assertEqual(report["rows_cached"], 0)

    def test_a_cache_that_fails_is_told(self):
        path = self.write_lines(corpus(250))
        cache = self.folder / "cache"
        _, report = self.embed(path, "-o", self.folder / "one", "--cache", cache)
        self.assertNotIn("cache_trouble", report)
        with open(cache / "rows.sqlite", "r+b") as file:
            size = file.seek(0, 2)
            file.seek(12288)
            file.write(b"\xff" * (size - 12288))
        for quiet in ([], ["-q"]):
            done, report = self.embed(path, "-o", self.folder / f"two{len(quiet)}", "--cache", cache, *quiet)
            self.assertEqual((report["rows_cached"], report["rows_done"]), (0, 250))
            self.assertIn("the cache failed, and rows that it may have were bought: ", done.err)
            self.assertIn(report["cache_trouble"], done.err)

    def test_a_copy_that_was_changed_is_found(self):
        out = self.folder / "out"
        self.embed(self.write_lines(corpus(40) + corpus(10)), "-o", out)
        with open(out / "embeddings.npy", "r+b") as file:
            file.seek(128 + 45 * 1024 * 4 + 8)
            file.write(b"\x00\x00\x80\x3f")
        done = self.run_program("verify", out, code=5)
        self.assertIn("row 45 has other values than row 5", done.out)


if __name__ == "__main__":
    unittest.main()
