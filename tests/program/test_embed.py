"""A corpus in, embeddings out."""

import gzip
import hashlib
import json
import unittest

import numpy

from harness import ProgramTest, corpus


def sha256(data):
    return hashlib.sha256(data).digest()


def merkle_root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + merkle_root(leaves[:left]) + merkle_root(leaves[left:]))


class Embed(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "10")

    def embed(self, *arguments, **options):
        return self.run_program("embed", *arguments, service=self.service, **options)

    def test_lines(self):
        rows = corpus(230)
        out = self.folder / "out"
        done = self.embed(self.write_lines(rows), "-o", out, "--rows-per-job", "50")
        self.assertEqual(done.out, "")
        self.assertIn("230 of 230 rows", done.err)
        matrix = numpy.load(out / "embeddings.npy", mmap_mode="r")
        self.assertEqual(matrix.shape, (230, 1024))
        self.assertEqual(matrix.dtype, numpy.float32)
        self.assertTrue(numpy.allclose(numpy.linalg.norm(matrix, axis=1), 1, atol=1e-5))
        ids = [json.loads(line) for line in (out / "ids.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(ids, [{"row": i} for i in range(230)])
        manifest = self.manifest(out)
        self.assertEqual((manifest["status"], manifest["rows"], manifest["dimensions"]), ("complete", 230, 1024))
        self.assertEqual(manifest["service"], self.service.base_url)
        self.assertEqual(manifest["jobs"]["count"], 5)
        self.assertEqual(manifest["jobs"]["chunks"], 23)
        self.assertGreaterEqual(manifest["jobs"]["chunks_sampled"], 5)
        self.assertEqual(sorted(manifest["files"]), ["embeddings.npy", "failed.jsonl", "ids.jsonl", "receipts.jsonl",
                                                     "rows.sha256", "texts.sha256"])
        self.check_hashes(out, rows, matrix)

    def check_hashes(self, out, texts, matrix):
        """rows.sha256, texts.sha256 and the root over both, made again with nothing but hashlib."""
        of_rows = [sha256(row.tobytes()) for row in matrix]
        of_texts = [sha256(text.encode()) for text in texts]
        self.assertEqual((out / "rows.sha256").read_bytes(), b"".join(of_rows))
        self.assertEqual((out / "texts.sha256").read_bytes(),
                         b"".join(sha + sha256(b"\0" + text.encode()) for sha, text in zip(of_texts, texts)))
        manifest = self.manifest(out)
        leaves = [sha256(b"\0" + text + row) for text, row in zip(of_texts, of_rows)]
        self.assertEqual(manifest["row_root"], {"root": merkle_root(leaves).hex(), "rows": len(texts),
                                                "leaf": "SHA-256(0x00 || SHA-256(text) || SHA-256(row))",
                                                "tree": "rfc6962"})
        self.assertEqual(manifest["files"]["embeddings.npy"], {"bytes": (out / "embeddings.npy").stat().st_size})
        self.assertEqual(manifest["files"]["rows.sha256"]["sha256"], sha256(b"".join(of_rows)).hex())

    def test_hashes_of_failed_and_repeated_rows(self):
        texts = corpus(30) + ["", "x" * 70_000] + corpus(30)
        out = self.folder / "out"
        self.embed(self.write_lines(texts), "-o", out, "--rows-per-job", "10", "--blank-lines", "fail", code=3)
        self.assertEqual(self.manifest(out)["rows_failed"], 2)
        self.check_hashes(out, texts, numpy.load(out / "embeddings.npy"))

    def test_neighbours_make_sense_and_rows_are_in_order(self):
        rows = corpus(200)
        out = self.folder / "out"
        self.embed(self.write_jsonl(rows), "-o", out, "--id-field", "id", "--rows-per-job", "7", "--jobs-in-flight", "9")
        self.embed(self.write_lines(["a large body of salt water", rows[123]], "q.txt"), "-o", self.folder / "q")
        matrix = numpy.load(out / "embeddings.npy")
        queries = numpy.load(self.folder / "q" / "embeddings.npy")
        best = numpy.argsort(-(matrix @ queries[0]))[:5]
        self.assertTrue(all("salt water" in rows[i] for i in best), [rows[i] for i in best])
        self.assertEqual(int(numpy.argmax(matrix @ queries[1])), 123)
        ids = [json.loads(line)["id"] for line in (out / "ids.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(ids, [f"id{i}" for i in range(200)])

    def test_formats_give_the_same_rows(self):
        rows = corpus(40)
        expected = None
        for name, text, arguments in (
                ("a.txt", "".join(f"{row}\n" for row in rows), []),
                ("b.csv", "n,words\r\n" + "".join(f'{i},"{row}"\r\n' for i, row in enumerate(rows)),
                 ["--text-field", "words", "--id-field", "n"]),
                ("c.tsv", "text\tn\n" + "".join(f"{row}\t{i}\n" for i, row in enumerate(rows)), []),
                ("d.data", "".join(json.dumps({"text": row}) + "\n" for row in rows), ["--format", "jsonl"])):
            path = self.folder / name
            path.write_bytes(gzip.compress(text.encode()) if name == "a.txt" else text.encode())
            out = self.folder / f"out-{name}"
            self.embed(path, "-o", out, *arguments)
            matrix = (out / "embeddings.npy").read_bytes()
            expected = expected or matrix
            self.assertEqual(matrix, expected, name)

    def test_several_files_are_one_corpus(self):
        rows = corpus(30)
        self.embed(self.write_lines(rows[:11], "a.txt"), self.write_lines(rows[11:], "b.txt"), "-o", self.folder / "ab")
        self.embed(self.write_lines(rows), "-o", self.folder / "whole")
        self.assertEqual(self.result_bytes(self.folder / "ab"), self.result_bytes(self.folder / "whole"))

    def test_standard_input_is_spooled_and_can_be_given_again(self):
        rows = corpus(25)
        data = "".join(f"{row}\n" for row in rows).encode()
        out = self.folder / "out"
        self.embed("-", "-o", out, stdin=data)
        self.assertEqual((out / "stdin.spool").read_bytes(), data)
        self.embed(self.write_lines(rows), "-o", self.folder / "file")
        self.assertEqual(self.result_bytes(out), self.result_bytes(self.folder / "file"))
        again = self.embed("-", "-o", out, "--json", stdin=data).object("report")
        self.assertEqual((again["rows_done_before"], again["jobs"]), (25, 0))
        self.embed(out / "stdin.spool", "-o", out)
        other = self.embed("-", "-o", out, stdin=b"something else\n", code=7)
        self.assertIn("stdin.spool", other.err)
        self.assertEqual((out / "stdin.spool").read_bytes(), data)

    def test_poison_rows_are_named_and_the_others_embedded(self):
        rows = [row.encode() for row in corpus(60)]
        rows[5] = b""
        rows[17] = b"x" * 65537
        rows[31] = b"not \xff utf-8"
        path = self.folder / "poison.txt"
        path.write_bytes(b"".join(row + b"\n" for row in rows))
        out = self.folder / "out"
        done = self.embed(path, "-o", out, "--blank-lines", "fail", code=3)
        for line in (6, 18, 32):
            self.assertIn(f"poison.txt:{line}", done.err)
        failed = [json.loads(line) for line in (out / "failed.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual([row["row"] for row in failed], [5, 17, 31])
        self.assertTrue(all(row["origin"].endswith(f"poison.txt:{row['row'] + 1}") for row in failed))
        self.assertEqual(failed[1]["text"], "x" * 65537)
        self.assertNotIn("text", failed[2], "it would be bought for what the corpus has not")
        self.assertEqual(failed[2]["text_not_utf8"], "not \ufffd utf-8")
        matrix = numpy.load(out / "embeddings.npy")
        self.assertEqual(matrix.shape, (60, 1024))
        self.assertEqual(sorted(set(numpy.argwhere(numpy.isnan(matrix))[:, 0])), [5, 17, 31])
        self.run_program("verify", out)
        self.embed(path, "-o", out, "--blank-lines", "fail", code=3)
        stopped = self.embed(path, "-o", self.folder / "stop", "--blank-lines", "fail", "--on-error", "stop",
                             code=1)
        self.assertIn("poison.txt:6", stopped.err)

    def test_typed_json_lines(self):
        done = self.embed(self.write_lines(corpus(30)), "-o", self.folder / "out", "--json", "--quiet")
        self.assertEqual(done.err, "")
        report = done.object("report")
        self.assertEqual((report["rows_done"], report["reason"]), (30, "complete"))
        for state in done.objects("progress"):
            self.assertIn("rows_per_second", state)

    def test_an_unfinished_end_says_why_where_quiet_too(self):
        done = self.embed(self.write_lines(corpus(30)), "-o", self.folder / "out", "--rows-per-job", "10",
                          "--chunk-size", "10", "--max-chunks", "2", "-q", code=1)
        self.assertEqual(done.out, "")
        self.assertRegex(done.err, r"\Aunfinished \(chunk_budget\): [^\n]*\n\Z")

    def test_failed_rows_are_told_where_quiet_too(self):
        rows = corpus(10)
        rows[3] = "x" * 65537
        out = self.folder / "out"
        done = self.embed(self.write_lines(rows), "-o", out, "-q", code=3)
        self.assertEqual((done.out, done.err), ("", f"1 row failed, see {out}/failed.jsonl\n"))

    def test_what_is_no_corpus(self):
        self.embed(self.folder / "none.txt", "-o", self.folder / "out", code=1)
        done = self.embed(self.write_jsonl(corpus(2)), "-o", self.folder / "out", "--text-field", "body", code=2)
        self.assertIn("text", done.err)
        unknown = self.embed(self.write_lines(corpus(2)), "-o", self.folder / "out", "--model", "none", code=1)
        self.assertIn("unknown_model", unknown.err)

    def test_the_older_form(self):
        rows = corpus(20)
        spec = self.folder / "spec.yaml"
        spec.write_text("model: bge-large-v1.5\nchunking:\n  chunk_size: 4\n", encoding="utf-8")
        self.embed(self.write_lines(rows), "-o", self.folder / "spec", "--spec", spec)
        self.assertEqual(self.manifest(self.folder / "spec")["jobs"]["chunks"], 5)
        self.embed(self.write_lines(rows), "-o", self.folder / "model")
        self.assertEqual(self.result_bytes(self.folder / "spec"), self.result_bytes(self.folder / "model"))

    def test_verify_levels(self):
        lines = self.write_lines(corpus(12))
        for level in ("none", "hash", "receipt"):
            out = self.folder / level
            self.embed(lines, "-o", out, "--verify", level)
            self.run_program("verify", out)


class Tls(ProgramTest):
    def certificate(self, name, subject):
        import subprocess
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={subject}",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return certificate, key

    def test_own_authority_is_needed_and_enough(self):
        certificate, key = self.certificate("local", "IP:127.0.0.1")
        service = self.serve("--tls-cert", str(certificate), "--tls-key", str(key), ca_file=str(certificate))
        self.assertTrue(service.base_url.startswith("https://"))
        lines = self.write_lines(corpus(40))
        self.run_program("embed", lines, "-o", self.folder / "out", service=service)
        service.ca_file = None
        refused = self.run_program("models", service=service, code=1)
        self.assertIn("certificate", refused.err.lower())
        self.run_program("models", "--ca-file", certificate, service=service)

    def test_a_certificate_of_another_host_is_refused(self):
        certificate, key = self.certificate("other", "DNS:elsewhere.example")
        service = self.serve("--tls-cert", str(certificate), "--tls-key", str(key), ca_file=str(certificate))
        self.run_program("models", service=service, code=1)


if __name__ == "__main__":
    unittest.main()
