"""A folder of the library's run_folder() and one of `vembed embed` are the same, and each goes on with the other's."""

import json
import os
import signal
import unittest

import numpy

from harness import ProgramTest, corpus

LIBRARY = os.environ.get("VEMBED_LIBRARY_FOLDER", "build/release/tests/program/library_folder")

# The settings that library_folder.cpp has.
SETTINGS = ["--rows-per-job", "10", "--jobs-in-flight", "1"]

# The rest of a folder of two runs that went alike, each with a service of its own.
SAME_BYTES = ["embeddings.npy", "ids.jsonl", "rows.sha256", "texts.sha256", "failed.jsonl", "duplicates.jsonl"]

# What differs between such runs all the same: times, what is hashed over a time, the services' ports, and the command,
# which only the program has. Job and receipt ids do not differ, because both services draw them from the same seed.
OF_A_RECEIPT = {"issued_at", "receipt_hash"}
OF_A_MANIFEST = {"ended_at", "service", "manifest_sha256"}  # The last is the hash of the rest of the file.
OF_ITS_LAST_RUN = {"elapsed_ms", "paused_ms"}
OF_ITS_RECEIPTS_FILE = {"sha256"}  # issued_at is in it.
OF_A_RUN_FILE = {"started_at", "command", "command_line"}


def bad_corpus():
    """JSONL in which some rows fail before they are sent, one at the service, and the last eight repeat the first."""
    rows = [json.dumps({"id": f"id{i}", "text": text}).encode() for i, text in enumerate(corpus(60))]
    rows[5] = b'{"id":"empty","text":""}'
    rows[17] = json.dumps({"id": "long", "text": "x" * 65537}).encode()
    rows[23] = b'{"id":"cut","text":"no end'
    rows[31] = b'{"id":"bytes","text":"not \xff utf-8"}'
    rows[37] = b'{"text":"a row without an id"}'
    rows[44] = b'{"id":"refused","text":"a row with a poisonous word"}'
    rows += [json.dumps({"id": f"again{i}", "text": text}).encode() for i, text in enumerate(corpus(8))]
    return b"".join(row + b"\n" for row in rows)


BAD_ROWS = [5, 17, 23, 31, 37, 44]
COPIES = 7  # Of the last eight rows: row 5 has another text.


def without(names, members):
    return {name: value for name, value in members.items() if name not in names}


class LibraryFolder(ProgramTest):
    def fresh_service(self):
        """A service like every other one of the test, that nobody has used."""
        self.service = self.serve("--chunk-size", "5", "--poison", "poisonous", "--settle-delay", "30")

    def write(self, data, name="corpus.jsonl"):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def by_library(self, path, out, *stop_after, ids="id", blank="keep"):
        done = self.run_program(path, out, ids, blank, *stop_after, program=LIBRARY, service=self.service)
        return json.loads(done.out)

    def by_program(self, path, out, *more, ids="id", blank="keep", code=0):
        fields = [] if ids == "-" else ["--id-field", ids]
        done = self.run_program("embed", path, "-o", out, *SETTINGS, *fields, "--blank-lines", blank, "--json", *more,
                                service=self.service, code=code)
        return done.object("report")

    def chunks_used(self):
        return self.run_program("account", "--json", service=self.service).object("account")["chunks_consumed_period"]

    def lines(self, path):
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def receipts(self, out):
        return [job | {"receipt": without(OF_A_RECEIPT, job["receipt"])} for job in self.lines(out / "receipts.jsonl")]

    def comparable_manifest(self, out):
        manifest = without(OF_A_MANIFEST, self.manifest(out))
        manifest["last_run"] = without(OF_ITS_LAST_RUN, manifest["last_run"])
        manifest["files"]["receipts.jsonl"] = without(OF_ITS_RECEIPTS_FILE, manifest["files"]["receipts.jsonl"])
        return manifest

    def comparable_run_file(self, out):
        return without(OF_A_RUN_FILE, json.loads((out / "run.json").read_text(encoding="utf-8")))

    def expect_same_folders(self, one, other):
        self.assertEqual(sorted(os.listdir(one)), sorted(os.listdir(other)))
        for name in SAME_BYTES:
            if (one / name).exists():
                self.assertEqual((one / name).read_bytes(), (other / name).read_bytes(), name)
        self.assertEqual(self.receipts(one), self.receipts(other))
        self.assertEqual(self.comparable_manifest(one), self.comparable_manifest(other))
        self.assertEqual(self.comparable_run_file(one), self.comparable_run_file(other))

    def expect_same_rows(self, one, other):
        """Of runs that went in other steps: their jobs differ."""
        self.assertEqual(self.result_bytes(one), self.result_bytes(other))

        self.assertEqual([without({"job_id"}, row) for row in self.lines(one / "failed.jsonl")],
                         [without({"job_id"}, row) for row in self.lines(other / "failed.jsonl")])

    def made_by_both(self, path, code=0, **reading):
        """The same corpus by the library and by the program, each with a service of its own."""
        one, other = self.folder / f"{path.stem}-program", self.folder / f"{path.stem}-library"
        self.fresh_service()
        program = self.by_program(path, one, code=code, **reading)
        self.fresh_service()
        library = self.by_library(path, other, **reading)
        self.assertEqual(library, {name: program[name] for name in library})
        return one, other, library

    def undisturbed(self, path, **reading):
        """What the rows have to be, and the chunks that they cost."""
        self.fresh_service()
        out = self.folder / "undisturbed"
        self.by_library(path, out, **reading)
        used = self.chunks_used()
        self.fresh_service()
        return out, used


class SameFolder(LibraryFolder):
    def test_with_failed_rows_ids_and_copies(self):
        program, library, report = self.made_by_both(self.write(bad_corpus()), code=3)
        self.expect_same_folders(program, library)
        self.assertEqual([row["row"] for row in self.lines(library / "failed.jsonl")], BAD_ROWS)
        self.assertEqual((report["rows_failed"], report["rows_duplicate"]), (len(BAD_ROWS), COPIES))
        rows = numpy.load(library / "embeddings.npy")
        self.assertEqual(numpy.flatnonzero(numpy.isnan(rows).any(axis=1)).tolist(), BAD_ROWS)

    def test_whatever_becomes_of_blank_lines(self):
        rows = corpus(25)
        rows[3] = rows[17] = ""
        for blank, code, failed in (("keep", 0, 0), ("fail", 3, 2), ("skip", 0, 0)):
            with self.subTest(blank=blank):
                path = self.write_lines(rows, f"{blank}.txt")
                program, library, report = self.made_by_both(path, code=code, ids="-", blank=blank)
                self.expect_same_folders(program, library)
                self.assertEqual(report["rows_failed"], failed)

    def test_of_a_file_with_a_mark_and_without_a_last_line_end(self):
        path = self.write(b"\xef\xbb\xbf" + "\n".join(corpus(25)).encode(), "corpus.txt")
        program, library, _ = self.made_by_both(path, ids="-")
        self.expect_same_folders(program, library)


class CommandsOnItsFolder(LibraryFolder):
    def setUp(self):
        super().setUp()
        self.fresh_service()
        self.path = self.write(bad_corpus())
        self.out = self.folder / "out"
        self.by_library(self.path, self.out)

    def test_status(self):
        status = self.run_program("status", self.out, "--json").object("status")
        self.assertEqual((status["state"], status["rows_total"], status["rows_done"], status["rows_failed"]),
                         ("complete", 68, 62, 6))
        self.run_program("status", self.out)

    def test_verify(self):
        for how in ([], ["--online", "--require", "service_check_now"]):
            done = self.run_program("verify", self.out, *how, "--json", service=self.service)
            seen = done.object("verification")
            self.assertEqual((seen["failed"], seen["required_not_checkable"], seen["complete"]), ([], [], True))
            self.assertEqual((seen["rows"], seen["rows_failed"], seen["rows_copied"]), (68, len(BAD_ROWS), COPIES))

    def test_prove_and_check_proof(self):
        text = self.folder / "text"
        text.write_text(corpus(1)[0], encoding="utf-8")
        root = self.manifest(self.out)["row_root"]
        for which in (["--row", "0"], ["--id", "again0"]):
            proof = self.folder / "proof.json"
            self.run_program("prove", self.out, *which, "--platform", "-o", proof)
            self.run_program("check-proof", proof, "--root", root["root"], "--rows", root["rows"], "--text-file", text)
        self.assertIn("failed", self.run_program("prove", self.out, "--row", BAD_ROWS[0], code=1).err)

    def test_export(self):
        rows = numpy.load(self.out / "embeddings.npy")
        file = self.folder / "rows.fbin"
        report = self.run_program("export", self.out, "--format", "fbin", "-o", file, "--json").object("export")
        self.assertEqual((report["rows"], report["rows_failed"]), (68, 6))
        self.assertEqual(file.read_bytes()[8:], rows.tobytes())
        file = self.folder / "good.safetensors"
        self.run_program("export", self.out, "--format", "safetensors", "--skip-failed", "-o", file)
        self.assertTrue(file.read_bytes().endswith(rows[~numpy.isnan(rows[:, 0])].tobytes()))

    def test_plan_and_embed_again_buy_nothing(self):
        before, used = self.result_bytes(self.out), self.chunks_used()
        plan = self.run_program("plan", self.path, "-o", self.out, "--id-field", "id", "--json",
                                service=self.service).object("plan")
        self.assertEqual((plan["rows_to_buy"], plan["rows_failed_before"]), (0, 1))
        again = self.by_program(self.path, self.out, code=3)
        self.assertEqual((again["reason"], again["jobs"], again["chunks_used"]), ("complete", 0, 0))
        self.assertEqual((self.result_bytes(self.out), self.chunks_used()), (before, used))
        self.run_program("verify", self.out)

    def test_another_corpus_is_refused(self):
        other = self.write(bad_corpus() + b'{"id":"more","text":"one more"}\n', "other.jsonl")
        self.run_program("embed", other, "-o", self.out, "--id-field", "id", service=self.service, code=7)


class GoingOn(LibraryFolder):
    def expect_finished(self, out, undisturbed, used):
        self.expect_same_rows(out, undisturbed)
        self.assertEqual(self.chunks_used(), used)
        self.run_program("verify", out)

    def test_the_program_goes_on_with_the_librarys_run(self):
        path = self.write(bad_corpus())
        undisturbed, used = self.undisturbed(path)
        out = self.folder / "out"
        begun = self.by_library(path, out, 15)
        self.assertEqual(begun["reason"], "stopped")
        self.assertTrue(15 <= begun["rows_done"] < 40, begun)
        status = self.run_program("status", out, "--json").object("status")
        self.assertEqual((status["state"], status["rows_total"]), ("unfinished", 68))
        done = self.by_program(path, out, code=3)
        self.assertEqual((done["reason"], done["chunks_used"]), ("complete", used - begun["chunks_used"]))
        self.expect_finished(out, undisturbed, used)

    def test_the_library_goes_on_with_the_programs_run(self):
        path = self.write(bad_corpus())
        undisturbed, used = self.undisturbed(path)
        out = self.folder / "out"
        begun = self.by_program(path, out, "--max-chunks", "6", code=1)
        self.assertEqual((begun["reason"], begun["chunks_used"]), ("chunk_budget", 6))
        done = self.by_library(path, out)
        self.assertEqual((done["reason"], done["chunks_used"]), ("complete", used - begun["chunks_used"]))
        self.expect_finished(out, undisturbed, used)

    def test_a_finished_folder_of_the_program_costs_the_library_nothing(self):
        path = self.write(bad_corpus())
        self.fresh_service()
        out = self.folder / "out"
        self.by_program(path, out, code=3)
        before, used = self.result_bytes(out), self.chunks_used()
        again = self.by_library(path, out)
        self.assertEqual((again["reason"], again["jobs"], again["chunks_used"]), ("complete", 0, 0))
        self.assertEqual((self.result_bytes(out), self.chunks_used()), (before, used))

    def test_the_same_rows_begun_by_one_reading_of_the_file_and_ended_by_another(self):
        """A mark and the last line end make no other corpus, for the library neither."""
        lines = "\n".join(corpus(25)).encode()
        path = self.write(b"\xef\xbb\xbf" + lines, "corpus.txt")
        undisturbed, used = self.undisturbed(path, ids="-")
        out = self.folder / "out"
        self.assertEqual(self.by_library(path, out, 10, ids="-")["reason"], "stopped")
        self.write(lines + b"\n", "corpus.txt")
        self.assertEqual(self.by_program(path, out, ids="-")["reason"], "complete")
        self.assertEqual(self.by_library(path, out, ids="-")["jobs"], 0)
        self.assertEqual((self.result_bytes(out), self.chunks_used()), (self.result_bytes(undisturbed), used))

    def killed(self, *arguments, **options):
        process = self.start(*arguments, service=self.service, **options)
        self.wait_for_line(process.stderr, r"rows done|method=POST.*target=\S*/jobs\b")
        process.send_signal(signal.SIGKILL)
        self.finish(process)
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def test_killed_by_turns(self):
        path = self.write(bad_corpus())
        undisturbed, used = self.undisturbed(path)
        out = self.folder / "out"
        self.killed(path, out, "id", "keep", program=LIBRARY)
        self.killed("embed", path, "-o", out, *SETTINGS, "--id-field", "id", "--log-level", "debug")
        # What was on its way when a process died may have been charged. The library leaves it out, the program is told
        # to buy it again.
        done = self.by_library(path, out)
        doubts = 0
        if done["reason"] == "parked_batches":
            last = self.by_program(path, out, "--on-unknown", "resubmit", "--max-extra-chunks", "20", code=3)
            doubts = last["extra_chunks"]
        self.expect_same_rows(out, undisturbed)
        self.assertLessEqual(self.chunks_used(), used + doubts)
        self.run_program("verify", out)


if __name__ == "__main__":
    unittest.main()
