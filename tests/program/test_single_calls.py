"""One call each: health, one job, one receipt in a file, one commitment, and what they show of a response."""

import hashlib
import json
import socket
import subprocess
import unittest

from harness import ProgramTest, corpus
from scripted_http import KEY, ScriptedHttp

ACCOUNT = {"account_id": "acct-1", "name": "Ada", "email": "ada@example.org", "username": "ada_l",
           "email_verified_at": "2026-01-02T03:04:05Z", "tier": "free", "effective_tier": "trial",
           "subscription_status": "trial", "trial_started_at": "2026-01-02T03:05:00Z",
           "trial_ends_at": "2026-01-16T03:05:00Z", "chunks_consumed_period": 1234,
           "chunks_period_started_at": "2026-01-03T00:00:00Z",
           "limits": {"chunks_per_period": 40000, "period_length_days": 14, "chunks_per_day": 101,
                      "chunks_per_minute": 61, "max_chunks_per_request": 102, "max_inputs": 1000},
           "keys": [{"key_id": "cyb_trial_0f", "label": "first", "created_at": "2026-01-02T03:04:06Z",
                     "last_used_at": "2026-01-05T00:00:00Z", "revoked_at": "2026-01-06T00:00:00Z"}]}
JOB = {"id": "job-1", "status": "EXECUTING", "chunk_count": 2, "receipt_id": None, "created_at": "2026-01-02T03:04:05Z"}


class SingleCalls(ProgramTest):
    def script(self, routes, **options):
        service = ScriptedHttp(routes, **options)
        self.addCleanup(service.stop)
        self.keys.add(service.api_key)
        return service


class Health(SingleCalls):
    def test_a_service_that_is_well(self):
        service = self.script({"GET /health": (200, {"ok": True, "service": "verified-inference"})})
        self.assertRegex(self.run_program("health", service=service).out, r"(?s)ok +yes.*verified-inference")
        self.assertEqual(self.run_program("health", "--json", service=service).object("health"),
                         {"type": "health", "ok": True, "service": "verified-inference"})

    def test_no_key_is_needed_and_none_is_sent(self):
        service = self.script({"GET /health": (200, {"ok": True, "service": "s"})})
        where = {"CYBERIAN_BASE_URL": service.environment()["CYBERIAN_BASE_URL"]}
        self.run_program("health", extra=where)
        self.assertNotIn("Authorization", service.seen[-1][2])

    def test_a_service_that_is_not_well_or_not_there(self):
        ill = self.script({"GET /health": (200, {"ok": False, "service": "s"})})
        self.assertRegex(self.run_program("health", service=ill, code=75).out, r"ok +no")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            where = {"CYBERIAN_BASE_URL": f"http://127.0.0.1:{unused.getsockname()[1]}"}
            self.assertEqual(self.run_program("health", "--json", extra=where, code=75).object("failure")["kind"],
                             "network")


class Submission(SingleCalls):
    def test_texts_of_files_arguments_and_standard_input(self):
        service = self.serve("--chunk-size", "2")
        texts = corpus(5)
        path = self.write_lines(texts)
        for arguments, stdin in (([path], None), (["-"], path.read_bytes()),
                                 ([word for text in texts for word in ("--text", text)], None)):
            job = self.run_program("job", "submit", *arguments, service=service, stdin=stdin).out.strip()
            self.assertIn("SETTLED", self.run_program("job", "wait", job, service=service).out)
            rows = self.folder / f"{job}.npy"
            self.run_program("job", "output", job, "-o", rows, service=service)
        told = self.run_program("job", "submit", path, "--json", service=service).object("job")
        self.assertEqual((told["status"], told["chunk_count"]), ("EXECUTING", 3))

    def test_what_cannot_be_one_job_is_not_sent(self):
        service = self.script({"GET /account": (200, ACCOUNT), "POST /jobs": (201, JOB)})
        self.run_program("job", "submit", service=service, code=2)
        self.run_program("job", "submit", "--text", "", service=service, code=2)
        self.run_program("job", "submit", self.write_lines(corpus(1001), "many.txt"), service=service, code=2)
        bad = self.run_program("job", "submit", self.write_lines(["one", "", "three"], "bad.txt"), service=service,
                               code=1)
        self.assertIn("bad.txt:2", bad.err)
        self.run_program("job", "submit", self.write_lines(["one"]), "--text", "two", service=service, code=2)
        self.assertEqual(service.requests("POST", "/jobs"), [])

    def test_a_submission_without_an_answer_is_in_doubt_and_not_repeated(self):
        service = self.script({"GET /account": (200, ACCOUNT), "POST /jobs": None})
        done = self.run_program("job", "submit", "--text", "one", "--json", service=service, code=1)
        self.assertEqual(done.object("failure")["kind"], "outcome_unknown")
        self.assertIn("in doubt", done.err)
        self.assertEqual(len(service.requests("POST", "/jobs")), 1)

    def test_its_chunks_count_for_the_runs_of_this_machine(self):
        service = self.serve("--tier", "trial", "--chunk-size", "1")
        self.run_program("job", "submit", self.write_lines(corpus(40)), service=service)
        ledgers = list((self.folder / "state" / "vembed" / "quota").glob("*"))
        self.assertTrue(ledgers, "the use was not written down")


class Responses(SingleCalls):
    def test_every_documented_field_of_the_account(self):
        service = self.script({"GET /account": (200, ACCOUNT)})
        text = self.run_program("account", service=service).out
        told = self.run_program("account", "--json", service=service).object("account")
        for name, value in ACCOUNT.items():
            self.assertEqual(told[name], value)
            if not isinstance(value, (dict, list)):
                self.assertIn(f"{value:,}" if isinstance(value, int) else value, text)
        for value in ACCOUNT["limits"].values():
            self.assertIn(f"{value:,}", text)
        for value in ACCOUNT["keys"][0].values():
            self.assertIn(value, text)

    def test_what_the_account_lacks_is_said(self):
        service = self.script({"GET /account": (200, {"account_id": "acct-1", "tier": "paid", "limits": {}})})
        told = self.run_program("account", "--json", service=service).object("account")
        self.assertIsNone(told["email_verified_at"])
        self.assertIsNone(told["limits"]["chunks_per_day"])
        self.assertIn("not verified", self.run_program("account", service=service).out)

    def test_the_failed_chunks_of_a_job(self):
        chunks = [{"chunk_index": 0, "row_start": 0, "row_end": 4, "status": "VERIFIED"},
                  {"chunk_index": 1, "row_start": 4, "row_end": 7, "status": "MISMATCH"}]
        failed = JOB | {"status": "FAILED"}
        service = self.script({"GET /account": (200, ACCOUNT), "GET /jobs/job-1": (200, failed),
                               "GET /jobs/job-1/wait?max_wait=30": (200, failed),
                               "GET /jobs/job-1/results": (200, {"job_id": "job-1", "status": "FAILED",
                                                                 "receipt_id": None, "chunks": chunks})})
        self.assertRegex(self.run_program("job", "wait", "job-1", service=service, code=1).out,
                         r"failed +chunk 1, rows 4-6, status MISMATCH")
        told = self.run_program("job", "wait", "job-1", "--json", service=service, code=1).object("job")
        self.assertEqual(told["failed_chunks"],
                         [{"chunk_index": 1, "row_start": 4, "row_end": 7, "status": "MISMATCH"}])

    def test_the_checks_and_errors_of_a_receipt_that_is_not_valid(self):
        answer = {"valid": False, "checks": {"receipt_hash": True, "outputs_root": False}, "errors": ["root differs"]}
        service = self.script({"GET /receipts/r-1/verify": (200, answer)})
        text = self.run_program("receipt", "verify", "r-1", service=service, code=5).out
        self.assertRegex(text, r"passed +receipt_hash")
        self.assertRegex(text, r"failed +outputs_root")
        self.assertIn("root differs", text)
        told = self.run_program("receipt", "verify", "r-1", "--json", service=service, code=5)
        self.assertEqual(told.object("receipt_verification")["errors"], ["root differs"])
        self.assertEqual(told.object("failure")["errors"], ["root differs"])

    def test_the_body_of_a_response_that_failed(self):
        escaped = KEY.replace("cyb", "\\u0063yb")
        body = f'{{"error":"invalid_request","message":"no","key":"{KEY}","again":"{escaped}"}}' + " " * 9000
        service = self.script({"GET /jobs/job-1": (400, body)})
        failed = self.run_program("job", "get", "job-1", "--json", service=service, code=1).object("failure")
        self.assertTrue(failed["body"].startswith('{"error":"invalid_request"'), failed["body"])
        self.assertLessEqual(len(failed["body"]), 4096)
        self.assertNotIn(KEY[4:], failed["body"])


class ReceiptInAFile(SingleCalls):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "4")
        self.texts = self.write_lines(corpus(10))
        self.job = self.run_program("job", "submit", self.texts, service=self.service).out.strip()
        self.run_program("job", "wait", self.job, service=self.service)
        receipt = self.run_program("job", "get", self.job, "--json", service=self.service).object("job")["receipt_id"]
        self.typed = self.run_program("receipt", "get", receipt, "--json", service=self.service).out
        self.listed = self.run_program("job", "results", self.job, service=self.service).out
        self.file = self.folder / "receipt.json"
        self.file.write_text(self.run_program("receipt", "get", receipt, service=self.service).out, encoding="utf-8")
        self.npy = self.folder / "rows.npy"
        self.run_program("job", "output", self.job, "-o", self.npy, service=self.service)
        results = self.run_program("job", "results", self.job, "--json", service=self.service).object("results")
        self.results = self.folder / "results.json"
        self.results.write_text(json.dumps(results), encoding="utf-8")
        self.service.stop()  # Nothing is asked of anybody.

    def check(self, *arguments, code=0, file=None):
        told = self.run_program("receipt", "check", file or self.file, *arguments, "--json", code=code)
        return {check["name"]: check["verdict"] for check in told.object("receipt_check")["checks"]}

    def test_what_can_be_checked_with_what_is_there(self):
        alone = self.check()
        self.assertEqual((alone["receipt_form"], alone["receipt_hash"]), ("verified", "verified"))
        self.assertEqual((alone["inputs_root"], alone["outputs_root"]), ("not_checkable", "not_checkable"))
        self.assertEqual(self.check("--texts", self.texts)["inputs_root"], "verified")
        every = self.check("--texts", self.texts, "--results", self.results, "--npy", self.npy)
        for name in ("receipt_job", "receipt_id", "ranges", "output_commitment", "outputs_root", "inputs_root"):
            self.assertEqual(every[name], "verified", name)
        page = self.run_program("receipt", "check", self.file, "--texts", self.texts).out
        self.assertIn("origin not proven", page)
        self.assertRegex(page, "inputs_root +verified|verified +inputs_root")

    def test_what_is_not_as_it_was_issued(self):
        other = self.write_lines(corpus(9) + ["another"], "other.txt")
        self.assertEqual(self.check("--texts", other, code=6)["inputs_root"], "not_checkable")
        receipt = json.loads(self.file.read_text(encoding="utf-8"))
        changed = self.folder / "changed.json"
        changed.write_text(json.dumps(receipt | {"issued_at": "2020-01-01T00:00:00Z"}), encoding="utf-8")
        self.assertEqual(self.check(file=changed, code=6)["receipt_hash"], "not_checkable")
        rows = bytearray(self.npy.read_bytes())
        rows[-1] ^= 1
        self.npy.write_bytes(rows)
        found = self.check("--results", self.results, "--npy", self.npy, code=5)
        self.assertEqual(found["output_commitment"], "failed")

    def test_a_receipt_as_it_is_printed_with_json(self):
        file = self.folder / "typed.json"
        file.write_text(self.typed, encoding="utf-8")
        self.assertEqual(self.check(file=file), self.check())
        # What a person reads in it is what is checked.
        file.write_text(json.dumps(json.loads(self.typed) | {"issued_at": "2020-01-01T00:00:00Z"}), encoding="utf-8")
        done = self.run_program("receipt", "check", file, code=5)
        self.assertIn("its fields are not those of the receipt", done.err)

    def test_results_as_they_are_printed_for_people(self):
        self.results.write_text(self.listed, encoding="utf-8")
        done = self.run_program("receipt", "check", self.file, "--results", self.results, code=1)
        self.assertIn("use `vembed job results ID --json`", done.err)

    def test_the_summary_comes_behind_the_checks(self):
        process = self.start("receipt", "check", self.file, stderr=subprocess.STDOUT)
        text = self.finish(process).out
        self.assertTrue(text.startswith("verified       receipt_form"), text)
        self.assertRegex(text, r": see above\n\Z")

    def test_what_is_no_receipt(self):
        for text in ("", "{", "[]", "{}", "\xff"):
            path = self.folder / "no_receipt.json"
            path.write_text(text, encoding="latin-1")
            self.assertEqual(self.check(file=path, code=5)["receipt_form"], "failed")
        self.run_program("receipt", "check", self.folder / "nowhere", code=1)
        self.run_program("receipt", "check", self.file, "--require", "nothing", code=2)
        self.assertEqual(self.check("--require", "outputs_root", code=6)["outputs_root"], "not_checkable")


class Commitment(SingleCalls):
    ROWS = 4

    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "10")
        self.texts = self.write_lines(corpus(self.ROWS))
        self.run_program("embed", self.texts, "-o", self.folder / "own", service=self.service)
        whole = (self.folder / "own" / "embeddings.npy").read_bytes()
        self.commitment = hashlib.sha256(whole[len(whole) - self.ROWS * 4096:]).hexdigest()
        self.out = self.folder / "receipts.jsonl"

    def attest(self, commitment, *more, code=0, **options):
        return self.run_program("attest", self.texts, "--commitment", commitment, "-o", self.out, "--json", *more,
                                service=options.get("service", self.service), code=code).object("report")

    def used(self):
        return self.run_program("account", "--json", service=self.service).object("account")["chunks_consumed_period"]

    def test_a_commitment_alone_is_attested_once(self):
        report = self.attest(self.commitment)
        self.assertEqual((report["rows_attested"], report["requests"]), (self.ROWS, 1))
        self.assertEqual(report["checks"]["outputs_root"]["verified"], 1)
        line = json.loads(self.out.read_text(encoding="utf-8").splitlines()[1])
        self.assertEqual((line["rows"], line["commitment"], line["outcome"]),
                         ([0, self.ROWS], self.commitment, "attested"))
        used = self.used()
        again = self.attest(self.commitment.upper())
        self.assertEqual((again["rows_attested"], again["requests"]), (self.ROWS, 0))
        self.assertEqual(self.used(), used)

    def test_what_is_not_so(self):
        self.assertEqual(self.attest("ab" * 32, code=5)["rows_rejected"], self.ROWS)
        self.run_program("attest", self.texts, "--commitment", "abc", "-o", self.folder / "x", service=self.service,
                         code=2)
        self.run_program("attest", self.texts, "-o", self.folder / "x", service=self.service, code=2)
        self.run_program("attest", self.texts, "--commitment", self.commitment, "-o", self.out, service=self.service,
                         code=7)

    def test_a_lost_response_is_named_and_not_asked_for_again(self):
        lost = self.script({"GET /account": (200, ACCOUNT), "POST /verify": None})
        self.assertEqual(self.attest(self.commitment, service=lost, code=75)["rows_unknown"], self.ROWS)
        self.assertEqual(self.attest(self.commitment, service=lost, code=75)["requests"], 0)
        self.assertEqual(len(lost.requests("POST", "/verify")), 1)


class KeyInFiles(SingleCalls):
    """A service that quotes the API key back, as it is or with JSON's escapes, wherever it has words of its own."""

    SPELLED = [KEY, KEY.replace("cyb", "\\u0063yb"), KEY.replace("_", "\\u005F"), KEY.replace("0123", "01\\u00323"),
               "cyb_\\/" + KEY[4:]]

    def find_keys(self):
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assertNotIn(KEY[8:].encode(), path.read_bytes(), path)
        for text in self.transcript:
            self.assertNotIn(KEY[8:], text)

    def test_in_the_receipts_and_refusals_of_attest(self):
        for number, spelled in enumerate(self.SPELLED):
            receipt = (f'{{"receipt_id":"r-1","job_id":"job-1","spec_hash":"{"ab" * 32}","inputs_root":"{"ab" * 32}",'
                       f'"outputs_root":"{"ab" * 32}","verification_attestation":"{"ab" * 32}",'
                       f'"verification_level":"standard {spelled}","executor_attestation_ids":["cyb-exec-1"],'
                       f'"issued_at":"2026-01-01T00:00:00Z","receipt_hash":"{"ab" * 32}","note":"{spelled}"}}')
            refusal = f'{{"error":"verification_failed","reason":"other than {spelled}","job_id":"job-1"}}'
            service = self.script({"GET /account": (200, ACCOUNT), "POST /verify": [(200, receipt), (422, refusal)]})
            for name in ("attested", "refused"):
                out = self.folder / f"{name}{number}.jsonl"
                self.finish(self.start("attest", self.write_lines(["one"]), "--commitment", "cd" * 32, "-o", out,
                                       "--json", "--log-level", "debug", service=service))
                self.assertEqual(len(out.read_text(encoding="utf-8").splitlines()), 2)
        self.find_keys()

    def test_in_the_files_of_a_run(self):
        for number, spelled in enumerate(self.SPELLED):
            refusal = f'{{"error":"invalid_request","message":"not with {spelled}"}}'
            service = self.script({"GET /account": (200, ACCOUNT), "POST /jobs": (400, refusal)})
            out = self.folder / f"out{number}"
            self.run_program("embed", self.write_lines(["one"]), "-o", out, "--json", "--log-level", "debug",
                             service=service, code=3)
            self.assertIn("not with", (out / "failed.jsonl").read_text(encoding="utf-8"))
        self.find_keys()


if __name__ == "__main__":
    unittest.main()
