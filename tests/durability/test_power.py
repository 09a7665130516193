"""Power cuts: what a run has made durable, and in which order, held against each prefix of its calls."""

import os
import pathlib
import random
import shutil
import subprocess
import unittest

import recording
from disturbance import SHIM, Corpus, DisturbanceTest, Worker, harness

POINTS = int(os.environ.get("VEMBED_POWER_POINTS", os.environ.get("VEMBED_KILL_POINTS", "90")))
SEED = int(os.environ.get("VEMBED_KILL_SEED", "1"))


class PowerTest(DisturbanceTest):
    def setUp(self):
        super().setUp()
        self.corpus = Corpus(self.scratch, 200, "--rows-per-job", "10", "--jobs-in-flight", "4")
        self.worker = Worker(self.corpus)
        self.worker.__enter__()
        self.addCleanup(self.worker.__exit__)
        self.out = self.worker.folder / "out"

    def record(self, *arguments, codes=(0,), stdin=b"", folder=None):
        """The changes that one command makes under the worker's folder."""
        path = pathlib.Path(self.scratch) / "record"
        path.unlink(missing_ok=True)
        environment = self.worker.environment(self.out, None) | {
            "LD_PRELOAD": SHIM, "FAULT_SHIM_FOLDER": str(folder or self.worker.folder), "FAULT_SHIM_RECORD": str(path)}
        done = subprocess.run([harness.PROGRAM, *map(str, arguments)], input=stdin, capture_output=True,
                              env=environment, timeout=harness.LIMIT_S, check=False)
        self.assertIn(done.returncode, codes, done.stderr.decode())
        return recording.read(path) if path.exists() else []

    def embed(self, *more):
        return ["embed", self.corpus.path, "-o", self.out, *self.corpus.arguments, *more]


class Order(PowerTest):
    def named(self, changes, *names):
        """Each of these got its name by a rename, in the right order."""
        self.assertEqual(recording.out_of_order(changes), [])
        for name in names:
            self.assertIn(str(name), recording.renamed(changes))

    def test_a_run_and_what_is_made_of_its_folder(self):
        pins = self.worker.folder / "pins.json"
        changes = self.record(*self.embed("--pins", pins))
        self.named(changes, *(self.out / name for name in ("embeddings.npy", "manifest.json", "run.json")), pins)
        # Every file of a finished folder is durable when the program ends, by whatever name it was made.
        disk = recording.Disk()
        for change in changes:
            disk.change(change)
        kept = disk.cut(0, recording.nothing)
        for path in self.out.iterdir():
            if path.name != "journal.sqlite.lock":
                self.assertEqual(kept.get(str(path)), path.read_bytes(), path.name)
        for kind in ("fbin", "safetensors"):
            made = self.worker.folder / f"rows.{kind}"
            self.named(self.record("export", self.out, "--format", kind, "-o", made), made)
        proof = self.worker.folder / "row7.json"
        self.record("prove", self.out, "--row", "7", "-o", proof)
        claims = self.worker.folder / "claims.jsonl"
        changes = self.record("attest", self.corpus.path, "--npy", self.out / "embeddings.npy", "-o", claims, "--model",
                              "bge-small-v1.5")
        self.assertEqual(recording.out_of_order(changes), [])
        disk = recording.Disk()
        for change in changes:
            disk.change(change)
        self.assertEqual(disk.cut(0, recording.nothing).get(str(claims)), claims.read_bytes())

    def test_standard_input(self):
        text = self.corpus.path.read_bytes()
        changes = self.record("embed", "-", "-o", self.out, *self.corpus.arguments, stdin=text)
        self.named(changes, self.out / "stdin.spool", self.out / "embeddings.npy")

    def test_each_sync_that_is_missing_is_noticed(self):
        """The check itself: without the sync before a rename, or the one after it, the order is wrong."""
        changes = self.record(*self.embed())
        last = str(self.out / "embeddings.npy")
        place = next(i for i, change in enumerate(changes) if change.call == "rename" and change.to == last)
        partial = changes[place].path
        no_data = [change for i, change in enumerate(changes)
                   if not (i < place and change.call in ("fsync", "fdatasync") and change.path == partial)]
        self.assertEqual(recording.out_of_order(no_data),
                         [f"{last} got its name before what is in it was durable"])
        no_folder = [change for i, change in enumerate(changes)
                     if not (i > place and change.call == "fsync" and change.path == str(self.out))]
        self.assertIn(f"{last}: its folder was not synced after it", recording.out_of_order(no_folder))


class Cuts(PowerTest):
    def left_by(self, changes, point, how, draw):
        """The folder as a cut after `point` changes leaves it."""
        disk = recording.Disk()
        for change in changes[:point]:
            disk.change(change)
        most = len(disk.waiting)
        steps = {"dropped": 0, "names": most, "data": 0, "torn": draw.randrange(most + 1)}[how]
        keep = {"dropped": recording.nothing, "names": recording.nothing, "data": recording.everything,
                "torn": recording.torn(draw)}[how]
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        for name, content in disk.cut(steps, keep).items():
            path = pathlib.Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def goes_on(self, what):
        """The same command ends with the rows of an undisturbed run; if it asks for leave to buy again, it gets it."""
        done = self.worker.embed(self.out)
        if done.code == 75:
            self.assertTrue(done.object("report")["unknown"], f"{what}: {done.err}")
            done = self.worker.embed(self.out, "--on-unknown", "resubmit", "--max-extra-chunks", "1000")
        self.assertEqual(done.code, 0, f"{what}: {done.err}")
        self.assertEqual(self.worker.result(self.out), self.corpus.result, what)
        self.assertEqual(self.worker.run("verify", self.out, "-q").code, 0, what)

    def cut_everywhere(self, changes, points):
        print(f"seed {SEED}, {points} of {len(changes)} prefixes", flush=True)
        draw = random.Random(SEED)
        everywhere = range(len(changes) + 1)
        chosen = everywhere if points >= len(everywhere) else sorted(draw.sample(everywhere, points))
        for point in chosen:
            how = draw.choice(["dropped", "names", "data", "torn"])
            self.left_by(changes, point, how, draw)
            self.goes_on(f"seed {SEED}: cut after {point} of {len(changes)} changes, {how}")

    def test_a_run_of_20_batches(self):
        self.cut_everywhere(self.record(*self.embed(), folder=self.out), POINTS)

    def test_a_finished_folder_that_is_looked_at_again(self):
        first = self.record(*self.embed(), folder=self.out)
        again = self.record(*self.embed(), folder=self.out)
        draw = random.Random(SEED)
        for point in draw.sample(range(len(again) + 1), min(len(again) + 1, max(5, POINTS // 4))):
            for how in ("dropped", "torn"):
                self.left_by(first + again, len(first) + point, how, draw)
                self.goes_on(f"seed {SEED}: cut after {point} of {len(again)} changes of the second run, {how}")


if __name__ == "__main__":
    unittest.main()
