"""A folder belongs to corpus, model and service from its first submission on: a start that failed binds nothing."""

import unittest

from harness import ProgramTest, corpus


class Binding(ProgramTest):
    def setUp(self):
        super().setUp()
        self.lines = self.write_lines(corpus(30) + ["x" * 70000])
        self.out = self.folder / "out"

    def embed(self, service, *more, code, out=None, extra=None):
        process = self.start("embed", self.lines, "-o", out or self.out, "--json", *more, service=service, extra=extra)
        done = self.finish(process)
        self.assertEqual(done.code, code, done.err)
        return done

    def test_a_start_that_failed_leaves_the_folder_to_the_right_command(self):
        service = self.serve()
        fine = self.embed(service, out=self.folder / "fine", code=3).object("report")
        before = self.run_program("account", "--json", service=service).object("account")["chunks_consumed_period"]
        refused = self.embed(service, "--model", "bge-smal-v1.5", "--log-level", "debug", code=1).err
        self.assertIn('has no model "bge-smal-v1.5"; it has bge-', refused)
        self.assertNotIn("POST", refused)
        after = self.run_program("account", "--json", service=service).object("account")["chunks_consumed_period"]
        self.assertEqual(after, before)
        self.embed(service, "--model", "bge-large-v1.5", extra={"CYBERIAN_BASE_URL": "http://127.0.0.1:9"}, code=75)
        self.embed(service, "--model", "bge-large-v1.5", extra={"CYBERIAN_API_KEY": "cyb_wrong_" + "0" * 32}, code=4)
        done = self.embed(service, "--model", "bge-small-v1.5", code=3).object("report")
        self.assertEqual((done["rows_done"], done["rows_failed"]), (fine["rows_done"], fine["rows_failed"]))
        self.assertEqual(done["rows_done"], 30)

    def test_a_start_that_failed_leaves_the_folder_to_another_corpus(self):
        service = self.serve()
        other = self.write_lines([f"another {i}" for i in range(20)], "other.txt")
        spooled = self.folder / "spooled"
        piped = ({"stdin": b"one\ntwo\n"}, {"stdin": other.read_bytes()})
        for out, (first, second) in ((self.out, ({}, {})), (spooled, piped)):
            name = "-" if first else self.lines
            again = "-" if first else other
            self.run_program("embed", name, "-o", out, "--model", "nope", service=service, code=1, **first)
            plan = self.run_program("plan", again, "-o", out, service=service, **second)
            self.assertIn("it may be used for this corpus", plan.err)
            self.run_program("embed", again, "-o", out, service=service, **second)
            self.assertEqual(len((out / "ids.jsonl").read_text().splitlines()), 20)
            self.run_program("verify", out)
            self.assertIn("its corpus", self.run_program("embed", self.lines, "-o", out, service=service, code=7).err)
        self.assertEqual((spooled / "stdin.spool").read_bytes(), other.read_bytes())

    def test_standard_input_is_the_same_corpus_whatever_its_ends(self):
        service = self.serve()
        data = b"one\ntwo\n"
        self.run_program("embed", "-", "-o", self.out, service=service, stdin=data)
        for same in (b"\xef\xbb\xbf" + data, data[:-1], data[:-1] + b"\r\n"):
            done = self.run_program("embed", "-", "-o", self.out, "--json", service=service, stdin=same)
            report = done.object("report")
            self.assertEqual((report["rows_done_before"], report["jobs"]), (2, 0))
        self.assertEqual((self.out / "stdin.spool").read_bytes(), data)
        self.run_program("embed", "-", "-o", self.out, service=service, stdin=data + b"\n", code=7)

    def test_a_folder_with_paid_rows_keeps_its_model_and_service(self):
        service = self.serve("--chunk-size", "5")
        self.embed(service, "--max-chunks", "2", "--chunk-size", "5", code=1)
        self.assertIn("model", self.embed(service, "--model", "bge-small-v1.5", code=7).err)
        other = self.serve("--chunk-size", "5")
        self.assertIn("service", self.embed(other, code=7).err)
        self.embed(service, code=3)


if __name__ == "__main__":
    unittest.main()
