"""A disk that a result surely does not fit on: nothing is bought. One on which it may fit is no reason to stop."""

import unittest

from disturbance import Corpus, DisturbanceTest, Worker

ROWS = 3000
BYTES = 128 + ROWS * (384 * 4 + 96)


class Space(DisturbanceTest):
    def setUp(self):
        super().setUp()
        self.corpus = Corpus(self.scratch, ROWS, "--rows-per-job", "100", "--jobs-in-flight", "2")
        self.worker = Worker(self.corpus)
        self.worker.__enter__()
        self.addCleanup(self.worker.__exit__)
        self.folder = self.worker.folder / "out"
        self.folder.mkdir()

    def plan(self, free):
        done = self.worker.run("plan", self.corpus.path, "-o", self.folder, "--model", "bge-small-v1.5", "--json",
                               free=(self.folder, free))
        self.assertEqual(done.code, 0, done.err)
        return done.object("plan")

    def test_too_little_for_the_whole(self):
        done = self.worker.embed(self.folder, free=2_000_000)
        self.assertEqual(done.code, 1, done.err)
        self.assertIn("3000 rows of 384 dimensions do not fit", done.err)
        self.assertIn("free another", done.err)
        self.assertEqual(self.worker.chunks_consumed(), 0)
        self.assertEqual(self.worker.embed(self.folder, free=BYTES).code, 0)
        self.assertEqual(self.worker.result(self.folder), self.corpus.result)

    def test_what_is_on_disk_needs_no_more_room(self):
        done = self.worker.embed(self.folder, "--max-chunks", "200", free=BYTES)
        self.assertEqual(done.code, 1, done.err)
        plan = self.plan(2_500_000)
        self.assertEqual((plan["dimensions"], plan["output_bytes"], plan["free_bytes"]), (384, BYTES, 2_498_560))
        self.assertLess(plan["output_bytes_left"], 2_000_000)
        spent = self.worker.chunks_consumed()
        self.assertEqual(self.worker.embed(self.folder, free=100_000).code, 1)
        self.assertEqual(self.worker.chunks_consumed(), spent)
        self.assertEqual(self.worker.embed(self.folder, free=2_500_000).code, 0)
        self.assertEqual(self.worker.chunks_consumed(), spent + 100)
        self.assertEqual(self.worker.result(self.folder), self.corpus.result)
        self.assertEqual(self.plan(0)["output_bytes_left"], 0)


if __name__ == "__main__":
    unittest.main()
