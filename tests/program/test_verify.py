"""An output folder checked against its receipts."""

import json
import os
import shutil
import unittest

from harness import ProgramTest, corpus

LATER_CLOCK = os.environ.get("VEMBED_LATER_CLOCK")


class Verify(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "5")
        self.out = self.folder / "out"
        self.run_program("embed", self.write_lines(corpus(60)), "-o", self.out, "--rows-per-job", "20",
                         service=self.service)

    def copy(self, name):
        return shutil.copytree(self.out, self.folder / name)

    def checks(self, folder, code, *arguments):
        done = self.run_program("verify", folder, "--json", *arguments, code=code)
        return {check["name"]: check for check in done.objects("check")}, done.object("verification")

    def test_untouched(self):
        done = self.run_program("verify", self.out)
        lines = done.out.splitlines()
        self.assertRegex(lines[-2], r"re-executed \d+ of 12 chunks")
        self.assertTrue(lines[-1].startswith("origin not proven"), lines[-1])
        self.assertRegex(done.out, r"(?m)^Result: verified")
        checks, summary = self.checks(self.out, 0)
        self.assertEqual((checks["output_commitment"]["verified"], checks["output_commitment"]["basis"]),
                         (12, "pinned:sha256"))
        self.assertEqual((checks["receipt_hash"]["verified"], checks["receipt_hash"]["basis"]),
                         (3, "assumed:jcs|sorted-ascii/without-receipt_hash"))
        self.assertEqual(checks["outputs_root"]["verified"], 3)
        self.assertEqual(checks["origin"]["verdict"], "not_checkable")
        self.assertEqual((summary["chunks"], summary["receipts_signed"]), (12, False))
        self.assertEqual(summary["chunks_reexecuted"] + summary["chunks_not_reexecuted"], 12)
        self.assertLess(summary["chunks_reexecuted"], 12)

    def test_online(self):
        self.run_program("verify", self.out, "--online", service=self.service)
        other = self.serve()
        self.assertIn("--base-url", self.run_program("verify", self.out, "--online", service=other, code=2).err)
        self.service.stop()
        self.run_program("verify", self.out, "--online", service=self.service, code=6)

    def test_a_flipped_bit_names_its_row(self):
        folder = self.copy("flipped")
        data = bytearray((folder / "embeddings.npy").read_bytes())
        data[128 + 37 * 4096 + 2000] ^= 1
        (folder / "embeddings.npy").write_bytes(data)
        done = self.run_program("verify", folder, code=5)
        self.assertRegex(done.out, r"job \S+ \(receipt \S+\), chunk 3: rows 35-39 ")
        checks, _ = self.checks(folder, 5)
        self.assertEqual((checks["output_commitment"]["failed"], checks["row_hashes"]["failed"]), (1, 1))

    def test_a_flipped_bit_in_the_only_chunk(self):
        out = self.folder / "one"
        self.run_program("embed", self.write_lines(corpus(3)), "-o", out, service=self.service)
        data = bytearray((out / "embeddings.npy").read_bytes())
        data[-1] ^= 4
        (out / "embeddings.npy").write_bytes(data)
        self.run_program("verify", out, code=5)

    def test_shapes(self):
        for name, change in (("short", lambda data: data[:-4096]), ("long", lambda data: data + bytes(4096)),
                             ("header", lambda data: b"x" + data[1:]), ("empty", lambda data: b"")):
            folder = self.copy(name)
            (folder / "embeddings.npy").write_bytes(change((folder / "embeddings.npy").read_bytes()))
            self.run_program("verify", folder, code=5)

    def test_changed_records(self):
        for name in ("ids.jsonl", "receipts.jsonl"):
            folder = self.copy(name)
            lines = (folder / name).read_bytes().splitlines(keepends=True)
            (folder / name).write_bytes(b"".join(lines[:-1]))
            self.run_program("verify", folder, code=5)
        folder = self.copy("garbage")
        (folder / "receipts.jsonl").write_bytes(b"{}\n\xff\xff\n")
        self.run_program("verify", folder, code=5)
        folder = self.copy("manifest")
        (folder / "manifest.json").write_text("[]", encoding="ascii")
        self.run_program("verify", folder, code=5)
        (folder / "manifest.json").unlink()
        self.run_program("verify", folder, code=6)

    def test_a_forged_receipt_fails_under_the_scheme_of_the_others(self):
        folder = self.copy("forged")
        lines = (folder / "receipts.jsonl").read_text(encoding="utf-8").splitlines()
        first = json.loads(lines[0])
        first["receipt"]["verification_level"] = "everything"
        lines[0] = json.dumps(first, separators=(",", ":"))
        (folder / "receipts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        checks, _ = self.checks(folder, 5)
        self.assertEqual((checks["receipt_hash"]["verified"], checks["receipt_hash"]["failed"]), (2, 1))

    def pins(self, name, **kinds):
        """A file that knows the schemes of the folder's account."""
        manifest = self.manifest(self.out)
        path = self.folder / name
        path.write_text(json.dumps({"vembed_pins": 1, "accounts": {
            f"{manifest['service']} {manifest['account']['id']}": kinds}}), encoding="ascii")
        return path

    def test_pins_of_the_folder_and_of_this_machine(self):
        self.assertEqual(self.checks(self.out, 0)[1]["pins"], "manifest")
        self.assertIn("as the folder's own manifest says", self.run_program("verify", self.out).out)
        known = self.pins("known", receipt_hash=["jcs/without-receipt_hash"], output_commitment=["sha256"])
        checks, summary = self.checks(self.out, 0, "--pins", known)
        self.assertEqual(summary["pins"], "known")
        self.assertEqual(checks["pins"]["verdict"], "verified")
        self.assertEqual(checks["receipt_hash"]["basis"], "pinned:jcs/without-receipt_hash")
        self.assertEqual(checks["outputs_root"]["basis"][:8], "assumed:", "the file knows nothing of it")
        page = self.run_program("verify", self.out, "--pins", known).out
        self.assertIn(f"as known before: {known}", page)

    def test_pins_that_the_folder_does_not_follow(self):
        known = self.pins("known", receipt_hash=["as-sent/empty-receipt_hash"])
        checks, _ = self.checks(self.out, 5, "--pins", known)
        self.assertEqual((checks["receipt_hash"]["failed"], checks["receipt_hash"]["basis"]),
                         (3, "pinned:as-sent/empty-receipt_hash"))
        later = self.pins("later", receipt_hash=["a-scheme-of-a-later-version"])
        checks, _ = self.checks(self.out, 0, "--pins", later)
        self.assertEqual(checks["receipt_hash"]["verdict"], "not_checkable")
        self.checks(self.out, 6, "--pins", later, "--require", "receipt_hash")

    def test_a_manifest_that_contradicts_what_is_known(self):
        known = self.pins("known", output_commitment=["sha256-twice"])
        checks, _ = self.checks(self.out, 5, "--pins", known)
        self.assertEqual(checks["output_commitment"]["failed"], 12)
        self.assertIn("output_commitment", checks["pins"]["findings"][0]["message"])
        self.assertIn(str(known), checks["pins"]["findings"][0]["message"])

    def test_pins_are_learned_only_when_asked_and_only_from_what_is_good(self):
        machine = self.folder / "state" / "vembed" / "pins.json"
        self.run_program("verify", self.out)
        self.assertFalse(machine.exists())
        bad = self.copy("bad")
        data = bytearray((bad / "embeddings.npy").read_bytes())
        data[-1] ^= 1
        (bad / "embeddings.npy").write_bytes(data)
        self.run_program("verify", bad, "--learn-pins", code=5)
        self.assertFalse(machine.exists())
        self.run_program("verify", self.out, "--learn-pins")
        kinds = list(json.loads(machine.read_text(encoding="utf-8"))["accounts"].values())[0]
        self.assertEqual(kinds["inputs_root"], ["leaf-00/node-01/rfc6962"])
        checks, summary = self.checks(self.out, 0)
        self.assertEqual((summary["pins"], checks["inputs_root"]["basis"]),
                         ("known", "pinned:leaf-00/node-01/rfc6962"))
        named = self.folder / "named"
        self.assertIn(str(named), self.run_program("verify", self.out, "--pins", named, code=1).err)
        self.run_program("verify", self.out, "--pins", named, "--learn-pins")
        self.assertTrue(named.exists())
        named.write_text("no pins", encoding="ascii")
        self.run_program("verify", self.out, "--pins", named, code=2)

    def test_another_scheme(self):
        service = self.serve("--chunk-size", "5", "--receipt-scheme",
                             "sorted-ascii/empty-receipt_hash/leaf-plain/node-plain/duplicate")
        out = self.folder / "other"
        self.run_program("embed", self.write_lines(corpus(70)), "-o", out, "--rows-per-job", "35", service=service)
        checks, _ = self.checks(out, 0)
        self.assertEqual(checks["outputs_root"]["basis"], "assumed:leaf-plain/node-plain/duplicate")
        self.assertEqual(checks["inputs_root"]["basis"], "assumed:leaf-plain/node-plain/duplicate")

    @unittest.skipUnless(LATER_CLOCK, "without the library that turns the clock forward (sanitizers leave it out)")
    def test_rows_that_the_run_refused(self):
        service = self.serve("--chunk-size", "5", "--spoil", "output_bit@3")
        out = self.folder / "refused"
        command = ["embed", self.write_lines(corpus(60)), "-o", out, "--rows-per-job", "20", "--jobs-in-flight", "1"]
        for _ in range(2):
            left = self.run_program(*command, "--json", service=service, code=5).object("report")
            self.assertEqual((left["reason"], left["rows_done"], left["rows_failed"]), ("faulty_jobs", 40, 0))
        self.run_program(*command, service=service, code=5, extra={"LD_PRELOAD": LATER_CLOCK, "LATER_CLOCK_S": "700"})
        self.assertEqual(self.checks(out, 0)[1]["rows_refused"], 20)
        self.assertIn("20 were refused by the run", self.run_program("verify", out).out)

    def test_what_only_the_receipt_shows(self):
        """The service's own check says that its receipt is valid: it was changed on the way."""
        for kind, names in (("receipt_hash_bit", ["receipt_hash"]), ("inputs_root_forged", ["inputs_root"]),
                            ("outputs_root_bit", ["outputs_root", "receipt_hash"])):
            with self.subTest(kind=kind):
                service = self.serve("--chunk-size", "5", "--spoil", f"{kind}@3", "--spoil-in-transfer")
                out = self.folder / kind
                self.run_program("embed", self.write_lines(corpus(60)), "-o", out, "--rows-per-job", "20",
                                 "--jobs-in-flight", "1", service=service)
                checks, summary = self.checks(out, 5)
                self.assertEqual(summary["failed"], names)
                self.assertEqual([checks[name]["failed"] for name in names], [1] * len(names))

    def test_rows_that_the_folder_does_not_have(self):
        for name in ("failed_rows", "copied_rows", "cached_rows"):
            with self.subTest(name=name):
                self.assertNotIn(name, self.checks(self.out, 0)[0])
                checks, _ = self.checks(self.out, 0, "--require", name)
                self.assertEqual((checks[name]["verdict"], checks[name]["verified"], checks[name]["reason"]),
                                 ("verified", 0, "the folder has none"))
                self.assertRegex(self.run_program("verify", self.out, "--require", name).out, rf"(?m)^none +{name} ")
        checks, summary = self.checks(self.out, 6, "--require", "job_outputs")
        self.assertEqual(summary["required_not_checkable"], ["job_outputs"])
        self.assertIn("rows.sha256", checks["job_outputs"]["reason"])
        self.assertNotIn("job_outputs", self.checks(self.out, 0)[1]["outcome"])

    def test_skipped_rows_of_jobs_alone(self):
        checks, _ = self.checks(self.out, 0, "--skip-rows")
        self.assertEqual(checks["output_commitment"]["verified"], 12)

    def test_what_is_no_folder(self):
        self.assertIn("vembed embed", self.run_program("verify", self.folder / "none", code=1).err)


if __name__ == "__main__":
    unittest.main()
