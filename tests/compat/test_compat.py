"""Folders, caches and ledgers that an earlier build made (make_folders.py) and this one has to go on with."""

import fcntl
import json
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "program"))
from harness import ProgramTest  # noqa: E402
from make_folders import ADDRESS, CASES, FINISHED, MODEL, PORT, UNANSWERED, UNFINISHED  # noqa: E402

OTHER_RUN = 7
DONE = (0, 3)
EXPECTED = ("rows.sha256", "texts.sha256", "ids.jsonl")


def named(state):
    return [name for name, (kept, *_) in CASES.items() if kept == state]


class Compat(ProgramTest):
    @classmethod
    def setUpClass(cls):
        # The address is part of the folders, so two of these tests cannot run at once on one machine.
        lock = open(pathlib.Path(tempfile.gettempdir()) / "vembed-compat.lock", "w", encoding="utf-8")
        cls.addClassCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)

    def setUp(self):
        super().setUp()
        self.there = None

    def take(self, name):
        """A copy of a stored case; the program runs in it, as it did where it was made."""
        case = self.folder / name
        shutil.copytree(HERE / "folders" / name, case)
        return case

    def serve_there(self, *arguments, chunk_size=2):
        """A service that knows no job of the folders, and gives no job of its own an id that one of them has."""
        if self.there:
            self.there.stop()
        self.there = self.serve("--seed", "1001", "--chunk-size", str(chunk_size), "--address", ADDRESS, "--quiet",
                                *arguments, port=PORT)
        return self.there

    def run_in(self, case, *arguments, codes, service=None, extra=None):
        finished = self.finish(self.start(*arguments, service=service, extra=extra, cwd=case))
        self.assertIn(finished.code, codes, f"{case.name}: {arguments}\nout: {finished.out}\nerr: {finished.err}")
        return finished

    def go_on(self, case, service, *more):
        """Runs the case's command again: the rows of the whole corpus, or a refusal that left everything as it was."""
        about = json.loads((case / "case.json").read_text(encoding="utf-8"))
        before = self.rows_of(case)
        allowed = (*DONE, OTHER_RUN) if about["reading_may_change"] else DONE
        done = self.run_in(case, *about["command"], "--json", *more, codes=allowed, service=service)
        if done.code == OTHER_RUN:
            self.assertEqual(self.rows_of(case), before, "a folder that was refused has changed")
            return None
        for name in EXPECTED:
            self.assertEqual((case / "out" / name).read_bytes(), (case / "expected" / name).read_bytes(), name)
        self.run_in(case, "verify", "out", codes=(0,))
        return done.object("report")

    def rows_of(self, case):
        return {path.name: path.read_bytes() for path in (case / "out").iterdir()
                if path.name.startswith("embeddings.npy") or path.name in EXPECTED}

    def charged(self, service):
        return self.run_program("account", "--json", service=service).object("account")["chunks_consumed_period"]

    def test_finished_folders_are_verified_and_cost_nothing(self):
        for name in named(FINISHED):
            with self.subTest(name):
                case = self.take(name)
                self.run_in(case, "verify", "out", codes=(0,))
                self.assertEqual(self.run_in(case, "status", "out", "--json", codes=(0,)).object("status")["state"],
                                 "complete")
                service = self.serve_there()
                self.go_on(case, service)
                self.assertEqual(self.charged(service), 0)

    def test_unfinished_folders_end_with_the_same_rows(self):
        for name in named(UNFINISHED):
            with self.subTest(name):
                case = self.take(name)
                done = self.run_in(case, "status", "out", "--json", codes=(0,)).object("status")["rows_done"]
                service = self.serve_there()
                report = self.go_on(case, service)
                if report is None:
                    self.assertEqual(self.charged(service), 0)
                else:
                    self.assertEqual(report["rows_done_before"], done)
                    self.assertEqual(self.charged(service), report["chunks_used"])

    def test_unanswered_batches_stay_so_until_it_is_said(self):
        for name in named(UNANSWERED):
            with self.subTest(name):
                case = self.take(name)
                about = json.loads((case / "case.json").read_text(encoding="utf-8"))
                seen = self.run_in(case, "status", "out", "--json", codes=(0,)).object("status")
                self.assertTrue(seen["unanswered"])
                service = self.serve_there()
                allowed = (75, OTHER_RUN) if about["reading_may_change"] else (75,)
                kept = self.run_in(case, *about["command"], "--json", codes=allowed, service=service)
                if kept.code == 75:
                    self.assertEqual(len(kept.object("report")["unknown"]), len(seen["unanswered"]))
                else:
                    self.assertEqual(self.charged(service), 0)
                self.go_on(case, service, "--on-unknown", "resubmit", "--max-extra-chunks", "60")

    def test_rows_of_the_cache_are_not_bought_again(self):
        case = self.take("cache")
        service = self.serve_there()
        done = self.run_in(case, "embed", "corpus.txt", "-o", "out", *MODEL, "--cache", "cache", "--json", codes=(0,),
                           service=service)
        self.assertEqual(done.object("report")["rows_cached"], 12)
        self.assertEqual(self.charged(service), 0)
        self.assertEqual((case / "out" / "rows.sha256").read_bytes(), (case / "expected.rows.sha256").read_bytes())

    def test_todays_use_is_in_the_ledger(self):
        case = self.take("ledger")
        service = self.serve_there("--tier", "trial", chunk_size=1)
        (case / "corpus.txt").write_text("one more row\n", encoding="utf-8")
        embed = ["embed", "corpus.txt", "-o", "out", *MODEL, "--log-level", "debug"]
        # The file is named after the account, which is the local service's to name.
        self.run_in(case, "embed", "corpus.txt", "-o", "first", *MODEL, "--quota-folder", "named", codes=(0,),
                    service=service)
        (name,) = (path.stem for path in (case / "named" / "quota").glob("*.sqlite"))
        (old,) = (path.stem for path in (case / "quota" / "quota").glob("*.sqlite"))
        for path in list((case / "quota" / "quota").iterdir()):
            path.rename(path.with_name(path.name.replace(old, name)))
        ledger = case / "quota" / "quota" / f"{name}.sqlite"
        with sqlite3.connect(ledger) as database:  # written an hour ago, before the machine was started again
            database.execute("UPDATE ledger SET clock = 'an earlier start', wall = ?",
                             (int((time.time() - 3600) * 1000),))
        database.close()
        service = self.serve_there("--tier", "trial", chunk_size=1)
        refused = self.run_in(case, *embed, "--quota-folder", "quota", codes=(75,), service=service)
        self.assertIn("quota", refused.err)
        self.assertNotRegex(refused.err, r"method=POST")
        # An older build opens what this one wrote: the format is still the first.
        with sqlite3.connect(ledger) as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], 1)
            state = database.execute("SELECT state FROM ledger").fetchone()[0]
        database.close()
        self.assertEqual(state[0], 1)


if __name__ == "__main__":
    unittest.main()
