"""Output folders that cannot be gone on with: damaged, another run's, or another process'."""

import shutil
import signal
import unittest

from disturbance import Corpus, DisturbanceTest, Journalled, Worker


class Folder(DisturbanceTest):
    def setUp(self):
        super().setUp()
        self.corpus = Corpus(self.scratch, 100, "--rows-per-job", "10", "--jobs-in-flight", "2")
        self.worker = Worker(self.corpus)
        self.worker.__enter__()
        self.addCleanup(self.worker.__exit__)
        self.folder = self.worker.folder / "out"
        self.kept = self.worker.folder / "kept"

    def kill_half_way(self):
        """A folder with a journal that was not closed; a copy of it is kept."""
        done = self.worker.embed(self.folder, plan=f"kill-after:any:{len(self.corpus.calls) // 2}")
        self.assertEqual(done.code, -signal.SIGKILL, done.err)
        self.assertTrue(Journalled(self.folder, self.worker.folder).jobs())
        shutil.copytree(self.folder, self.kept)

    def restore(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)

    def refused(self, code, *said):
        before = self.worker.chunks_consumed()
        journal = (self.folder / "journal.sqlite").read_bytes()
        done = self.worker.embed(self.folder)
        self.assertEqual(done.code, code, done.err)
        for text in said:
            self.assertIn(text, done.err)
        self.assertEqual(self.worker.chunks_consumed(), before, "nothing may be bought")
        self.assertEqual((self.folder / "journal.sqlite").read_bytes(), journal, "what is damaged is left alone")

    def goes_on(self):
        done = self.worker.embed(self.folder, "--on-unknown", "resubmit", "--max-extra-chunks", "100")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(self.worker.result(self.folder), self.corpus.result)

    def test_a_damaged_journal(self):
        self.kill_half_way()
        log = self.folder / "journal.sqlite-wal"
        for place in (10, 32 + 24 + 99, log.stat().st_size // 2):
            self.restore()
            damaged = bytearray(log.read_bytes())
            damaged[place] ^= 4
            log.write_bytes(damaged)
            self.refused(1, "journal.sqlite", "restore it from a copy, or start a new run in another folder")
        self.restore()
        self.goes_on()

    def test_a_journal_without_its_log(self):
        self.kill_half_way()
        (self.folder / "journal.sqlite-wal").unlink()
        self.refused(1, "its -wal file was removed or damaged")
        self.assertFalse((self.folder / "journal.sqlite-wal").exists())
        shutil.copy(self.kept / "journal.sqlite-wal", self.folder)
        self.goes_on()

    def test_a_folder_that_lost_its_hashes(self):
        """As a version of vembed that kept none would have begun it."""
        self.kill_half_way()
        for names in (("rows.sha256",), ("texts.sha256",), ("rows.sha256", "texts.sha256")):
            self.restore()
            for name in names:
                (self.folder / name).unlink()
            self.goes_on()
            done = self.worker.run("verify", self.folder)
            self.assertEqual(done.code, 0, done.out)

    def test_a_text_that_changed_in_the_records(self):
        self.kill_half_way()
        records = bytearray((self.folder / "texts.sha256").read_bytes())
        records[64 * 3] ^= 1
        (self.folder / "texts.sha256").write_bytes(records)
        before = self.worker.chunks_consumed()
        done = self.worker.embed(self.folder)
        self.assertEqual(done.code, 7, done.err)
        self.assertIn("texts.sha256 has another text for row 3", done.err)
        self.assertIn("remove it and run the same command again", done.err)
        self.assertEqual(self.worker.chunks_consumed(), before, "nothing may be bought")
        (self.folder / "texts.sha256").unlink()
        self.goes_on()

    def test_another_corpus_or_model(self):
        self.kill_half_way()
        with self.corpus.path.open("a", encoding="utf-8") as more:
            more.write("one line more\n")
        self.refused(7, "belongs to another run: its corpus", "choose another folder")
        lines = self.corpus.path.read_text(encoding="utf-8").splitlines(keepends=True)
        self.corpus.path.write_text("".join(lines[:-1]), encoding="utf-8")
        self.corpus.arguments[1] = "bge-large-v1.5"
        self.refused(7, 'its model is "bge-small-v1.5", this run\'s is "bge-large-v1.5"')
        self.corpus.arguments[1] = "bge-small-v1.5"
        self.goes_on()

    def test_a_folder_in_use(self):
        holder = self.worker.start_stopped(self.folder, f"stop-after:any:{len(self.corpus.calls) // 2}")
        before = self.worker.chunks_consumed()
        done = self.worker.embed(self.folder)
        self.assertEqual(done.code, 7, done.err)
        self.assertIn("another process is using", done.err)
        self.assertEqual(self.worker.chunks_consumed(), before)
        # Looking is allowed, and changes nothing.
        files = {path: path.read_bytes() for path in self.folder.iterdir()}
        seen = self.worker.status(self.folder)
        self.assertIn(seen.code, (0, 75), seen.err)
        self.assertIn("rows", seen.out)
        self.assertEqual({path: path.read_bytes() for path in self.folder.iterdir()}, files)
        holder.kill()
        holder.communicate()
        self.goes_on()


if __name__ == "__main__":
    unittest.main()
