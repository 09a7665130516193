"""What `vembed verify --online` makes of a folder and of what the service answers."""

import http.server
import json
import shutil
import threading
import unittest

from harness import ProgramTest, corpus
from test_verify_damage import ROW_BYTES, renew_records, rfc6962_root, sha256

CHECK = "service_check_now"


def forge(folder, row):
    """Other numbers in a row, and every record and receipt made anew so that all of the folder agrees with itself."""
    path = folder / "embeddings.npy"
    data = bytearray(path.read_bytes())
    data[128 + row * ROW_BYTES:128 + (row + 1) * ROW_BYTES] = b"\0\0\0\x3e" * (ROW_BYTES // 4)
    path.write_bytes(data)
    jobs = [json.loads(line) for line in (folder / "receipts.jsonl").read_text(encoding="utf-8").splitlines()]
    for job in jobs:
        rows = [i for first, end in job["rows"] for i in range(first, end)]
        for chunk in job["results"]["chunks"]:
            held = b"".join(bytes(data[128 + i * ROW_BYTES:128 + (i + 1) * ROW_BYTES])
                            for i in rows[chunk["row_start"]:chunk["row_end"]])
            chunk["output_commitment"] = sha256(held).hex()
        receipt = job["receipt"]
        chunks = job["results"]["chunks"]
        for field, over in (("outputs_root", chunks), ("verification_attestation", [
                chunk for chunk in chunks if chunk["selected_for_verification"]])):
            receipt[field] = rfc6962_root([sha256(b"\0" + bytes.fromhex(chunk["output_commitment"]))
                                           for chunk in over]).hex()
        del receipt["receipt_hash"]
        receipt["receipt_hash"] = sha256(json.dumps(receipt, sort_keys=True, separators=(",", ":")).encode()).hex()
    write_jobs(folder, jobs)


def write_jobs(folder, jobs):
    (folder / "receipts.jsonl").write_text("".join(json.dumps(job, separators=(",", ":")) + "\n" for job in jobs),
                                           encoding="utf-8")
    renew_records(folder)


class StandIn:
    """Answers with what a test says: path to (status, object). Anything else is not there."""

    def __init__(self, answers):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                status, body = answers.get(self.path, (404, {"error": "not_found"}))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def environment(self):
        return {"CYBERIAN_BASE_URL": self.base_url, "CYBERIAN_API_KEY": "cyb_" + "ab" * 20}

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class VerifyOnline(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "5")
        self.out = self.folder / "out"
        self.run_program("embed", self.write_lines(corpus(60)), "-o", self.out, "--rows-per-job", "20", "--model",
                         "bge-small-v1.5", service=self.service)

    def ask(self, code, service=None, folder=None, extra=None):
        """The check, the summary and what was said."""
        done = self.run_program("verify", folder or self.out, "--online", "--json", service=service or self.service,
                                extra=extra, code=code)
        checks = {check["name"]: check for check in done.objects("check")}
        return checks, done.object("verification"), done.err

    def jobs(self):
        return [json.loads(line) for line in (self.out / "receipts.jsonl").read_text(encoding="utf-8").splitlines()]

    def stand_in(self, change):
        """A service that has this folder's receipts, after `change` of {path: (status, body)}."""
        answers = {}
        for job in self.jobs():
            path = "/receipts/" + job["receipt"]["receipt_id"]
            answers[path] = (200, dict(reversed(list(job["receipt"].items()))))
            answers[path + "/verify"] = (200, {"valid": True, "checks": {}, "errors": []})
        change(answers)
        service = StandIn(answers)
        self.addCleanup(service.stop)
        manifest = self.manifest(self.out)
        manifest["service"] = service.base_url
        (self.out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        renew_records(self.out)
        return service

    def test_untouched(self):
        checks, summary, _ = self.ask(0)
        self.assertEqual((checks[CHECK]["verified"], checks[CHECK]["required"]), (3, True))
        self.assertEqual(summary["service_asked"], self.service.base_url)
        self.run_program("verify", self.out, "--online", "--require", "all,service_check_now", service=self.service,
                         code=6)  # Such a folder has no job_outputs.

    def test_a_folder_that_was_forged_to_agree_with_itself(self):
        folder = shutil.copytree(self.out, self.folder / "forged")
        forge(folder, 50)
        self.run_program("verify", folder)
        checks, summary, _ = self.ask(5, folder=folder)
        self.assertEqual(summary["failed"], [CHECK])
        self.assertEqual((checks[CHECK]["verified"], checks[CHECK]["failed"]), (2, 1))
        finding = checks[CHECK]["findings"][0]
        job = [job for job in self.jobs() if any(first <= 50 < end for first, end in job["rows"])][0]
        self.assertEqual((finding["receipt_id"], finding["job_id"]), (job["receipt"]["receipt_id"], job["job_id"]))
        self.assertRegex(finding["message"], "outputs_root, (verification_attestation, )?receipt_hash$")

    def test_the_order_of_keys_is_the_services_choice(self):
        self.ask(0, self.stand_in(lambda answers: None))

    def test_every_documented_field_is_compared(self):
        paths = ["/receipts/" + job["receipt"]["receipt_id"] for job in self.jobs()]
        changes = [("spec_hash", "0" * 64), ("inputs_root", "0" * 64), ("verification_attestation", "0" * 64),
                   ("executor_attestation_ids", ["another"]), ("issued_at", "2001-01-01T00:00:00Z"),
                   ("verification_level", None)]
        for name, value in changes:
            with self.subTest(field=name):
                def change(given, name=name, value=value):
                    given[paths[1]] = (200, given[paths[1]][1] | {name: value})
                checks, _, _ = self.ask(5, self.stand_in(change))
                self.assertEqual(checks[CHECK]["failed"], 1)
                self.assertTrue(checks[CHECK]["findings"][0]["message"].endswith(" " + name))

    def test_a_receipt_that_the_service_no_longer_has(self):
        path = "/receipts/" + self.jobs()[0]["receipt"]["receipt_id"]
        checks, summary, _ = self.ask(6, self.stand_in(lambda answers: answers.pop(path)))
        self.assertEqual((checks[CHECK]["verified"], checks[CHECK]["not_checkable"]), (2, 1))
        self.assertIn("the service does not have it", checks[CHECK]["reason"])
        self.assertEqual(summary["required_not_checkable"], [CHECK])

    def test_a_receipt_that_the_service_calls_invalid(self):
        path = "/receipts/" + self.jobs()[2]["receipt"]["receipt_id"] + "/verify"
        checks, _, _ = self.ask(5, self.stand_in(
            lambda answers: answers.update({path: (200, {"valid": False, "checks": {}, "errors": ["no"]})})))
        self.assertEqual((checks[CHECK]["verified"], checks[CHECK]["failed"]), (2, 1))

    def test_jobs_without_a_receipt_are_counted(self):
        jobs = self.jobs()
        jobs[1]["receipt"] = None
        jobs[1]["results"]["receipt_id"] = None
        write_jobs(self.out, jobs)
        checks, _, _ = self.ask(6)
        self.assertEqual((checks[CHECK]["verified"], checks[CHECK]["not_checkable"]), (2, 1))

    def test_a_key_that_the_service_refuses(self):
        wrong = {"CYBERIAN_API_KEY": "cyb_" + "ab" * 20}
        checks, summary, said = self.ask(4, extra=wrong)
        self.assertEqual((checks[CHECK]["verdict"], checks[CHECK]["not_checkable"]), ("not_checkable", 3))
        self.assertIn("unauthorized", checks[CHECK]["reason"])
        self.assertIn("unauthorized", said)
        self.assertEqual((checks["output_commitment"]["verified"], summary["exit_code"]), (12, 4))
        page = self.run_program("verify", self.out, "--online", service=self.service, extra=wrong, code=4).out
        self.assertTrue(page.splitlines()[-1].startswith("origin not proven"), page[-300:])
        path = self.out / "embeddings.npy"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        self.assertIn("row_hashes", self.ask(5, extra=wrong)[1]["failed"])

    def test_a_service_that_is_gone(self):
        self.service.stop()
        checks, _, _ = self.ask(6)
        self.assertEqual((checks[CHECK]["verdict"], checks[CHECK]["not_checkable"]), ("not_checkable", 3))

    def test_another_service_is_refused_before_the_work(self):
        (self.out / "embeddings.npy").unlink()
        (self.out / "embeddings.npy").mkdir()  # Nothing of it can be read.
        other = self.serve()
        done = self.run_program("verify", self.out, "--online", service=other, code=2)
        self.assertIn("--base-url", done.err)
        self.assertEqual(done.out, "")


if __name__ == "__main__":
    unittest.main()
