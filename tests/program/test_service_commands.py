"""Jobs, receipts, models, account and keys."""

import json
import os
import pathlib
import socket
import stat
import sys
import unittest

import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "durability"))
import recording  # noqa: E402
from harness import ProgramTest, corpus


class ServiceCommands(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "4")
        self.run_program("embed", self.write_lines(corpus(10)), "-o", self.folder / "out", service=self.service)
        self.job = self.manifest(self.folder / "out")["jobs"]["list"][0]

    def ask(self, *arguments, **options):
        return self.run_program(*arguments, service=self.service, **options)

    def test_models_and_account(self):
        self.assertIn("bge-large-v1.5", self.ask("models").out)
        models = {model["id"]: model for model in self.ask("models", "--json").objects("model")}
        self.assertEqual(models["bge-large-v1.5"]["output_dimensions"], 1024)
        account = self.ask("account", "--json").object("account")
        self.assertEqual(account["chunks_consumed_period"], 3)
        self.assertEqual(len(account["keys"]), 1)
        self.assertIn("tier", self.ask("account").out)

    def test_job(self):
        self.assertEqual(self.ask("job", "get", self.job["job_id"], "--json").object("job")["status"], "SETTLED")
        self.assertIn("SETTLED", self.ask("job", "wait", self.job["job_id"]).out)
        chunks = self.ask("job", "results", self.job["job_id"], "--json").object("results")["chunks"]
        self.assertEqual([(c["row_start"], c["row_end"]) for c in chunks], [(0, 4), (4, 8), (8, 10)])
        path = self.folder / "job.npy"
        self.ask("job", "output", self.job["job_id"], "-o", path)
        self.assertEqual(path.read_bytes(), (self.folder / "out" / "embeddings.npy").read_bytes())
        self.assertEqual(numpy.load(path).shape, (10, 1024))
        piped = self.start("job", "output", self.job["job_id"], service=self.service)
        self.assertEqual(piped.communicate()[0], path.read_bytes())
        self.ask("job", "output", self.job["job_id"], "--json", code=2)
        self.assertIn("not_found", self.ask("job", "get", "nothere", code=1).err)
        self.ask("job", "get", "../account", code=1)

    def test_waiting_in_vain(self):
        slow = self.serve("--settle-delay", "60000")
        job = slow.submit(["one"])
        self.assertIn("EXECUTING", self.run_program("job", "get", job, service=slow).out)
        done = self.run_program("job", "wait", job, "--timeout", "1", "-q", service=slow, code=75)
        self.assertIn("still under way", done.err)

    def test_a_job_that_failed(self):
        failing = self.serve("--faults", "failed_chunk=1")
        self.run_program("job", "wait", failing.submit(["one"]), service=failing, code=1)
        refunding = self.serve("--faults", "refund=1")
        self.assertIn("REFUNDED", self.run_program("job", "wait", refunding.submit(["one"]), service=refunding,
                                                   code=1).out)

    def test_receipt(self):
        shown = self.ask("receipt", "get", self.job["receipt_id"])
        self.assertEqual(json.loads(shown.out)["job_id"], self.job["job_id"])
        self.assertIn("not signed", shown.err)
        self.assertEqual(self.ask("receipt", "get", self.job["receipt_id"], "--json").object("receipt")["signed"],
                         False)
        self.assertIn("valid", self.ask("receipt", "verify", self.job["receipt_id"]).out)
        self.assertTrue(self.ask("receipt", "verify", self.job["receipt_id"], "--json")
                        .object("receipt_verification")["valid"])

    def test_an_invalid_receipt(self):
        liar = self.serve("--faults", "invalid_receipt=1")
        self.run_program("embed", self.write_lines(corpus(2)), "-o", self.folder / "l", "--verify", "hash",
                         service=liar)
        receipt = self.run_program("job", "get", self.manifest(self.folder / "l")["jobs"]["list"][0]["job_id"],
                                   "--json", service=liar).object("job")["receipt_id"]
        failed = self.run_program("receipt", "verify", receipt, "--json", service=liar, code=5).object("failure")
        self.assertEqual((failed["kind"], failed["receipt_id"]), ("verification_failed", receipt))

    def test_keys(self):
        old = self.ask("account", "--json").object("account")["keys"][0]["key_id"]
        path = self.folder / "key"
        rotated = self.ask("keys", "rotate", "--save", path, "--json").object("rotated_key")
        self.assertNotIn("api_key", rotated)
        self.assertEqual(old, self.service.api_key[:12])
        self.assertIn(old, self.ask("account").out)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        key = path.read_text(encoding="ascii").strip()
        self.keys.add(key)
        self.assertEqual(rotated["key_id"], key[:12])
        self.ask("keys", "rotate", "--save", path, code=1)
        where = {"CYBERIAN_BASE_URL": self.service.base_url}
        self.run_program("models", "--api-key-file", path, extra=where)
        self.run_program("keys", "revoke", old, "--api-key-file", path, extra=where)
        self.ask("models", code=4)
        for wrong, said in ((self.service.api_key, "that is a key,"), (key[:13], "that is a key,"),
                            ("cyb_trial_3", "an id has 12 characters"), ("cyb_", "an id has 12 characters")):
            done = self.run_program("keys", "revoke", wrong, "--api-key-file", path, extra=where, code=2)
            self.assertIn(said, done.err)
            self.assertEqual("rotate it" in done.err, len(wrong) > 12, wrong)

    @unittest.skipUnless(os.environ.get("VEMBED_FAULT_SHIM"), "no library that records the program's calls")
    def test_a_key_that_is_kept_outlasts_a_power_cut(self):
        place = self.folder / "keys"
        place.mkdir()
        record = self.folder / "record"
        self.ask("keys", "rotate", "--save", place / "key",
                 extra={"LD_PRELOAD": os.environ["VEMBED_FAULT_SHIM"], "FAULT_SHIM_FOLDER": str(place),
                        "FAULT_SHIM_RECORD": str(record)})
        calls = [(change.call, change.path) for change in recording.read(record)]
        record.unlink()  # It holds the key.
        made, written = (calls.index((call, str(place / "key"))) for call in ("opened", "write"))
        self.assertIn(("fsync", str(place)), calls[made:written])
        self.assertIn(("fdatasync", str(place / "key")), calls[written:])

    def test_a_rotated_key_is_shown_once(self):
        process = self.start("keys", "rotate", service=self.service)
        out, err = process.communicate()
        self.assertRegex(out.decode(), r"^cyb_\w+\n$")
        self.assertNotIn(out.decode().strip(), err.decode())


class OutOfReach(ProgramTest):
    """Every command that asks the service, where nothing listens: 75, and what to do."""

    def test_each_command(self):
        taken = socket.socket()  # Bound without listening: the port refuses, and nobody else takes it meanwhile.
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        where = {"CYBERIAN_BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}",
                 "CYBERIAN_API_KEY": "cyb_test_" + "0" * 32}
        lines = self.write_lines(["one"])
        rows = self.folder / "rows.npy"
        numpy.save(rows, numpy.ones((1, 4), dtype="<f4"))
        commands = [
            ["health"], ["models"], ["account"],
            ["job", "submit", lines], ["job", "get", "j"], ["job", "wait", "j"], ["job", "wait", "j", "--timeout", "1"],
            ["job", "results", "j"], ["job", "output", "j", "-o", self.folder / "j.npy"],
            ["receipt", "get", "r"], ["receipt", "verify", "r"],
            ["keys", "rotate"], ["keys", "rotate", "--save", self.folder / "key"], ["keys", "revoke", "cyb_01234567"],
            ["embed", lines, "-o", self.folder / "out"], ["plan", lines],
            ["attest", lines, "--npy", rows, "-o", self.folder / "r.jsonl"],
            ["attest", lines, "--commitment", "ab" * 32, "-o", self.folder / "c.jsonl"],
        ]
        for command, process in [(one, self.start(*one, extra=where)) for one in commands]:
            with self.subTest(command=" ".join(map(str, command[:2]))):
                done = self.finish(process)
                self.assertEqual(done.code, 75, done.err)
                self.assertIn("refused", done.err)
                self.assertIn("check the network and the address", done.err)
                self.assertIn("run the same command again", done.err)


if __name__ == "__main__":
    unittest.main()
