"""A finished result in other programs' formats."""

import json
import struct
import unittest

import numpy

from harness import ProgramTest, corpus


def read_fbin(path):
    data = path.read_bytes()
    rows, dimensions = struct.unpack("<II", data[:8])
    return numpy.frombuffer(data[8:], dtype="<f4").reshape(rows, dimensions)


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0, length
    header = json.loads(data[8:8 + length])
    tensor = header.pop("embeddings")
    assert header == {} and tensor["dtype"] == "F32", header
    begin, end = tensor["data_offsets"]
    body = data[8 + length:]
    assert begin == 0 and end == len(body), (begin, end, len(body))
    return numpy.frombuffer(body, dtype="<f4").reshape(tensor["shape"])


class Export(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "10")

    def embedded(self, rows, code=0):
        path = self.folder / "corpus.jsonl"
        path.write_text("".join(json.dumps({"id": f"id{i}", "text": row}) + "\n" for i, row in enumerate(rows)),
                        encoding="utf-8")
        out = self.folder / "out"
        self.run_program("embed", path, "-o", out, "--id-field", "id", service=self.service, code=code)
        return out

    def test_both_formats(self):
        out = self.embedded(corpus(700))
        expected = numpy.load(out / "embeddings.npy")
        for form, read in (("fbin", read_fbin), ("safetensors", read_safetensors)):
            file = self.folder / f"result.{form}"
            file.write_text("what was there before", encoding="utf-8")
            done = self.run_program("export", out, "--format", form, "-o", file, "--json")
            report = done.object("export")
            self.assertEqual((report["rows"], report["rows_failed"], report["dimensions"]), (700, 0, 1024))
            self.assertEqual(report["bytes"], file.stat().st_size)
            self.assertTrue(numpy.array_equal(read(file), expected))
            self.assertIn("700 rows", done.err)
        self.assertEqual(list(self.folder.glob("*.partial")), [])

    def test_failed_rows_are_nan_or_left_out(self):
        rows = corpus(1200)
        rows[3] = rows[1150] = ""
        out = self.embedded(rows, code=3)
        expected = numpy.load(out / "embeddings.npy")
        good = ~numpy.isnan(expected[:, 0])
        for form, read in (("fbin", read_fbin), ("safetensors", read_safetensors)):
            file = self.folder / f"all.{form}"
            done = self.run_program("export", out, "--format", form, "-o", file)
            self.assertIn("2 of them failed", done.err)
            self.assertTrue(numpy.array_equal(read(file), expected, equal_nan=True))
            file = self.folder / f"good.{form}"
            done = self.run_program("export", out, "--format", form, "-o", file, "--skip-failed")
            self.assertIn("1,198 rows", done.err)
            self.assertTrue(numpy.array_equal(read(file), expected[good]))
            lines = (self.folder / f"good.{form}.ids.jsonl").read_text(encoding="utf-8").splitlines()
            self.assertEqual([json.loads(line)["id"] for line in lines],
                             [f"id{i}" for i in range(1200) if i not in (3, 1150)])

    def test_blank_lines_are_no_failed_rows(self):
        rows = corpus(12)
        rows[3] = rows[7] = ""
        out = self.folder / "out"
        self.run_program("embed", self.write_lines(rows), "-o", out, service=self.service)
        file = self.folder / "rows.fbin"
        done = self.run_program("export", out, "--format", "fbin", "-o", file)
        self.assertIn("2 of them are blank lines: these rows are NaN", done.err)
        done = self.run_program("export", out, "--format", "fbin", "-o", file, "--skip-failed", "--json")
        self.assertIn("2 blank lines are left out;", done.err)
        self.assertNotIn("failed", done.err)
        report = done.object("export")
        self.assertEqual((report["rows"], report["rows_failed"], report["rows_blank"]), (10, 0, 2))
        done = self.run_program("prove", out, "--row", "3", code=1)
        self.assertIn("row 3 is a blank line", done.err)
        self.assertNotIn("failed", done.err)

    def test_what_is_refused(self):
        path = self.write_lines(corpus(40))
        out = self.folder / "half"
        file = self.folder / "half.fbin"
        self.run_program("embed", path, "-o", out, "--rows-per-job", "10", "--max-chunks", "2", service=self.service,
                         code=1)
        done = self.run_program("export", out, "--format", "fbin", "-o", file, code=75)
        self.assertIn("unfinished", done.err)
        self.assertFalse(file.exists())
        self.run_program("export", self.folder / "none", "--format", "fbin", "-o", file, code=1)
        self.run_program("export", out, "--format", "csv", "-o", file, code=2)
        self.run_program("embed", path, "-o", out, "--rows-per-job", "10", service=self.service)
        self.run_program("export", out, "--format", "fbin", "-o", self.folder / "no" / "such" / "file", code=1)


if __name__ == "__main__":
    unittest.main()
