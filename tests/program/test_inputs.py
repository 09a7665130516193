"""Which format an input is taken to have, what is refused for it, and what is said of each input."""

import gzip
import json
import unittest

import numpy

from harness import ProgramTest

JSONL = "".join(json.dumps({"id": f"i{i}", "text": f"the colour {i}"}) + "\n" for i in range(6))


class Inputs(ProgramTest):
    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def refuse(self, path, said, *options, **how):
        done = self.run_program("embed", path, "-o", self.folder / "out", *options, service=self.service, code=2, **how)
        self.assertIn(said, done.err)
        self.assertFalse((self.folder / "out" / "journal.sqlite").exists())
        done = self.run_program("plan", path, *options, service=self.service, code=2, **how)
        self.assertIn(said, done.err)

    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "2")

    def test_what_looks_like_another_format_is_refused(self):
        self.refuse(self.write("docs.txt", JSONL), "--format jsonl")
        self.refuse(self.write("docs.json", json.dumps([{"text": "a"}, {"text": "b"}])), "jq -c '.[]'")
        self.refuse(self.write("table", "id,text\n1,a\n2,b\n"), "--format csv")
        self.refuse(self.write("paper", b"%PDF-1.7\nx\n"), "not text")
        self.refuse(self.write("a.txt", "one\n"), "--id-field", "--id-field", "id")
        self.refuse(self.write("a.csv", "text\none\n".encode("utf-16-le")), "iconv -f UTF-16LE")

    def test_standard_input_is_looked_into(self):
        self.refuse("-", "standard input looks like JSON", stdin=JSONL.encode())
        self.refuse("-", "with: … | jq -c '.[]' | vembed embed - --format jsonl;", stdin=b'["a",\n"b"]\n')
        self.refuse("-", "with: … | bzip2 -dc | vembed embed -\n", stdin=b"BZh91AY&SY")
        self.refuse("-", "with: … | iconv -f UTF-16 -t UTF-8 | vembed embed -\n", stdin="one\n".encode("utf-16"))
        done = self.run_program("embed", "-", "-o", self.folder / "lines", service=self.service, stdin=b"one\ntwo\n")
        self.assertIn("standard input: plain lines; first text: one", done.err)

    def test_each_input_is_told(self):
        path = self.write("docs.jl", JSONL)
        done = self.run_program("embed", path, "-o", self.folder / "out", "--id-field", "id", "--json",
                                service=self.service)
        told = done.object("input")
        self.assertEqual((told["format"], told["text_field"], told["id_field"], told["first_text"]),
                         ("jsonl", "text", "id", "the colour 0"))
        done = self.run_program("plan", path, service=self.service)
        self.assertIn('docs.jl: jsonl, text from "text", no ids; first text: the colour 0', done.err)

    def test_quotes_in_tsv_are_characters(self):
        path = self.write("a.tsv", 'id\ttext\n1\t"Unbalanced\n2\tb\n3\tends"\n')
        done = self.run_program("embed", path, "-o", self.folder / "out", "--json", service=self.service)
        self.assertEqual(done.object("report")["rows_done"], 3)

    def failed(self, out):
        return [json.loads(line) for line in (out / "failed.jsonl").read_text(encoding="utf-8").splitlines()]

    def test_bad_records_are_one_row_each_and_can_be_mended(self):
        bad = [b'{"id":"x1"}\n', b'{"text":"without an id"}\n', b'{"id":"x2","text":"\\ud83d"}\n', b"\xff\xfe\n",
               b'{"id":"x3","text":"' + b"z" * (17 << 20) + b'"}\n']
        content = b"".join(bad) + JSONL.replace('"id"', '"other": NaN, "id"').encode()
        for name, how in (("a.jsonl", {}), ("a.jsonl.gz", {}), ("-", {"stdin": content})):
            path = name if name == "-" else self.write(name, gzip.compress(content, 1) if name.endswith("gz") else content)
            out = self.folder / f"out{len(name)}"
            done = self.run_program("embed", path, "-o", out, "--format", "jsonl", "--id-field", "id", "--json",
                                    service=self.service, code=3, **how)
            report = done.object("report")
            self.assertEqual((report["rows_done"], report["rows_failed"]), (6, len(bad)))
            failed = self.failed(out)
            self.assertEqual([row.get("id") for row in failed], ["x1", None, "x2", None, None])
            self.assertEqual(failed[0]["raw"], '{"id":"x1"}')
            self.assertEqual(failed[1]["text"], "without an id")
            self.assertEqual(failed[3]["raw_base64"], "//4=")
            self.assertEqual(failed[4]["raw_bytes"], len(bad[4]) - 1)
            self.assertIn(':1, id "x1": the line has no field "text"', done.err)
        again = self.folder / "again"
        report = self.run_program("embed", out / "failed.jsonl", "-o", again, "--id-field", "id", "--json",
                                  service=self.service, code=3).object("report")
        self.assertEqual((report["rows_done"], report["rows_failed"]), (1, 4))
        mended = self.write("mended.jsonl", json.dumps(failed[0] | {"text": "mended"}) + "\n")
        self.run_program("embed", mended, "-o", self.folder / "mended", "--id-field", "id", service=self.service)
        hopeless = self.write("hopeless.jsonl", json.dumps(failed[0]) + "\n")
        done = self.run_program("embed", hopeless, "-o", self.folder / "hopeless", service=self.service, code=3)
        self.assertIn('add a field "text"', done.err)

    def test_blank_lines(self):
        path = self.write("a.txt", "one\n\ntwo\n  \n")
        kept = self.folder / "kept"
        done = self.run_program("embed", path, "-o", kept, "--json", service=self.service)
        report = done.object("report")
        self.assertEqual((report["rows_done"], report["rows_failed"], report["rows_blank"]), (2, 0, 2))
        self.assertEqual(numpy.isnan(numpy.load(kept / "embeddings.npy")).all(axis=1).tolist(),
                         [False, True, False, True])
        self.assertIn("2 of 2 rows: each row that failed or is of a blank line", self.run_program("verify", kept).out)
        self.run_program("embed", path, "-o", kept, service=self.service)
        self.run_program("embed", path, "-o", kept, "--on-error", "stop", service=self.service)
        for word in ("skip", "fail"):
            self.run_program("embed", path, "-o", kept, "--blank-lines", word, service=self.service, code=7)
        self.run_program("embed", path, "-o", self.folder / "fail", "--blank-lines", "fail", service=self.service, code=3)
        skipped = self.folder / "skip"
        self.run_program("embed", path, "-o", skipped, "--blank-lines", "skip", service=self.service)
        self.assertEqual([json.loads(line) for line in (skipped / "ids.jsonl").read_text().splitlines()],
                         [{"row": 0, "line": 1}, {"row": 1, "line": 3}])
        self.run_program("verify", skipped)
        self.run_program("embed", kept / "failed.jsonl", "-o", self.folder / "blank", service=self.service)

    def test_a_corpus_of_nothing_but_blank_lines(self):
        path = self.write("a.txt", "\n  \n\n")
        for word, code, failed, blank in (("keep", 0, 0, 3), ("fail", 3, 3, 0)):
            out = self.folder / word
            done = self.run_program("embed", path, "-o", out, "--blank-lines", word, "--json", service=self.service,
                                    code=code)
            report = done.object("report")
            self.assertEqual((report["rows_failed"], report["rows_blank"]), (failed, blank))
            self.assertEqual(len((out / "failed.jsonl").read_text().splitlines()), 3)
            self.run_program("verify", out)

    def test_the_first_text_is_of_a_row_that_can_be_embedded(self):
        for name, content in (("a.jsonl", '{"text":null}\n{"text":""}\n{"text":"good"}\n'), ("a.txt", "\n\ngood\n"),
                              ("a.csv", "id,text\n1\n2,good\n")):
            path = self.write(name, content)
            self.assertIn("first text: good\n", self.run_program("plan", path, service=self.service).err)
            told = self.run_program("plan", path, "--json", service=self.service).object("input")
            self.assertEqual(told["first_text"], "good")
        none = self.run_program("plan", self.write("b.csv", "id,text\n1\n"), service=self.service)
        self.assertIn("no text among its first", none.err)
        self.assertNotIn("iconv", none.err)
        for encoding in ("gb18030", "shift_jis"):
            other = self.run_program("plan", self.write("b.txt", "日本語\n文字\n".encode(encoding)), service=self.service)
            self.assertIn("it is not UTF-8; convert it with: iconv -f ENCODING -t UTF-8, where", other.err)

    def test_failed_rows_are_a_corpus_whatever_the_fields_were_called(self):
        rows = [{"doc": f"d{i}", "body": "x" * 70_000 if i == 1 else f"the colour {i}"} for i in range(3)]
        path = self.write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        fields = ("--text-field", "body", "--id-field", "doc")
        self.run_program("embed", path, "-o", self.folder / "out", *fields, service=self.service, code=3)
        self.assertEqual(self.failed(self.folder / "out")[0]["id"], "d1")
        again = self.folder / "again"
        self.run_program("embed", self.folder / "out" / "failed.jsonl", "-o", again, *fields, service=self.service,
                         code=3)
        failed = self.failed(again)[0]
        self.assertEqual((failed["id"], failed["text"]), ("d1", "x" * 70_000))

    def test_a_shard_may_have_nothing_but_bad_records(self):
        good = self.write("shard1.jsonl", JSONL)
        for content in ('{"id":"b"}\n', '{"id":"b","te'):
            bad = self.write("shard2.jsonl", content)
            self.run_program("plan", good, bad, service=self.service)
            out = self.folder / f"out{len(content)}"
            report = self.run_program("embed", good, bad, "-o", out, "--json", service=self.service,
                                      code=3).object("report")
            self.assertEqual((report["rows_done"], report["rows_failed"]), (6, 1))

    def test_packing_of_standard_input_is_no_other_corpus(self):
        out = self.folder / "out"
        ways = [gzip.compress(JSONL.encode(), 1), gzip.compress(JSONL.encode(), 9, mtime=1), JSONL.encode()]
        for before, data in ((0, ways[0]), (6, ways[1]), (6, ways[2])):
            done = self.run_program("embed", "-", "-o", out, "--format", "jsonl", "--json", service=self.service,
                                    stdin=data)
            self.assertEqual(done.object("report")["rows_done_before"], before)
        self.assertEqual((out / "stdin.spool").read_bytes(), ways[0])
        for other in (JSONL.encode() + b"\n", ways[0][:-9]):
            self.run_program("embed", "-", "-o", out, "--format", "jsonl", service=self.service, stdin=other, code=7)

    def test_what_is_not_unpacked_names_the_command(self):
        self.refuse(self.write("a.jsonl.bz2", b"BZh91AY&SY"), "bzip2 -dc")

    def test_packing_is_no_other_corpus(self):
        out = self.folder / "out"
        path = self.write("a.jsonl.gz", gzip.compress(JSONL.encode(), 1))
        self.run_program("embed", path, "-o", out, service=self.service)
        path.write_bytes(gzip.compress(JSONL.encode(), 9, mtime=1))
        done = self.run_program("embed", path, "-o", out, "--json", service=self.service)
        self.assertEqual(done.object("report")["rows_done"], 6)


if __name__ == "__main__":
    unittest.main()
