"""What a run would take."""

import unittest

from harness import ProgramTest, corpus


class Plan(ProgramTest):
    def poisoned(self):
        rows = [row.encode() for row in corpus(50)]
        rows[3] = b""
        rows[9] = b"y" * 70000
        rows[20] = b"\xc3("
        rows[30] = rows[31]
        path = self.folder / "corpus.txt"
        path.write_bytes(b"".join(row + b"\n" for row in rows))
        return path

    def test_corpus_alone(self):
        done = self.run_program("plan", self.poisoned(), "--rows-per-job", "10")
        self.assertRegex(done.out, r"rows +50\n")
        self.assertRegex(done.out, r"jobs +5\n")
        self.assertRegex(done.out, r"duplicates +1 ")
        for line in (4, 10, 21):
            self.assertIn(f"corpus.txt:{line}: ", done.out)
        self.assertIn("no API key", done.err)

    def test_json(self):
        plan = self.run_program("plan", self.poisoned(), "--json").object("plan")
        self.assertEqual((plan["rows"], plan["rows_defective"], plan["rows_duplicate"], plan["jobs"]), (50, 3, 1, 1))
        self.assertEqual([row["row"] for row in plan["defects"]], [3, 9, 20])

    def test_nothing_is_submitted(self):
        service = self.serve("--tier", "trial")
        done = self.run_program("plan", self.poisoned(), service=service)
        self.assertIn("trial", done.out)
        self.assertIn("% of 400", done.out)
        account = self.run_program("account", "--json", service=service).object("account")
        self.assertEqual(account["chunks_consumed_period"], 0)
        typed = self.run_program("plan", self.poisoned(), "--json", service=service)
        self.assertEqual([one["type"] for one in typed.objects()], ["plan", "account"])

    def test_standard_input(self):
        done = self.run_program("plan", "-", stdin=b"one\n\nthree\n")
        self.assertIn("stdin:2: ", done.out)

    def test_what_is_no_corpus(self):
        self.run_program("plan", self.folder / "none", code=1)
        self.run_program("plan", self.folder, code=1)


if __name__ == "__main__":
    unittest.main()
