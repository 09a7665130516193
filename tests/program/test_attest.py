"""`vembed attest`: embeddings of one's own, verified by the service."""

import hashlib
import http.server
import json
import re
import signal
import socket
import struct
import threading
import unittest

from harness import ProgramTest, corpus


def npy(rows, dimensions, values, descr="<f4", order="False", version=1):
    """A file as numpy writes it."""
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({rows}, {dimensions}), }}"
    fixed = 10 if version == 1 else 12
    header += " " * (-(fixed + len(header) + 1) % 64) + "\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + values


class ScriptedService:
    """Answers POST /verify as it is told: with a status and an object, or, for None, not at all."""

    def __init__(self, responses):
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                known = {"/account": {"account_id": "acc_1", "limits": {}}, "/models": {"models": []}}
                self.answer(200, json.dumps(known[self.path]).encode())

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                response = script.responses.pop(0)
                if response is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self.answer(response[0], b"" if response[1] is None else json.dumps(response[1]).encode())

            def log_message(self, *_):
                pass

        self.responses = list(responses)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # Connections that are closed on purpose are no news.
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def environment(self):
        return {"CYBERIAN_BASE_URL": f"http://127.0.0.1:{self.server.server_port}",
                "CYBERIAN_API_KEY": "cyb_0123456789abcdef0123456789abcdef01234567"}

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Attest(ProgramTest):
    ROWS = 25
    WIDTH = 1024 * 4

    def setUp(self):
        super().setUp()
        self.texts = corpus(self.ROWS)
        self.file = self.write_lines(self.texts)
        service = self.serve()
        self.run_program("embed", self.file, "-o", self.folder / "own", service=service)
        service.stop()
        whole = (self.folder / "own" / "embeddings.npy").read_bytes()
        self.values = whole[len(whole) - self.ROWS * self.WIDTH:]
        self.rows = self.folder / "mine.npy"
        self.rows.write_bytes(npy(self.ROWS, 1024, self.values))
        self.out = self.folder / "receipts.jsonl"

    def attest(self, service, *more, code=0, rows=None):
        return self.run_program("attest", self.file, "--npy", rows or self.rows, "-o", self.out, "--json", *more,
                                service=service, code=code)

    def lines(self):
        text = self.out.read_text(encoding="utf-8")
        self.assertTrue(text.endswith("\n"))
        header, *lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(header["vembed_attest"], 1)
        return lines

    def charged(self, service):
        account = self.run_program("account", "--json", service=service).object("account")
        return account["chunks_consumed_period"]

    def changed(self, byte):
        values = bytearray(self.values)
        values[byte] ^= 1
        path = self.folder / "changed.npy"
        path.write_bytes(npy(self.ROWS, 1024, bytes(values)))
        return path

    def test_every_row_gets_a_receipt_in_requests_of_one_chunk(self):
        service = self.serve("--chunk-size", "10")
        report = self.attest(service, "--chunk-size", "10").object("report")
        self.assertEqual((report["rows_total"], report["rows_attested"], report["requests"]), (25, 25, 3))
        self.assertEqual(report["checks"]["receipt_hash"]["verified"], 3)
        self.assertEqual(report["checks"]["outputs_root"]["verified"], 3)
        self.assertRegex(report["checks"]["receipt_hash"]["basis"], "assumed:|pinned:")
        lines = sorted(self.lines(), key=lambda line: line["rows"])
        self.assertEqual([line["rows"] for line in lines], [[0, 10], [10, 20], [20, 25]])
        for line in lines:
            first, end = line["rows"]
            digest = hashlib.sha256(self.values[first * self.WIDTH:end * self.WIDTH]).hexdigest()
            self.assertEqual((line["outcome"], line["commitment"]), ("attested", digest))
            self.assertEqual(line["receipt"]["receipt_id"], line["receipt_id"])
            self.assertEqual(line["inputs_root"], line["receipt"]["inputs_root"])
        self.assertEqual((self.folder / "receipts.jsonl.sent").read_bytes(), b"")

    def test_blank_lines_are_counted_apart_and_no_failure(self):
        self.texts[0] = self.texts[12] = ""
        self.file = self.write_lines(self.texts, "blank.txt")
        service = self.serve("--chunk-size", "10")
        done = self.attest(service)
        report = done.object("report")
        self.assertEqual((report["rows_attested"], report["rows_blank"], report["rows_refused"]), (23, 2, 0))
        self.assertIn("2 blank lines have no text to attest", done.err)
        self.assertNotIn("refused", done.err)
        again = self.attest(service).object("report")
        self.assertEqual((again["rows_attested_before"], again["rows_blank"], again["requests"]), (23, 2, 0))
        self.out = self.folder / "fail.jsonl"
        failed = self.attest(service, "--blank-lines", "fail", "-q", code=3)
        self.assertEqual((failed.object("report")["rows_refused"], failed.object("report")["rows_blank"]), (2, 0))
        self.assertRegex(failed.err, f"23 of 25 rows attested, in {self.out}\n.* 2 refused or not sent:\n")

    def test_the_same_command_again_asks_for_nothing(self):
        service = self.serve("--chunk-size", "10")
        self.attest(service, "--chunk-size", "10")
        before, charged = self.out.read_bytes(), self.charged(service)
        again = self.attest(service, "--chunk-size", "10").object("report")
        self.assertEqual((again["rows_attested"], again["rows_attested_before"], again["requests"]), (25, 25, 0))
        # Requests of another size go on from what is there as well.
        self.attest(service)
        self.assertEqual((self.out.read_bytes(), self.charged(service)), (before, charged))

    def test_other_rows_are_rejected_and_named(self):
        service = self.serve("--chunk-size", "10")
        wrong = self.changed(12 * self.WIDTH + 100)
        finished = self.attest(service, "--chunk-size", "10", code=5, rows=wrong)
        report = finished.object("report")
        self.assertEqual((report["rows_attested"], report["rows_rejected"]), (15, 10))
        self.assertEqual(report["not_attested"][0]["rows"], [10, 20])
        self.assertIn("rows 10-19 rejected", finished.err)
        self.assertIn(report["not_attested"][0]["job_id"], finished.err)
        charged = self.charged(service)
        self.attest(service, "--chunk-size", "10", code=5, rows=wrong)
        self.assertEqual(self.charged(service), charged, "what was rejected is not asked for again")
        # With the right rows, those alone are asked for.
        self.assertEqual(self.attest(service, "--chunk-size", "10").object("report")["requests"], 1)

    def test_rows_that_changed_since_are_told(self):
        service = self.serve()
        self.attest(service)
        said = self.attest(service, rows=self.changed(0), code=7)
        self.assertIn("rows 0 to 24", said.err)
        other = self.run_program("attest", self.file, "--npy", self.rows, "-o", self.out, "--model", "bge-small-v1.5",
                                 service=service, code=2)
        self.assertIn("384", other.err)
        self.out.write_text("mine\n", encoding="utf-8")
        self.attest(service, code=1)
        self.assertEqual(self.out.read_text(encoding="utf-8"), "mine\n")

    def test_a_specifications_chunk_size_is_the_size_of_requests(self):
        spec = self.folder / "spec.yaml"
        spec.write_text("model: bge-large-v1.5\nchunking:\n  chunk_size: \"10\"\n", encoding="utf-8")
        service = self.serve()
        finished = self.attest(service, "--spec", spec, "--jobs", "1")
        report = finished.object("report")
        self.assertEqual((report["rows_attested"], report["rows_per_request"], report["requests"]), (25, 10, 3))
        self.assertNotIn("trying", finished.err)
        self.assertEqual(len(self.lines()), 3)
        spec.write_text("model: bge-large-v1.5\nchunking:\n  chunk_size: 10\n", encoding="utf-8")
        self.out = self.folder / "other.jsonl"
        self.assertEqual(self.attest(service, "--spec", spec).object("report")["requests"], 3)

    def test_unfit_rows_are_left_out(self):
        texts = list(self.texts)
        texts[3] = ""
        self.file = self.write_lines(texts)
        values = bytearray(self.values)
        values[24 * self.WIDTH:24 * self.WIDTH + 4] = struct.pack("<f", float("nan"))
        path = self.folder / "nan.npy"
        path.write_bytes(npy(self.ROWS, 1024, bytes(values)))
        service = self.serve()
        finished = self.attest(service, rows=path, code=3)
        self.assertEqual(sorted(line["rows"] for line in self.lines()), [[0, 3], [4, 24]])
        self.assertIn("1 blank line has no text to attest", finished.err)
        self.assertNotIn("row 3 not sent", finished.err)
        self.assertIn("row 24 not sent: its row has a number that is not finite", finished.err)
        self.attest(service, rows=path, code=3)

    def begin_slowly(self):
        """A service that takes its time, and a run with one request under way there."""
        service = self.serve("--settle-delay", "50000", "--chunk-size", "5")
        process = self.start("attest", self.file, "--npy", self.rows, "-o", self.out, "--chunk-size", "5", "--jobs",
                             "1", service=service)
        sent = self.folder / "receipts.jsonl.sent"
        while not (sent.exists() and b"request" in sent.read_bytes()):
            self.assertIsNone(process.poll())
        return service, process

    def go_on(self, unknown):
        """Another service at the same place: what was under way is asked for only where that is said."""
        quick = self.serve("--chunk-size", "5")
        text = self.out.read_text(encoding="utf-8")
        self.out.write_text(re.sub(r"http://[0-9.:]+", quick.base_url, text, count=1), encoding="utf-8")
        said = self.attest(quick, "--chunk-size", "5", code=75)
        report = said.object("report")
        self.assertEqual((report["rows_attested"], report["rows_unknown"]), (25 - unknown, unknown))
        self.assertIn("--retry-unknown", said.err)
        again = self.attest(quick, "--chunk-size", "5", code=75).object("report")
        self.assertEqual(again["requests"], 0)
        report = self.attest(quick, "--chunk-size", "5", "--retry-unknown").object("report")
        self.assertEqual((report["rows_attested"], report["requests"]), (25, unknown // 5))

    def test_a_killed_run_names_what_was_under_way(self):
        _, process = self.begin_slowly()
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.go_on(5)
        first = self.lines()[0]
        self.assertEqual((first["outcome"], first["rows"]), ("unknown", [0, 5]))
        self.assertIn("the program ended", first["reason"])

    def test_lost_late_and_other_responses(self):
        scripted = ScriptedService([
            None, (504, {"error": "verification_timeout", "job_id": "job_late"}),
            (422, {"error": "verification_failed", "reason": "outputs differ", "job_id": "job_wrong"})])
        self.addCleanup(scripted.stop)
        more = ("--chunk-size", "10", "--jobs", "1")
        finished = self.attest(scripted, *more, code=5)
        outcomes = [(line["rows"], line["outcome"], line["job_id"]) for line in self.lines()]
        self.assertEqual(outcomes, [([0, 10], "unknown", ""), ([10, 20], "timed_out", "job_late"),
                                    ([20, 25], "rejected", "job_wrong")])
        for said in ("rows 0-9 unknown", "rows 10-19 timed_out", "rows 20-24 rejected", "outputs differ"):
            self.assertIn(said, finished.err)
        # Only what came too late is asked for again; what a proxy says is no answer.
        scripted.responses = [(502, None)]
        report = self.attest(scripted, *more, code=5).object("report")
        self.assertEqual((report["requests"], report["rows_unknown"], report["rows_timed_out"]), (1, 20, 0))
        # A refusal of the account stops the run and leaves no line.
        before = self.out.read_bytes()
        scripted.responses = [(402, {"error": "trial_expired"})]
        self.attest(scripted, *more, "--retry-unknown", code=4)
        scripted.responses = [(402, {"error": "quota_exceeded"})]
        self.attest(scripted, *more, "--retry-unknown", code=75)
        self.assertEqual(self.out.read_bytes(), before)

    def test_ctrl_c_waits_for_what_is_under_way(self):
        service = self.serve("--settle-delay", "700", "--chunk-size", "5")
        process = self.start("attest", self.file, "--npy", self.rows, "-o", self.out, "--chunk-size", "5", "--jobs",
                             "2", "--json", service=service)
        self.wait_for_line(process.stdout, r'"claim"')
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 75)
        lines = self.lines()
        self.assertTrue(all(line["outcome"] == "attested" for line in lines))
        self.assertLess(len(lines), 5)
        self.assertEqual(self.attest(service, "--chunk-size", "5").object("report")["rows_attested"], 25)

    def test_matrices_that_are_none(self):
        service = self.serve()
        size = len(self.values)
        for what, content, said in (
                ("float64", npy(25, 512, self.values, descr="<f8"), "astype"),
                ("big-endian", npy(25, 1024, self.values, descr=">f4"), "astype"),
                ("Fortran", npy(25, 1024, self.values, order="True"), "ascontiguousarray"),
                ("short", npy(25, 1024, self.values[:-4]), "copied whole"),
                ("long", npy(25, 1024, self.values + b"1234"), "copied whole"),
                ("rows", npy(24, 1024, self.values[:24 * self.WIDTH]), "25 texts"),
                ("empty", b"", "does not begin"),
                ("text", b"row\n" * 100, "does not begin"),
                ("cut", npy(25, 1024, self.values)[:40], "longer"),
                ("flat", npy(25, 1024, self.values).replace(b"(25, 1024)", b"(25600,  )"), "axes"),
                ("shapeless", npy(25, 1024, self.values).replace(b"'shape'", b"'shapf'"), "header")):
            path = self.folder / "bad.npy"
            path.write_bytes(content)
            self.assertIn(said, self.attest(service, rows=path, code=1).err, what)
        self.assertEqual(self.charged(service), 0)
        path = self.folder / "newer.npy"
        path.write_bytes(npy(25, 1024, self.values, version=2))
        self.attest(service, rows=path)
        self.assertEqual(size, 25 * self.WIDTH)

    def test_a_receipt_that_does_not_hold(self):
        service = self.serve("--chunk-size", "5", "--spoil", "inputs_root_forged@3")
        report = self.attest(service, "--chunk-size", "5", "--jobs", "1", code=5).object("report")
        self.assertEqual((report["rows_attested"], report["rows_unverified"]), (20, 5))
        bad = [line for line in self.lines() if line["outcome"] == "unverified"]
        self.assertEqual([line["rows"] for line in bad], [[10, 15]])
        self.assertIn("inputs_root", bad[0]["reason"])
        self.assertEqual(bad[0]["receipt"]["receipt_id"], bad[0]["receipt_id"])

    def refused(self, service, change, place):
        """What the command says of the file with that change of the line about rows 10*place to 10*place+9."""
        good = self.out.read_text(encoding="utf-8")
        header, *lines = good.splitlines()
        number = next(i for i, line in enumerate(lines) if json.loads(line)["rows"][0] == 10 * place)
        changed = {**json.loads(lines[number]), **change}
        lines[number] = json.dumps(changed, separators=(",", ":"))
        bad = "".join(f"{line}\n" for line in (header, *lines))
        self.out.write_text(bad, encoding="utf-8")
        charged = self.charged(service)
        said = self.attest(service, "--chunk-size", "10", code=5)
        self.assertIn(f"{self.out}:{number + 2}: ", said.err)
        self.assertIn("take it out", said.err)
        self.assertNotIn("goes on where", said.err)
        self.assertEqual(said.object("report")["requests"], 0)
        self.assertEqual((self.charged(service), self.out.read_text(encoding="utf-8")), (charged, bad))
        self.out.write_text(good, encoding="utf-8")
        return said.err

    def test_a_line_is_attested_by_its_receipt_alone(self):
        service = self.serve("--chunk-size", "10")
        self.attest(service, "--chunk-size", "10", "--jobs", "1")
        first, second, _ = self.lines()
        swapped = {name: first[name] for name in ("receipt", "receipt_id", "job_id")}
        later = {"issued_at": "2001-01-01T00:00:00.000Z"}
        for said, change in (
                ("no receipt", {"receipt": None}), ("no receipt", {"receipt": None, "checks": None}),
                ("cannot be read", {"receipt": {"receipt_id": second["receipt_id"]}}),
                ("another receipt_id", {"receipt": first["receipt"]}), ("another job_id", {"job_id": "job_1"}),
                ("another receipt_id", {"receipt_id": ""}), ("fails the check outputs_root", swapped),
                ("receipt_hash", {"receipt": {**second["receipt"], **later}}),
                ("outputs_root", {"commitment": first["commitment"]}),
                ("what of its receipt was checked", {"checks": None}),
                ("outputs_root was not verified", {"checks": {"outputs_root": {"verdict": "failed", "basis": "none"}}})):
            self.assertIn(said, self.refused(service, change, 1), change)
        # With nothing known yet of the account's schemes, what the line itself says of its checks tells.
        swapped = {name: second[name] for name in ("receipt", "receipt_id", "job_id")}
        self.assertIn("does not show outputs_root any more", self.refused(service, swapped, 0))
        lines = self.out.read_text(encoding="utf-8").splitlines(keepends=True)
        self.out.write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")
        self.assertEqual(self.attest(service, "--chunk-size", "10").object("report")["requests"], 1)

    def test_an_outcome_changed_to_attested_is_not_believed(self):
        service = self.serve("--chunk-size", "10", "--spoil", "inputs_root_forged@2")
        wrong = self.changed(24 * self.WIDTH)
        self.attest(service, "--chunk-size", "10", "--jobs", "1", rows=wrong, code=5)
        self.assertEqual([line["outcome"] for line in self.lines()], ["attested", "unverified", "rejected"])
        self.assertIn("fails the check inputs_root", self.refused(service, {"outcome": "attested"}, 1))
        good = self.rows
        self.rows = wrong
        self.assertIn("no receipt", self.refused(service, {"outcome": "attested"}, 2))
        self.rows = good

    def test_pins_of_the_account_count_for_earlier_lines(self):
        service = self.serve("--chunk-size", "10")
        self.attest(service, "--chunk-size", "10")
        pins = self.folder / "pins.json"
        account = self.run_program("account", "--json", service=service).object("account")["account_id"]
        other = {"inputs_root": ["leaf-hex/node-hex/duplicate"]}
        pins.write_text(json.dumps({"vembed_pins": 1, "accounts": {f"{service.base_url} {account}": other}}),
                        encoding="utf-8")
        said = self.attest(service, "--chunk-size", "10", "--pins", pins, code=5)
        self.assertIn("fails the check inputs_root", said.err)


if __name__ == "__main__":
    unittest.main()
