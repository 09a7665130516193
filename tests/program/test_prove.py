"""Row proofs from real folders: `vembed prove`, `vembed check-proof`, and Python alone."""

import hashlib
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import unittest

import harness
from harness import ProgramTest, corpus

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "check_row_proof.py"
ORIGIN = "origin not proven: receipts are not signed, so nothing here shows who issued this one"


def sha(data):
    return hashlib.sha256(data).digest()


def root_of(leaves):
    while len(leaves) > 1:
        pairs = [sha(b"\1" + leaves[i] + leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[len(pairs) * 2:]
    return leaves[0].hex()


def write_job_of_single_rows(folder, header, rows):
    """A finished folder of one job whose rows and chunks are all given one by one; `header` is that of a real one."""
    folder.mkdir()
    start = header[:header.index(b"\n") + 1]
    line = re.sub(rb"\(\d+, \d+\)", b"(%d, 1)" % rows, start).rstrip()
    row = b"\0\0\x80\x3f"
    texts = [(sha(b"t%d" % i), sha(b"\0t%d" % i)) for i in range(rows)]
    commitment = sha(row)
    receipt = {"receipt_id": "r", "job_id": "j", "spec_hash": "s", "inputs_root": root_of([one[1] for one in texts]),
               "outputs_root": root_of([sha(b"\0" + commitment)] * rows), "issued_at": "x"}
    receipt["receipt_hash"] = sha(json.dumps(dict(sorted(receipt.items())), separators=(",", ":")).encode()).hex()
    chunk = {"status": "VERIFIED", "output_commitment": commitment.hex(), "selected_for_verification": False}
    job = {"job_id": "j", "rows": [[i, i + 1] for i in range(rows)], "receipt": receipt,
           "results": {"job_id": "j", "status": "SETTLED", "receipt_id": "r",
                       "chunks": [{"chunk_index": i, "row_start": i, "row_end": i + 1, **chunk} for i in range(rows)]},
           "verification": {"valid": True, "checks": {}, "errors": []}}
    files = {"embeddings.npy": line + b" " * (len(start) - 1 - len(line)) + b"\n" + row * rows,
             "rows.sha256": sha(row) * rows, "texts.sha256": b"".join(a + b for a, b in texts),
             "ids.jsonl": b"".join(b'{"row":%d}\n' % i for i in range(rows)),
             "receipts.jsonl": json.dumps(job, separators=(",", ":")).encode() + b"\n"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    about = {"format": 1, "status": "complete", "verify": "receipt", "rows": rows, "rows_failed": 0, "dimensions": 1,
             "service": "s", "files": {name: {"sha256": sha(data).hex(), "bytes": len(data)} for name, data in files.items()},
             "row_root": {"root": root_of([sha(b"\0" + one[0] + sha(row)) for one in texts]), "rows": rows,
                          "leaf": "SHA-256(0x00 || SHA-256(text) || SHA-256(row))", "tree": "rfc6962"}}
    text = "{\n" + "".join(f"  {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))},\n"
                           for name, value in about.items())
    seal = sha(text.encode()).hex()
    (folder / "manifest.json").write_text(f'{text}  "manifest_sha256": "{seal}"\n}}\n', encoding="utf-8")


class Prove(ProgramTest):
    def embedded(self, rows, *arguments, code=0, service=()):
        """A folder of those rows."""
        self.service = self.serve("--chunk-size", "4", *service)
        self.out = self.folder / "out"
        self.run_program("embed", self.write_jsonl(rows), "-o", self.out, "--id-field", "id", *arguments,
                         service=self.service, code=code)
        return self.out

    def prove(self, *arguments, code=0, name="proof.json"):
        file = self.folder / name
        file.unlink(missing_ok=True)
        done = self.run_program("prove", self.out, *arguments, "-o", file, code=code)
        self.assertEqual(file.exists(), code == 0)
        return file if code == 0 else done.err

    def account(self):
        """The folder's account, as files of pins name it."""
        return f"{self.service.base_url} {self.manifest(self.out)['account']['id']}"

    def script(self, file, code=0):
        done = subprocess.run([sys.executable, "-B", SCRIPT, file], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def verdicts(self, file, *arguments, code=0):
        done = self.run_program("check-proof", file, *arguments, "--json", code=code)
        found = done.object("proof_check")
        self.assertEqual(found["exit_code"], code)
        return {check["name"]: check["verdict"] for check in found["checks"]}

    def test_a_row_with_both_parts(self):
        rows = corpus(43)
        out = self.embedded(rows)
        text = self.folder / "text"
        root = self.manifest(out)["row_root"]
        for row in (0, 17, 42):
            file = self.prove("--row", row, "--platform")
            text.write_text(rows[row], encoding="utf-8")
            seen = self.verdicts(file, "--root", root["root"], "--rows", root["rows"], "--text-file", text)
            left = {name for name, verdict in seen.items() if verdict != "verified"}
            self.assertLessEqual(left, {"origin", "verification_attestation"})
            proof = json.loads(file.read_text(encoding="utf-8"))
            reexecuted = proof["platform"]["chunk"]["selected_for_verification"]
            self.assertEqual("verification_attestation" in left, not reexecuted)
            self.assertEqual(proof["row"]["id"], f"id{row}")
            self.assertIn("verified  outputs_root", self.script(file))
            page = self.run_program("check-proof", file).out
            self.assertTrue(page.rstrip().endswith(ORIGIN), page)
            self.assertIn("under the word of whoever published the row root", page)
            self.assertIn("under the word of the service's receipt", page)
            self.assertIn("re-executed", page)
        text.write_text(rows[3], encoding="utf-8")
        self.assertEqual(self.verdicts(file, "--text-file", text, code=5)["text"], "failed")
        self.assertEqual(self.verdicts(file, "--root", "0" * 64, code=5)["expected_root"], "failed")

    def test_part_one_alone_by_id_and_to_standard_output(self):
        self.embedded(corpus(5))
        by_id = self.prove("--id", "id3").read_text(encoding="utf-8")
        done = self.run_program("prove", self.out, "--row", "3")
        self.assertEqual(done.out, by_id)
        self.assertIsNone(json.loads(by_id)["platform"])
        self.assertIn("Part two is not in this proof", self.run_program("check-proof", self.folder / "proof.json").out)
        report = self.run_program("prove", self.out, "--row", "3", "--platform", "--json", "-o", self.folder / "p.json")
        self.assertEqual(report.object("row_proof")["row"], 3)
        for wrong in ([], ["--row", "3", "--id", "id3"], ["--row", "5"], ["--id", "nobody"], ["--row", "-1"]):
            self.run_program("prove", self.out, *wrong, code=2)
        self.run_program("check-proof", self.folder / "p.json", "--root", "12", code=2)
        self.run_program("check-proof", self.folder / "p.json", "--rows", "5", code=2)

    def test_rows_that_are_not_like_the_others(self):
        rows = corpus(12)
        rows[5] = ""
        rows[11] = rows[2]
        cache = self.folder / "cache"
        self.embedded(rows, "--cache", cache, code=3)
        self.assertIn("failed", self.prove("--row", "5", code=1))
        copy = self.prove("--row", "11", "--platform")
        proof = json.loads(copy.read_text(encoding="utf-8"))
        self.assertEqual((proof["row"]["number"], proof["platform"]["of_row"]), (11, 2))
        self.assertIn("copy of row 2", self.run_program("check-proof", copy).out)
        self.script(copy)
        again = self.folder / "again"
        self.run_program("embed", self.folder / "corpus.jsonl", "-o", again, "--id-field", "id", "--cache", cache,
                         service=self.service, code=3)
        self.out = again
        self.assertIn("cache", self.prove("--row", "2", "--platform", code=1))
        self.script(self.prove("--row", "2"))

    def test_what_is_known_of_the_account(self):
        self.embedded(corpus(11), "--verify", "offline")
        proof = json.loads(self.prove("--row", "9", "--platform").read_text(encoding="utf-8"))["platform"]
        self.assertEqual(proof["outputs_root"]["basis"], "pinned")
        self.assertEqual(proof["chunk"]["basis"], "pinned")
        self.script(self.folder / "proof.json")
        pins = self.folder / "pins.json"
        self.prove("--row", "9", "--platform", "--pins", pins, code=1)
        pins.write_text('{"vembed_pins":1,"accounts":{}}', encoding="utf-8")
        self.prove("--row", "9", "--platform", "--pins", pins)

    def test_other_schemes(self):
        scheme = "as-sent/empty-receipt_hash/leaf-hex/node-plain/duplicate"
        self.embedded(corpus(11), service=["--receipt-scheme", scheme, "--commitment", "sha256-twice"])
        file = self.prove("--row", "9", "--platform")
        proof = json.loads(file.read_text(encoding="utf-8"))["platform"]
        self.assertEqual(proof["outputs_root"]["scheme"], "leaf-hex/node-plain/duplicate")
        self.assertEqual(proof["receipt_hash"]["scheme"], "as-sent/empty-receipt_hash")
        self.assertEqual(proof["chunk"]["coding"], "sha256-twice")
        self.assertIn("do not keep data and nodes apart",
                      self.run_program("prove", self.out, "--row", "9", "--platform", "-o", self.folder / "p").err)
        seen = self.verdicts(file, code=6)
        self.assertEqual((seen["text_leaf"], seen["outputs_root"]), ("verified", "not_checkable"))
        self.assertIn("only known pins", self.run_program("check-proof", file, code=6).out)
        self.assertIn("keeps data and nodes apart", self.script(file, code=5))
        # Who has looked at the account's receipts knows better than to take the proof's word.
        pins = self.folder / "known" / "pins.json"
        self.run_program("verify", self.out, "--pins", pins, "--learn-pins")
        seen = self.verdicts(file, "--pins", pins)
        self.assertEqual(set(seen.values()) - {"verified"}, {"not_checkable"})
        self.assertEqual({seen[name] for name in ("receipt_hash", "output_commitment", "outputs_root", "inputs_root")},
                         {"verified"})
        page = self.run_program("check-proof", file, "--pins", pins).out
        self.assertIn("pinned:leaf-hex/node-plain/duplicate", page)
        self.assertIn("Schemes as known of account", page)
        unknown = self.folder / "unknown.json"
        unknown.write_text(file.read_text(encoding="utf-8").replace("leaf-hex/node-plain", "leaf-hex/node-02"),
                           encoding="utf-8")
        self.assertEqual(self.verdicts(unknown, code=6)["outputs_root"], "not_checkable")
        self.script(unknown, code=5)

    def test_under_some_schemes_the_text_excludes_that_it_is_a_node(self):
        scheme = "jcs/without-receipt_hash/leaf-plain/node-hex/rfc6962"
        rows = corpus(10)
        rows[3] = sha(b"left").hex() + sha(b"right").hex()
        self.embedded(rows, "--verify", "offline", service=("--receipt-scheme", scheme))
        pins = self.folder / "known.json"
        self.run_program("verify", self.out, "--pins", pins, "--learn-pins")
        text = self.folder / "text"
        for row, code in ((2, 0), (3, 6)):
            file = self.prove("--row", row, "--platform")
            text.write_text(rows[row], encoding="utf-8")
            self.assertIn("--text-file", self.run_program("check-proof", file, "--pins", pins, code=6).out)
            seen = self.verdicts(file, "--pins", pins, "--text-file", text, code=code)
            self.assertEqual(seen["inputs_root"], "not_checkable" if code else "verified")
            self.assertEqual((seen["text_leaf"], seen["outputs_root"]), ("verified", "verified"))
            self.script(file, code=5)  # It has no pins.

    def test_whose_schemes_count(self):
        """The account is named by whoever checks, never by the proof or by which of a file's accounts would fit."""
        self.embedded(corpus(11))
        file = self.prove("--row", "9", "--platform")
        default = {"receipt_hash": ["jcs/without-receipt_hash"], "outputs_root": ["leaf-00/node-01/rfc6962"]}
        other = {"outputs_root": ["leaf-plain/node-plain/rfc6962"]}
        state = self.folder / "state"
        pins = state / "vembed" / "pins.json"
        pins.parent.mkdir(parents=True, exist_ok=True)

        def known(accounts):
            pins.write_text(json.dumps({"vembed_pins": 1, "accounts": accounts}), encoding="utf-8")

        known({"https://a acc_1": default, "https://b acc_2": other})
        for arguments, code in ((["--account", "acc_1"], 0), (["--account", "https://a acc_1"], 0),
                                (["--account", "acc_2"], 5)):
            for where in ([], ["--pins", pins]):
                done = self.run_program("check-proof", file, *arguments, *where, "--json", code=code,
                                        extra={"XDG_STATE_HOME": str(state)})
                found = done.object("proof_check")
                self.assertEqual(found["account"], "https://b acc_2" if code else "https://a acc_1")
                check = [one for one in found["checks"] if one["name"] == "outputs_root"][0]
                self.assertTrue(check["basis"].startswith("pinned:"), check)
        self.assertIn("--account", self.run_program("check-proof", file, "--pins", pins, code=2).err)
        self.assertIn("acc_1", self.run_program("check-proof", file, "--pins", pins, "--account", "acc", code=2).err)
        known({"https://b acc_2": other})
        self.run_program("check-proof", file, "--pins", pins, code=5)
        done = self.run_program("check-proof", file, "--json", extra={"XDG_STATE_HOME": str(state)})
        self.assertIsNone(done.object("proof_check")["account"], "nothing is taken as known that was not asked for")
        pins.write_text('{"vembed_pins":1,"accounts":' + "[" * 40 + "]" * 40 + "}", encoding="utf-8")
        for command in (["check-proof", file], ["prove", self.out, "--row", "1", "--platform"], ["verify", self.out]):
            done = self.run_program(*command, "--pins", pins, code=2)
            self.assertIn(f"{pins}: ", done.err)

    def test_a_file_full_of_values_takes_little_memory(self):
        file = self.folder / "large.json"
        limit = 400 << 20

        def limited(*arguments):
            return subprocess.run([harness.PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))

        if limited("--version").returncode != 0:
            self.skipTest("the shadow memory of a sanitizer does not fit the limit")
        for text in ("[" + "0," * (31 << 20) + "0]", "{" + '"a":0,' * (10 << 20) + '"b":0}'):
            file.write_text(text, encoding="ascii")
            done = limited("check-proof", file)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("too many values", done.stdout)

    def test_a_job_of_many_ranges_and_chunks(self):
        """What one step of one row costs must not grow with the job: four times the rows take four times the work, where
        a walk through the job at every row would take sixteen times."""
        header = (self.embedded(corpus(2)) / "embeddings.npy").read_bytes()
        pins = self.folder / "pins.json"
        tree = ["leaf-00/node-01/rfc6962"]
        pins.write_text(json.dumps({"vembed_pins": 1, "accounts": {"s ": {
            "receipt_hash": ["jcs/without-receipt_hash"], "inputs_root": tree, "outputs_root": tree,
            "output_commitment": ["sha256"], "verification_attestation": tree}}}), encoding="utf-8")
        rows = 10_000 if "VEMBED_INSTRUMENTED" in os.environ else 40_000
        few = self.work_of_the_last_row(header, rows, pins)
        many = self.work_of_the_last_row(header, 4 * rows, pins)
        self.assertLess(many, 8 * few)

    def work_of_the_last_row(self, header, rows, pins):
        """Seconds of processor time that `prove` takes for the last row of a job whose chunks have a row each."""
        folder = self.folder / f"of-{rows}"
        write_job_of_single_rows(folder, header, rows)
        file = self.folder / f"proof-{rows}.json"
        with subprocess.Popen([harness.PROGRAM, "prove", folder, "--row", str(rows - 1), "--platform", "--pins", pins,
                               "-o", file], stderr=subprocess.PIPE, text=True) as process:
            said = process.stderr.read()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual(json.loads(file.read_text(encoding="utf-8"))["platform"]["row_in_job"], rows - 1)
        return used.ru_utime + used.ru_stime

    def test_what_changed_is_never_proven(self):
        out = self.embedded(corpus(9))
        for name, at in (("embeddings.npy", -3), ("rows.sha256", 70), ("texts.sha256", 3)):
            path = out / name
            good = path.read_bytes()
            bad = bytearray(good)
            bad[at] ^= 1
            path.write_bytes(bad)
            self.assertIn("vembed verify", self.prove("--row", "8", code=5))
            path.write_bytes(good[:-1])
            self.prove("--row", "8", code=5)
            path.write_bytes(good)
        receipts = out / "receipts.jsonl"
        good = receipts.read_text(encoding="utf-8")
        spoiled = re.sub(r'("output_commitment":")(.)', lambda m: m[1] + ("0" if m[2] != "0" else "1"), good, count=1)
        receipts.write_text(spoiled, encoding="utf-8")
        self.assertIn("output_commitment", self.prove("--row", "8", "--platform", code=5))
        self.prove("--row", "8")
        # A root that no scheme gives is a question where nothing is known of the account; no proof either way.
        receipts.write_text(good.replace('"outputs_root":"', '"outputs_root":"0'), encoding="utf-8")
        said = self.prove("--row", "8", "--platform", code=6)
        self.assertIn("outputs_root", said)
        self.assertIn("--pins", said)
        pins = self.folder / "pins.json"
        tree = ["leaf-00/node-01/rfc6962"]
        account = self.account()
        pins.write_text(json.dumps({"vembed_pins": 1, "accounts": {account: {"outputs_root": tree}}}), encoding="utf-8")
        self.assertIn("outputs_root", self.prove("--row", "8", "--platform", "--pins", pins, code=5))
        receipts.write_text(good, encoding="utf-8")
        self.prove("--row", "8", "--platform")

    def test_each_way_to_end_has_its_status(self):
        out = self.embedded(corpus(9), "--verify", "hash")
        file = self.prove("--row", "3")
        nowhere = self.folder / "nowhere"
        other = self.folder / "pins.json"
        other.write_text('{"vembed_pins":1,"accounts":{"https://a acc_1":{"outputs_root":["leaf-of-later/n/o"]}}}',
                         encoding="utf-8")
        for code, arguments in (
                (0, ["prove", out, "--row", "3"]), (2, ["prove", out, "--row", "9"]), (2, ["prove", out, "--id", "x"]),
                (1, ["prove", nowhere, "--row", "3"]), (1, ["prove", out, "--row", "3", "-o", nowhere / "proof"]),
                (1, ["prove", out, "--row", "3", "--platform"]),  # Its receipt was not kept.
                (1, ["prove", out, "--row", "3", "--platform", "--pins", nowhere]),
                (0, ["check-proof", file]), (0, ["check-proof", file, "--pins", other]), (2, ["check-proof"]),
                (1, ["check-proof", nowhere]), (1, ["check-proof", out]), (1, ["check-proof", file, nowhere]),
                (1, ["check-proof", file, "--text-file", nowhere]), (1, ["check-proof", file, "--pins", nowhere]),
                (2, ["check-proof", file, "--pins", other, "--account", "acc_2"]), (5, ["check-proof", other]),
                (5, ["check-proof", other, nowhere])):
            done = self.run_program(*arguments, code=code)
            self.assertTrue(done.err or code in (0, 5), arguments)
        (out / "manifest.json").rename(self.folder / "manifest.json")
        self.assertIn("unfinished", self.prove("--row", "3", code=75))

    def test_a_scheme_that_only_a_later_version_knows(self):
        self.embedded(corpus(9))
        known = {self.account(): {"outputs_root": ["leaf-of-later/n/o"]}}
        pins = self.folder / "pins.json"
        pins.write_text(json.dumps({"vembed_pins": 1, "accounts": known}), encoding="utf-8")
        said = self.prove("--row", "3", "--platform", "--pins", pins, code=6)
        self.assertIn("outputs_root", said)
        self.assertIn("a scheme that this version does not know", said)
        file = self.prove("--row", "3", "--platform")
        self.assertEqual(self.verdicts(file, "--pins", pins, code=6)["outputs_root"], "not_checkable")

    def test_several_files_and_damaged_ones(self):
        self.embedded(corpus(9))
        files = [self.prove("--row", row, "--platform", name=f"{row}.json") for row in range(3)]
        done = self.run_program("check-proof", *files)
        self.assertEqual([line.split(": ")[1].split(",")[0] for line in done.out.splitlines()[:3]], ["verified"] * 3)
        self.assertEqual(done.out.splitlines()[-1], ORIGIN)
        text = files[1].read_text(encoding="utf-8")
        bytes_of_chunk = json.loads(text)["platform"]["chunk"]["bytes"]
        files[1].write_text(text.replace(bytes_of_chunk, "A" + bytes_of_chunk[1:]
                                         if bytes_of_chunk[0] != "A" else "B" + bytes_of_chunk[1:]), encoding="utf-8")
        done = self.run_program("check-proof", *files, "--json", code=5)
        self.assertEqual([found["outcome"] for found in done.objects("proof_check")], ["verified", "failed", "verified"])
        self.script(files[1], code=5)
        files[2].write_bytes(b"\xff\x00")
        self.assertEqual(self.verdicts(files[2], code=5)["proof_form"], "failed")
        self.run_program("check-proof", self.folder / "nowhere.json", code=1)
        self.run_program("check-proof", self.folder / "nowhere.json", files[1], code=5)

    def test_the_script_says_what_it_cannot_read(self):
        self.assertLess(len(SCRIPT.read_text(encoding="utf-8").splitlines()), 65, "as docs/row-proofs.md has it")
        self.embedded(corpus(3))
        file = self.prove("--row", "1")
        for code, arguments, said in ((2, [], "usage"), (2, [file, file], "usage"), (2, [self.folder], "directory"),
                                      (2, [self.folder / "nowhere.json"], "No such file"), (0, [file], "")):
            done = subprocess.run([sys.executable, "-B", SCRIPT, *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (code, 2 if code else 0), done.stderr)
            self.assertIn(said, done.stderr)

    def test_an_unfinished_run(self):
        self.service = self.serve("--chunk-size", "4")
        self.out = self.folder / "half"
        self.run_program("embed", self.write_jsonl(corpus(40)), "-o", self.out, "--rows-per-job", "4", "--max-chunks",
                         "2", service=self.service, code=1)
        self.assertIn("unfinished", self.prove("--row", "0", code=75))

    def test_the_lines_of_the_document(self):
        """What docs/row-proofs.md shows an auditor, run as it stands but for the row root."""
        document = (ROOT / "docs" / "row-proofs.md").read_text(encoding="utf-8")
        found = re.search(r"```python\n(import base64, hashlib.*?)```", document, re.DOTALL)
        self.assertIsNotNone(found)
        lines = found.group(1)
        self.assertLessEqual(len(lines.splitlines()), 10)
        rows = corpus(21)
        out = self.embedded(rows)
        program = self.folder / "audit.py"
        root = self.manifest(out)["row_root"]["root"]
        self.assertIn('"03a41f66…"', lines)
        program.write_text(lines.replace('"03a41f66…"', f'"{root}"'), encoding="utf-8")
        for row in range(21):
            self.prove("--row", row, name="row7.json")
            text = self.folder / "row7.txt"
            for what, good in ((rows[row], True), (rows[row] + " ", False)):
                text.write_text(what, encoding="utf-8")
                done = subprocess.run([sys.executable, program], cwd=self.folder, capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode == 0, good, done.stderr)
        self.damaged_proofs_of_the_document(program, rows[20])

    def damaged_proofs_of_the_document(self, program, text):
        """Row 20 of 21 with its number, size or path changed: refused, and never looked at forever."""
        file = self.folder / "row7.json"
        whole = json.loads(file.read_text(encoding="utf-8"))
        (self.folder / "row7.txt").write_text(text, encoding="utf-8")
        extra = "ab" * 32
        path = whole["row"]["path"]
        for change in ({}, {"path": path + [extra]}, {"path": [extra] + path}, {"path": path[:-1]}, {"path": []},
                       {"number": 20 + 32}, {"number": 0}, {"number": -1}, {"number": 21}, {"rows": 20}, {"rows": 0},
                       {"number": 0, "rows": 1}, {"number": 0, "rows": 1, "path": [extra] * 3}):
            file.write_text(json.dumps({**whole, "row": {**whole["row"], **change}}), encoding="utf-8")
            done = subprocess.run([sys.executable, program], cwd=self.folder, capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode == 0, not change, f"{change}: {done.stderr}")


if __name__ == "__main__":
    unittest.main()
