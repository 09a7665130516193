"""Folders that no run of vembed leaves: jobs listed twice, and small files that would take hours to go over naively."""

import hashlib
import json
import os
import unittest

from harness import ProgramTest
from test_verify_damage import rfc6962_root, sha256

ROW = b"\0\0\x80\x3f"  # 1.0; every row is this one number.
# A build with sanitizers needs many times as long for each row. A walk that is not linear takes hours in either.
INSTRUMENTED = "VEMBED_INSTRUMENTED" in os.environ
SECONDS = 300 if INSTRUMENTED else 120


class Crafted(ProgramTest):
    def craft(self, rows, **files):
        """A finished folder of `rows` rows and of these files, with a manifest that fits them."""
        folder = self.folder / "crafted"
        folder.mkdir()
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 1), }}".ljust(117) + "\n"
        data = {"embeddings.npy": b"\x93NUMPY\x01\x00\x76\x00" + header.encode() + ROW * rows,
                "ids.jsonl": b"{}\n" * rows} | {f"{name}.jsonl": content for name, content in files.items()}
        about = {}
        for name, content in data.items():
            (folder / name).write_bytes(content)
            about[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        (folder / "manifest.json").write_text(json.dumps({
            "format": 1, "status": "complete", "verify": "hash", "rows": rows, "rows_failed": 0, "dimensions": 1,
            "service": "s", "files": about}), encoding="ascii")
        return folder

    def lines(self, *objects):
        return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in objects).encode()

    def job(self, job_id, rows, commitment=None):
        """A job without receipt; each row is a chunk."""
        count = sum(end - first for first, end in rows)
        chunk = {"status": "VERIFIED", "output_commitment": commitment or sha256(ROW).hex(),
                 "selected_for_verification": False}
        return {"job_id": job_id, "rows": rows, "results": {
            "job_id": job_id, "status": "SETTLED", "receipt_id": None,
            "chunks": [{"chunk_index": i, "row_start": i, "row_end": i + 1} | chunk for i in range(count)]}}

    def verify(self, folder, code):
        process = self.start("verify", folder, "--json")
        self.addCleanup(process.kill)
        out, err = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, code, err)
        found = [json.loads(line) for line in out.splitlines()]
        return {one["name"]: one for one in found if one["type"] == "check"}, found[-1]

    def test_jobs_of_their_own(self):
        checks, summary = self.verify(self.craft(8, receipts=self.lines(
            self.job("a", [[0, 4]]), self.job("b", [[4, 8]]))), 0)
        self.assertEqual(summary["failed"], [])
        self.assertEqual((checks["receipts_file"]["verified"], checks["output_commitment"]["verified"]), (2, 8))

    def test_a_job_twice_with_other_rows(self):
        """Its receipt is about one of the two: whichever rows have the same texts and numbers fit it as well."""
        texts = [(sha256(b"t%d" % i), sha256(b"\0t%d" % i)) for i in range(4)]
        job = self.job("j", [[i, i + 1] for i in range(4)])
        job["results"]["receipt_id"] = "r"
        receipt = {"receipt_id": "r", "job_id": "j", "spec_hash": "s", "issued_at": "x",
                   "inputs_root": rfc6962_root([prefixed for _, prefixed in texts]).hex(),
                   "outputs_root": rfc6962_root([sha256(b"\0" + sha256(ROW))] * 4).hex()}
        receipt["receipt_hash"] = sha256(json.dumps(receipt, sort_keys=True, separators=(",", ":")).encode()).hex()
        job |= {"receipt": receipt, "verification": {"valid": True, "checks": {}, "errors": []}}
        folder = self.craft(8, receipts=self.lines(job, job | {"rows": [[4, 8]]}))
        (folder / "texts.sha256").write_bytes(b"".join(text + prefixed for text, prefixed in texts) * 2)
        checks, summary = self.verify(folder, 5)
        self.assertEqual(summary["failed"], ["receipts_file"])
        self.assertEqual((checks["receipts_file"]["verified"], checks["receipts_file"]["failed"]), (1, 1))
        self.assertRegex(checks["receipts_file"]["findings"][0]["message"], r"receipts.jsonl:2, job j: an earlier line")
        self.assertEqual(checks["outputs_root"]["verified"], 2)

    def test_cached_rows_named_again_and_again(self):
        rows = 1_000_000
        for name, ranges in (("same", [[0, rows]] * 60_000), ("descending", [[0, end] for end in range(rows, 0, -20)])):
            with self.subTest(ranges=name):
                folder = self.craft(rows, cached=self.lines({"rows": ranges}))
                checks, summary = self.verify(folder, 5)
                self.assertEqual(summary["failed"], ["row_coverage"])
                self.assertIn("cached.jsonl", checks["row_coverage"]["findings"][0]["message"])
                self.assertEqual(summary["rows_cached"], rows)
                folder.rename(self.folder / name)

    def test_cached_rows_named_twice(self):
        checks, _ = self.verify(self.craft(8, cached=self.lines({"rows": [[0, 8]]}, {"rows": [[2, 5]]})), 5)
        self.assertEqual((checks["row_coverage"]["failed"], checks["row_coverage"]["findings"][0]["row"]), (3, 2))

    def test_cached_rows_that_a_job_bought_too(self):
        self.verify(self.craft(8, cached=self.lines({"rows": [[2, 8]]}), receipts=self.lines(
            self.job("a", [[0, 8]]))), 0)

    def test_many_jobs_claim_the_same_rows(self):
        rows = 1_000_000
        jobs = [{"job_id": f"j{i}", "rows": [[0, rows - i]]} for i in range(20_000)]
        checks, summary = self.verify(self.craft(rows, receipts=self.lines(*jobs)), 5)
        self.assertEqual((summary["jobs"], summary["rows_in_receipts"]), (len(jobs), rows))
        self.assertEqual(summary["failed"], ["row_coverage"])
        self.assertIn("of job j1 belong to another job", checks["row_coverage"]["findings"][0]["message"])
        self.assertEqual(checks["row_values"]["verified"], rows, "each row is read once")

    def test_jobs_that_overlap(self):
        jobs = [self.job("a", [[0, 4]]), self.job("b", [[2, 8]])]
        checks, summary = self.verify(self.craft(8, receipts=self.lines(*jobs)), 5)
        self.assertEqual((checks["row_coverage"]["failed"], checks["row_coverage"]["verified"]), (2, 8))
        self.assertEqual((checks["row_values"]["verified"], summary["rows_in_receipts"]), (8, 8))
        commitments = checks["output_commitment"]
        self.assertEqual((commitments["verified"], commitments["not_checkable"]), (4, 6))
        self.assertIn("belong to another one too", commitments["reason"])

    def test_a_job_of_many_pieces_that_is_wrong_everywhere(self):
        pieces = 50_000 if INSTRUMENTED else 250_000
        job = self.job("j", [[2 * i, 2 * i + 1] for i in range(pieces)], "00" * 32)
        others = {"rows": [[2 * i + 1, 2 * i + 2] for i in range(pieces)]}
        good = self.job("good", [[2 * pieces, 2 * pieces + 1]])  # What commitments follow is known by it.
        checks, summary = self.verify(self.craft(2 * pieces + 1, receipts=self.lines(good, job),
                                                 cached=self.lines(others)), 5)
        self.assertEqual(summary["failed"], ["output_commitment"])
        self.assertEqual(checks["output_commitment"]["failed"], pieces)
        finding = checks["output_commitment"]["findings"][3]
        self.assertEqual(finding["chunk"], 3)
        self.assertIn("row 6 of the folder", finding["message"])

    def test_a_line_longer_than_any(self):
        receipts = (self.lines(self.job("a", [[0, 4]])) + b" " * (64 * 2 ** 20 + 1) + b"\n" +
                    self.lines(self.job("b", [[4, 8]])))
        checks, summary = self.verify(self.craft(8, receipts=receipts), 5)
        self.assertEqual((summary["failed"], summary["jobs"]), (["receipts_file"], 2))
        message = checks["receipts_file"]["findings"][0]["message"]
        self.assertTrue(message.startswith("receipts.jsonl:2: the line is longer than 64 MB"), message)


if __name__ == "__main__":
    unittest.main()
