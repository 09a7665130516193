"""Which format an input is taken to have, what is refused for it, and what is said of each input."""

import gzip
import json
import unittest

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

    def test_packing_is_no_other_corpus(self):
        out = self.folder / "out"
        path = self.write("a.jsonl.gz", gzip.compress(JSONL.encode(), 1))
        self.run_program("embed", path, "-o", out, service=self.service)
        path.write_bytes(gzip.compress(JSONL.encode(), 9, mtime=1))
        done = self.run_program("embed", path, "-o", out, "--json", service=self.service)
        self.assertEqual(done.object("report")["rows_done"], 6)


if __name__ == "__main__":
    unittest.main()
