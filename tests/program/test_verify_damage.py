"""Every kind of damage to a finished folder is found and named: flipped bytes, files cut, lengthened, removed."""

import hashlib
import json
import os
import random
import unittest

from harness import ProgramTest, corpus

# A build with sanitizers needs ten times as long for each, and looks for what few show as well as many.
FLIPS = int(os.environ.get("VEMBED_VERIFY_FLIPS", "60" if "VEMBED_INSTRUMENTED" in os.environ else "300"))
SEED = int(os.environ.get("VEMBED_VERIFY_SEED", "1"))
FILES = ["embeddings.npy", "ids.jsonl", "receipts.jsonl", "failed.jsonl", "duplicates.jsonl", "cached.jsonl",
         "rows.sha256", "texts.sha256", "manifest.json"]
DIMENSIONS = 384
ROW_BYTES = 4 * DIMENSIONS


def sha256(data):
    return hashlib.sha256(data).digest()


def rfc6962_root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + rfc6962_root(leaves[:split]) + rfc6962_root(leaves[split:]))


def renew_records(folder):
    """Makes all that vembed noted fit the folder as it is."""
    body = (folder / "embeddings.npy").read_bytes()[128:]
    rows = [sha256(body[at:at + ROW_BYTES]) for at in range(0, len(body), ROW_BYTES)]
    (folder / "rows.sha256").write_bytes(b"".join(rows))
    texts = (folder / "texts.sha256").read_bytes()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.pop("manifest_sha256")
    manifest["row_root"]["root"] = rfc6962_root(
        [sha256(b"\0" + texts[64 * i:64 * i + 32] + row) for i, row in enumerate(rows)]).hex()
    for name, about in manifest["files"].items():
        data = (folder / name).read_bytes()
        about["bytes"] = len(data)
        if "sha256" in about:
            about["sha256"] = sha256(data).hex()
    text = "{\n" + "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in manifest.items())
    own = sha256(text.encode()).hex()
    (folder / "manifest.json").write_text(f'{text}  "manifest_sha256": "{own}"\n}}\n', encoding="utf-8")


class Damage(ProgramTest):
    """One folder with rows of every kind: bought, copied, from the cache, failed."""

    def setUp(self):
        super().setUp()
        service = self.serve("--chunk-size", "5", "--poison", "poisonous")
        rows = corpus(64)
        bought_before = rows[50:]
        rows[7] = rows[3]
        rows[55] = rows[50]
        rows[20] = "a poisonous text"
        cache = ("--verify", "offline", "--cache", self.folder / "cache", "--model", "bge-small-v1.5",
                 "--id-field", "id")
        self.run_program("embed", self.write_jsonl(bought_before, "before.jsonl"), "-o", self.folder / "before", *cache,
                         service=service)
        self.out = self.folder / "out"
        self.run_program("embed", self.write_jsonl(rows), "-o", self.out, "--rows-per-job", "20", *cache,
                         service=service, code=3)
        service.stop()
        for name in FILES:
            self.assertGreater((self.out / name).stat().st_size, 0, name)

    def verify(self, code, *arguments):
        done = self.run_program("verify", self.out, "--json", *arguments, code=code)
        return {check["name"]: check for check in done.objects("check")}, done.object("verification")

    def page(self, code):
        page = self.run_program("verify", self.out, code=code).out
        self.assertTrue(page.splitlines()[-1].startswith("origin not proven"), page[-300:])
        return page

    def damaged(self, name, change, code=5):
        """The checks that fail where `change` was made to a file, which is put back."""
        path = self.out / name
        before = path.read_bytes()
        after = change(before)
        self.assertNotEqual(before, after)
        path.write_bytes(after)
        try:
            checks, summary = self.verify(code)
            self.assertEqual(summary["origin"][:6], "origin")
            return {key: check for key, check in checks.items() if check["verdict"] == "failed"}
        finally:
            path.write_bytes(before)

    def flip(self, at, bit=1):
        return lambda data: data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]

    def jobs(self):
        return [json.loads(line) for line in (self.out / "receipts.jsonl").read_text(encoding="utf-8").splitlines()]

    def job_of(self, row):
        """The job that bought the row, its chunk that has it, and the chunk's rows."""
        for job in self.jobs():
            rows = [i for first, end in job["rows"] for i in range(first, end)]
            for chunk in job["results"]["chunks"] if row in rows else []:
                if chunk["row_start"] <= rows.index(row) < chunk["row_end"]:
                    return job, chunk
        raise AssertionError(f"no job bought row {row}")

    def edit(self, change):
        """Changes the first line of receipts.jsonl as JSON."""
        def rewritten(data):
            lines = data.decode().splitlines()
            line = json.loads(lines[0])
            change(line)
            lines[0] = json.dumps(line, separators=(",", ":"))
            return ("\n".join(lines) + "\n").encode()
        return rewritten

    def test_undamaged(self):
        checks, summary = self.verify(0)
        self.assertEqual(summary["outcome"], "verified; could not be checked: cached_rows" +
                         ("" if checks["pins"]["verdict"] == "verified" else ", pins"))
        for name, count in (("row_hashes", 64), ("row_root", 1), ("row_coverage", 64), ("failed_rows", 1),
                            ("copied_rows", 2)):
            self.assertEqual((checks[name]["verdict"], checks[name]["verified"]), ("verified", count), name)
        self.assertEqual(checks["cached_rows"]["not_checkable"], summary["rows_cached"])
        self.assertEqual(checks["inputs_root"]["verified"], summary["jobs"])
        self.page(0)

    def test_flipped_bits_anywhere(self):
        draw = random.Random(SEED)
        for number in range(FLIPS):
            name = FILES[number % len(FILES)]
            size = (self.out / name).stat().st_size
            at, bit = draw.randrange(size), 1 << draw.randrange(8)
            with self.subTest(file=name, at=at, bit=bit):
                self.assertTrue(self.damaged(name, self.flip(at, bit)))

    def test_cut_and_lengthened(self):
        draw = random.Random(SEED + 1)
        for name in FILES:
            size = (self.out / name).stat().st_size
            for end in {0, 1, size // 2, size - 1, draw.randrange(size)}:
                with self.subTest(file=name, cut_to=end):
                    self.assertTrue(self.damaged(name, lambda data, end=end: data[:end]))
            for more in (b"\0", b"\n", b"{}\n", bytes(5000)):
                with self.subTest(file=name, more=more[:4]):
                    self.assertTrue(self.damaged(name, lambda data, more=more: data + more))

    def test_removed(self):
        for name in FILES:
            with self.subTest(file=name):
                path = self.out / name
                kept = path.read_bytes()
                path.unlink()
                # Without a manifest nothing says what there should be: a run that was killed before it wrote one leaves
                # the same folder.
                checks, _ = self.verify(6 if name == "manifest.json" else 5)
                if name != "manifest.json":
                    self.assertIn(name, json.dumps(checks["files"]["findings"]))
                path.write_bytes(kept)

    def test_a_file_that_was_not_there(self):
        (self.out / "cached.jsonl").rename(self.folder / "kept")
        manifest = self.out / "manifest.json"
        kept = manifest.read_bytes()
        manifest.unlink()
        self.verify(5)  # Rows of the cache belong to nothing then.
        manifest.write_bytes(kept)

    def test_a_row_is_named(self):
        row = 33
        job, chunk = self.job_of(row)
        failed = self.damaged("embeddings.npy", self.flip(128 + row * ROW_BYTES + 100))
        self.assertEqual(set(failed), {"row_hashes", "output_commitment"})
        finding = failed["row_hashes"]["findings"][0]
        self.assertEqual((finding["row"], finding["id"], finding["job_id"], finding["chunk"], finding["receipt_id"]),
                         (row, f"id{row}", job["job_id"], chunk["chunk_index"], job["receipt"]["receipt_id"]))
        self.assertIn("it has changed", finding["message"])
        finding = failed["output_commitment"]["findings"][0]
        self.assertEqual((finding["job_id"], finding["chunk"]), (job["job_id"], chunk["chunk_index"]))
        path = self.out / "embeddings.npy"
        path.write_bytes(self.flip(128 + row * ROW_BYTES + 100)(path.read_bytes()))
        page = self.page(5)
        self.assertRegex(page, rf"row {row} \(chunk {chunk['chunk_index']} of job {job['job_id']} \(receipt "
                               rf"{job['receipt']['receipt_id']}\)\): .* \[row {row} has id id{row}\]")
        self.assertRegex(page, r"(?m)^Result: failed: row_hashes, output_commitment\.$")

    def test_the_record_is_named_where_it_changed(self):
        failed = self.damaged("rows.sha256", self.flip(32 * 33 + 5))
        self.assertEqual(set(failed), {"row_hashes", "row_root", "files"})
        finding = failed["row_hashes"]["findings"][0]
        self.assertEqual(finding["row"], 33)
        self.assertIn("it is the hash in rows.sha256 that has changed, not the row", finding["message"])

    def test_rows_of_every_kind(self):
        cases = {7: "a copy of row 3", 20: "failed", 60: "from the cache"}
        for row, words in cases.items():
            with self.subTest(row=row):
                failed = self.damaged("embeddings.npy", self.flip(128 + row * ROW_BYTES + 1))
                self.assertIn(words, failed["row_hashes"]["findings"][0]["message"])
                self.assertEqual(failed["row_hashes"]["findings"][0]["row"], row)

    def test_a_text_is_named(self):
        job, _ = self.job_of(33)
        # The hash that the receipts' leaves are made of, and the one that vembed's own root is made of.
        failed = self.damaged("texts.sha256", self.flip(64 * 33 + 32))
        self.assertEqual(set(failed), {"inputs_root", "files"})
        self.assertEqual(failed["inputs_root"]["findings"][0]["job_id"], job["job_id"])
        self.assertEqual(set(self.damaged("texts.sha256", self.flip(64 * 33))), {"row_root", "files"})

    def test_what_receipts_say(self):
        def chunk(line):
            return line["results"]["chunks"][1]

        def swapped(text):
            return ("1" if text[0] == "0" else "0") + text[1:]

        cases = {
            "output_commitment": lambda line: chunk(line).update(
                output_commitment=swapped(chunk(line)["output_commitment"])),
            "ranges": lambda line: chunk(line).update(row_start=chunk(line)["row_start"] + 1),
            "results_job": lambda line: line["results"].update(job_id="job_of_another"),
            "receipt_job": lambda line: line["receipt"].update(job_id="job_of_another"),
            "receipt_id": lambda line: line["receipt"].update(receipt_id="rcp_of_another"),
            "outputs_root": lambda line: line["receipt"].update(outputs_root=swapped(line["receipt"]["outputs_root"])),
            "inputs_root": lambda line: line["receipt"].update(inputs_root=swapped(line["receipt"]["inputs_root"])),
            "verification_attestation": lambda line: line["receipt"].update(
                verification_attestation=swapped(line["receipt"]["verification_attestation"])),
            "specification": lambda line: line["receipt"].update(spec_hash=swapped(line["receipt"]["spec_hash"])),
            "receipt_hash": lambda line: line["receipt"].update(issued_at="2001-01-01T00:00:00Z"),
            "receipt_form": lambda line: line["receipt"].pop("inputs_root"),
            "service_check": lambda line: line["verification"].update(valid=False),
            "receipts_file": lambda line: line.update(results=[]),
            "row_coverage": lambda line: line.update(rows=line["rows"][:-1] + [[line["rows"][-1][0] + 100,
                                                                                line["rows"][-1][1] + 100]]),
        }
        for name, change in cases.items():
            with self.subTest(check=name):
                failed = self.damaged("receipts.jsonl", self.edit(change))
                self.assertIn(name, failed)
                self.assertIn("receipts.jsonl", json.dumps(failed["files"]["findings"]))

    def test_receipts_of_other_jobs(self):
        lines = self.jobs()
        def exchanged(data):
            lines[0]["receipt"], lines[1]["receipt"] = lines[1]["receipt"], lines[0]["receipt"]
            return "".join(json.dumps(line) + "\n" for line in lines).encode()
        failed = self.damaged("receipts.jsonl", exchanged)
        for name in ("receipt_job", "receipt_id", "outputs_root", "inputs_root"):
            self.assertEqual(failed[name]["failed"], 2, name)

    def test_a_wrong_copy(self):
        failed = self.damaged("duplicates.jsonl", lambda data: data.replace(b'"same_as":3', b'"same_as":4'))
        self.assertIn("another text", json.dumps(failed["row_coverage"]["findings"]))
        self.assertEqual(failed["copied_rows"]["findings"][0]["row"], 7)

    def test_lines_that_claim_too_much(self):
        huge = 2 ** 47
        for name, line in (("failed.jsonl", {"row": huge}), ("cached.jsonl", {"rows": [[0, huge]]}),
                           ("duplicates.jsonl", {"row": huge, "same_as": 1}),
                           ("receipts.jsonl", {"batch": 9, "job_id": "j", "rows": [[0, huge]]})):
            with self.subTest(file=name):
                self.damaged(name, lambda data, line=line: data + (json.dumps(line) + "\n").encode())
        self.damaged("embeddings.npy", lambda data: data.replace(b"(64, 384)", b"(99999999999999, 0)"))
        manifest = self.out / "manifest.json"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace('"rows": 64', f'"rows": {huge}'),
                            encoding="utf-8")
        (self.out / "embeddings.npy").unlink()
        self.run_program("verify", self.out, code=1)

    def test_records_that_were_rewritten_to_fit(self):
        """What vembed noted can be rewritten by whoever rewrites the folder; what the service committed to cannot."""
        renew_records(self.out)
        self.verify(0)
        path = self.out / "embeddings.npy"
        kept = path.read_bytes()
        path.write_bytes(self.flip(128 + 33 * ROW_BYTES)(kept))
        renew_records(self.out)
        checks, summary = self.verify(5)
        self.assertEqual(summary["failed"], ["output_commitment"])
        self.assertEqual(checks["output_commitment"]["failed"], 1)
        path.write_bytes(kept)
        receipts = self.out / "receipts.jsonl"
        receipts.write_bytes(self.edit(lambda line: line["receipt"].update(issued_at="2001-01-01T00:00:00Z"))(
            receipts.read_bytes()))
        renew_records(self.out)
        self.assertEqual(self.verify(5)[1]["failed"], ["receipt_hash"])

    def test_required_checks(self):
        self.verify(0, "--require", "inputs_root,row_root", "--require", "output_commitment")
        checks, summary = self.verify(6, "--require", "all")
        self.assertIn("cached_rows", summary["required_not_checkable"])
        self.assertTrue(checks["inputs_root"]["required"])
        self.assertFalse(checks["origin"]["required"])
        self.verify(6, "--require", "origin")
        self.verify(6, "--skip-rows", "--require", "row_hashes")
        self.run_program("verify", self.out, "--require", "nothing", code=2)
        said = self.run_program("verify", self.out, "--require", "service_check_now", code=2).err
        self.assertIn("--online", said)

    def test_each_name_that_can_be_required(self):
        open_checks = {"cached_rows", "job_outputs", "pins", "origin"}
        names = [name for name in self.names() if name != "service_check_now"]
        self.assertEqual(len(names), 27)
        for name in names:
            with self.subTest(name=name):
                missing = name in open_checks
                checks, summary = self.verify(6 if missing else 0, "--require", name)
                self.assertTrue(checks[name]["required"])
                self.assertEqual(summary["required_not_checkable"], [name] if missing else [])
                self.assertTrue(checks[name]["reason"] if missing else True)

    def names(self):
        words = self.run_program("verify", "--help").out.split("Checks for --require: ")[1].split("; all:")[0]
        return [word for word in words.replace("(with --online only)", "").split()]

    def test_the_cache_has_the_rows_alone(self):
        """Without the rows' own hashes nothing says that rows from the cache are unchanged."""
        checks, summary = self.verify(6, "--skip-rows")
        self.assertEqual(summary["required_not_checkable"], ["row_hashes"])
        self.assertIn("leave out --skip-rows", checks["row_hashes"]["reason"])
        self.assertIn("of embeddings.npy", checks["files"]["shows"])
        path = self.out / "embeddings.npy"
        path.write_bytes(self.flip(128 + 60 * ROW_BYTES)(path.read_bytes()))
        self.verify(6, "--skip-rows")
        self.verify(5)

    def test_a_root_over_fewer_rows(self):
        def fewer(data):
            text = data.decode().split('  "manifest_sha256"')[0]
            manifest = json.loads(text + '"x": 0}')
            manifest["row_root"].update(rows=0, root=hashlib.sha256(b"").hexdigest())
            manifest.pop("x")
            text = "{\n" + "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in manifest.items())
            return f'{text}  "manifest_sha256": "{sha256(text.encode()).hex()}"\n}}\n'.encode()
        failed = self.damaged("manifest.json", fewer)
        self.assertEqual(set(failed), {"row_root"})
        self.assertIn("over 0 rows, the folder has 64", failed["row_root"]["findings"][0]["message"])

    def test_a_folder_of_an_earlier_version(self):
        """No hashes of rows and texts, no root, no hash of the manifest itself; one over embeddings.npy instead."""
        manifest = self.manifest(self.out)
        for name in ("row_root", "manifest_sha256", "account"):
            manifest.pop(name, None)
        for name in ("rows.sha256", "texts.sha256"):
            (self.out / name).unlink()
            manifest["files"].pop(name)
        manifest["files"]["embeddings.npy"]["sha256"] = hashlib.sha256(
            (self.out / "embeddings.npy").read_bytes()).hexdigest()
        (self.out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        checks, _ = self.verify(0)
        for name in ("manifest", "row_hashes", "row_root", "inputs_root"):
            self.assertEqual(checks[name]["verdict"], "not_checkable", name)
            self.assertTrue(checks[name]["reason"], name)
        self.assertEqual(checks["output_commitment"]["verdict"], "verified")
        failed = self.damaged("embeddings.npy", self.flip(128 + 33 * ROW_BYTES))
        self.assertIn("output_commitment", failed)
        self.assertIn("files", failed)
        self.verify(6, "--require", "row_hashes")


if __name__ == "__main__":
    unittest.main()
