"""A folder belongs to model and service from its first submission on: a start that failed binds it to nothing."""

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

    def test_a_folder_with_paid_rows_keeps_its_model_and_service(self):
        service = self.serve("--chunk-size", "5")
        self.embed(service, "--max-chunks", "2", "--chunk-size", "5", code=1)
        self.assertIn("model", self.embed(service, "--model", "bge-small-v1.5", code=7).err)
        other = self.serve("--chunk-size", "5")
        self.assertIn("service", self.embed(other, code=7).err)
        self.embed(service, code=3)


if __name__ == "__main__":
    unittest.main()
