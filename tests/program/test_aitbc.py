"""`vembed aitbc` against a local service of AITBC, in both dialects."""

import json
import re
import signal
import subprocess
import unittest

from harness import ProgramTest
from scripted_http import ScriptedHttp

NO_LIMIT = ("--requests-per-minute", "0", "--requests-per-hour", "0")


class AitbcTest(ProgramTest):
    def serve_jobs(self, *arguments, dialect="docs", job_time=0):
        service = self.serve("--api", "aitbc", "--dialect", dialect, "--job-time", str(job_time), *NO_LIMIT,
                             *arguments)
        service.dialect = dialect
        return service

    def aitbc(self, service, command, *arguments, **options):
        return self.run_program("aitbc", command, "--dialect", service.dialect, *arguments, service=service, **options)

    def script(self, routes, key):
        service = ScriptedHttp(routes, key, "AITBC")
        self.addCleanup(service.stop)
        return service

    def submit(self, service, text="hello", *arguments):
        return self.aitbc(service, "submit", "--model", "m", "--input", text, *arguments, "-q").out.strip()


class Commands(AitbcTest):
    def test_each_command_in_both_dialects(self):
        for dialect in ("docs", "coordinator"):
            with self.subTest(dialect=dialect):
                service = self.serve_jobs(dialect=dialect)
                job = self.submit(service)
                self.assertRegex(job, r"^[0-9a-f]{32}$")
                status = self.aitbc(service, "status", job, "--json").object("job")
                self.assertEqual((status["id"], status["state"], status["status"]), (job, "completed", "COMPLETED"))
                self.assertIn("created_at", status)
                self.assertRegex(self.aitbc(service, "status", job).out, r"status +COMPLETED\n")
                self.assertEqual(self.aitbc(service, "wait", job).out, f"{job}\tcompleted\n")
                product = json.loads(self.aitbc(service, "download", job).out)
                self.assertEqual(product["input_bytes"], 5)
                listed = self.aitbc(service, "list", "--json").objects("job")
                self.assertEqual([one["id"] for one in listed], [job])
                self.assertIn(job, self.aitbc(service, "history", "--from", "2020-01-01").out)
                self.assertNotIn(job, self.aitbc(service, "history", "--to", "2020-01-01").out)
                done = self.aitbc(service, "cancel", job)
                self.assertIn("had ended before: completed", done.err)

    def test_submit_waits_and_writes_the_product(self):
        service = self.serve_jobs()
        done = self.aitbc(service, "submit", "--model", "m", "--input", "hello", "--wait")
        product = json.loads(done.out)
        self.assertEqual(product["model"], "m")
        self.assertRegex(done.err, r"submitted job [0-9a-f]{32}, estimated cost ")
        path = self.folder / "answer.json"
        done = self.aitbc(service, "submit", "--model", "m", "--input", "hello", "--wait", "-o", path, "--json")
        self.assertEqual([one["type"] for one in done.objects() if one["type"] != "progress"], ["job", "product"])
        told = done.object("product")
        self.assertEqual((told["file"], told["bytes"]), (str(path), path.stat().st_size))
        self.assertEqual(json.loads(path.read_text())["input_sha256"], product["input_sha256"])
        inline = self.aitbc(service, "submit", "--model", "m", "--input", "hello", "--wait", "--json")
        self.assertEqual(inline.object("product")["value"], product)

    def test_the_input_from_a_file_and_from_standard_input(self):
        service = self.serve_jobs()
        path = self.folder / "prompt.txt"
        path.write_bytes("süß\n".encode())
        for source, data in ((path, None), ("-", path.read_bytes())):
            job = self.aitbc(service, "submit", "--model", "m", "--input-file", source, stdin=data).out.strip()
            self.assertEqual(json.loads(self.aitbc(service, "download", job).out)["input_bytes"], 6)
        path.write_bytes(b"\xff\xfe")
        self.assertIn("UTF-8", self.aitbc(service, "submit", "--model", "m", "--input-file", path, code=2).err)
        path.write_bytes(b"a" * (11 << 20))
        self.assertIn("10 MiB", self.aitbc(service, "submit", "--model", "m", "--input-file", path, code=2).err)
        self.aitbc(service, "submit", "--model", "m", "--input-file", self.folder / "none", code=1)
        self.assertEqual(self.aitbc(service, "list", "--json").objects("job")[2:], [], "nothing else was submitted")

    def test_the_product_does_not_replace_the_input(self):
        service = self.serve_jobs()
        path = self.folder / "prompt.txt"
        path.write_text("hello")
        self.aitbc(service, "submit", "--model", "m", "--input-file", path, "--wait", "-o", path, code=2)
        self.assertEqual(path.read_text(), "hello")

    def test_lists(self):
        service = self.serve_jobs()
        jobs = [self.submit(service, f"text {i}") for i in range(3)]
        table = self.aitbc(service, "list").out.splitlines()
        self.assertEqual(table[0], "job\tstatus\tmodel\tcreated")
        self.assertEqual([line.split("\t")[0] for line in table[1:]], jobs[::-1])
        self.assertEqual(len(self.aitbc(service, "list", "--limit", "2", "--json").objects("job")), 2)
        self.assertEqual(len(self.aitbc(service, "list", "--status", "completed", "--json").objects("job")), 3)
        self.assertEqual(self.aitbc(service, "list", "--status", "running", "--json").objects(), [])

    def test_several_jobs_are_waited_for_at_once(self):
        service = self.serve_jobs()
        jobs = [self.submit(service, f"text {i}") for i in range(3)]
        done = self.aitbc(service, "wait", *jobs, jobs[0], "--log-level", "debug")
        self.assertEqual(sorted(done.out.splitlines()), sorted(f"{job}\tcompleted" for job in jobs))
        polls = re.findall(r"method=GET[^\n]*target=(\S*/jobs\S*)", done.err)
        self.assertTrue(polls, done.err)
        self.assertIn("/jobs?", polls[0])
        # A list's entry has no result, which may say that a completed job failed: each is read once at its end.
        self.assertEqual(sorted(each.rsplit("/", 1)[1] for each in polls if "/jobs?" not in each), sorted(jobs))

    def test_the_other_dialect_is_named(self):
        service = self.serve_jobs(dialect="coordinator")
        service.dialect = "docs"
        refused = self.aitbc(service, "submit", "--model", "m", "--input", "t", code=1)
        self.assertIn("dialect", refused.err)
        self.assertEqual(self.aitbc(service, "submit", "--model", "m", "--input", "t", "--json", code=1)
                         .object("failure")["kind"], "invalid_request")
        self.assertIn("coordinator", self.run_program(
            "aitbc", "submit", "--model", "m", "--input", "t", "--priority", "high", "--dialect", "coordinator",
            service=service, code=2).err)


class Limits(AitbcTest):
    def test_a_call_over_the_limit_waits_for_those_of_other_processes(self):
        service = self.serve_jobs()
        job = self.submit(service)  # One call of the minute.
        for _ in range(2):
            self.aitbc(service, "status", job)
        process = self.start("aitbc", "status", job, "--calls-per-minute", "3", service=service)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 75)
        self.aitbc(service, "status", job, "--calls-per-minute", "3", "--no-shared-quota")
        self.aitbc(service, "status", job, "--calls-per-minute", "3", "--quota-folder", self.folder / "other")
        self.aitbc(service, "status", job, "--calls-per-minute", "0", "--calls-per-hour", "0")


class Keys(AitbcTest):
    def test_no_key_and_a_wrong_key(self):
        service = self.serve_jobs()
        where = {"AITBC_BASE_URL": service.base_url}
        done = self.run_program("aitbc", "list", extra=where, code=4)
        self.assertIn("AITBC_API_KEY", done.err)
        self.assertIn("vembed serve --api aitbc", done.err)
        # The key of another service is not taken.
        self.run_program("aitbc", "list", extra=where | {"CYBERIAN_API_KEY": service.api_key}, code=4)
        done = self.run_program("aitbc", "list", "--json", extra=where | {"AITBC_API_KEY": "wrong-key-0123"}, code=4)
        self.assertEqual(done.object("failure")["kind"], "unauthorized")
        self.assertNotIn("wrong-key-0123", done.out + done.err)
        for command in ("wait", "status", "download", "cancel"):
            self.run_program("aitbc", command, "j", extra=where | {"AITBC_API_KEY": "wrong-key-0123"}, code=4)

    def test_a_key_of_any_form_from_a_file(self):
        path = self.folder / "key"
        path.write_text('odd"key\\with/signs\n', encoding="ascii")
        service = self.serve_jobs("--api-key-file", str(path))
        self.assertEqual(service.api_key, 'odd"key\\with/signs')
        where = {"AITBC_BASE_URL": service.base_url}
        self.run_program("aitbc", "list", "--api-key-file", path, extra=where)
        self.run_program("aitbc", "list", "--api-key-file", path, "--base-url", service.base_url)
        self.run_program("aitbc", "list", "--api-key-file", self.folder / "none", extra=where, code=4)

    def test_a_key_on_the_command_line_is_refused(self):
        done = self.run_program("aitbc", "list", "--api-key", "k-0123456789", code=2)
        self.assertIn("AITBC_API_KEY", done.err)
        self.assertNotIn("k-0123456789", done.err)

    def test_a_service_that_tells_the_key_is_masked(self):
        """In the states, in the errors, in the product and in what is waited for."""
        key = "secret-of-no-form"
        self.keys.add(key)
        state = {"job_id": "j", "status": "COMPLETED", "miner_id": key, "model": f"m {key}",
                 "result": {key: [f"a {key} b"]}}
        service = self.script({"GET /v1/jobs/j": (200, state)}, key)
        for command in (["status", "j"], ["status", "j", "--json"], ["download", "j"], ["download", "j", "--json"],
                        ["download", "j", "-o", self.folder / "p.json"]):
            done = self.run_program("aitbc", *command, service=service)
            self.assertNotIn(key, done.out + done.err, command)
        self.assertIn("…", json.loads((self.folder / "p.json").read_text(encoding="utf-8")))
        service = self.script({"GET /v1/jobs/j": (400, {"detail": f"no {key}"})}, key)
        self.run_program("aitbc", "status", "j", "--json", "--log-level", "debug", service=service, code=1)


class Sent(AitbcTest):
    """What the service is sent."""

    def headers_of(self, *arguments):
        service = self.script({"GET /v1/jobs?limit=100": (200, {"jobs": [], "has_more": False})}, "key-of-the-test")
        self.run_program("aitbc", "list", *arguments, service=service)
        return {name.lower(): value for name, value in service.seen[0][2].items()}

    def test_the_key_and_the_tenant(self):
        plain = self.headers_of()
        self.assertEqual(plain["x-api-key"], "key-of-the-test")
        self.assertFalse({"authorization", "x-tenant-id"} & set(plain))
        bearer = self.headers_of("--bearer", "--tenant", "acme")
        self.assertEqual((bearer["authorization"], bearer["x-tenant-id"]), ("Bearer key-of-the-test", "acme"))
        self.assertNotIn("x-api-key", bearer)


class Products(AitbcTest):
    def test_a_file_is_written_as_it_is(self):
        state = {"job_id": "j", "status": "COMPLETED", "result": None}
        binary, path = b"PK\x03\x04\x00 not unpacked", self.folder / "out.zip"
        service = self.script({"GET /v1/jobs/j": (200, state), "GET /v1/jobs/j/download": (200, binary)}, "key-of-the-test")
        self.run_program("aitbc", "download", "j", "-o", path, service=service)
        self.assertEqual(path.read_bytes(), binary)
        process = self.start("aitbc", "download", "j", service=service)
        self.assertEqual(process.communicate()[0], binary)
        self.assertIn("is binary", self.run_program("aitbc", "download", "j", "--json", service=service, code=2).err)
        service.routes["GET /v1/jobs/j/download"] = (200, "plain text\n")
        self.assertEqual(self.run_program("aitbc", "download", "j", service=service).out, "plain text\n")
        told = self.run_program("aitbc", "download", "j", "--json", service=service).object("product")
        self.assertEqual(told["text"], "plain text\n")

    def test_a_product_elsewhere_is_named(self):
        state = {"job_id": "j", "status": "COMPLETED", "output_config": {"destination": "s3://bucket/path"}}
        service = self.script({"GET /v1/jobs/j": (200, state)}, "key-of-the-test")
        self.assertEqual(self.run_program("aitbc", "download", "j", service=service).out, "s3://bucket/path\n")
        told = self.run_program("aitbc", "download", "j", "--json", service=service).object("product")
        self.assertEqual(told["place"], "s3://bucket/path")
        self.run_program("aitbc", "download", "j", "-o", self.folder / "none", service=service, code=1)

    def test_a_state_that_is_not_known_is_told_and_waited_for(self):
        pondering = (200, {"job_id": "j", "status": "PONDERING"})
        states = [pondering, pondering, (200, {"job_id": "j", "status": "COMPLETED"})]
        service = self.script({"GET /v1/jobs/j": states}, "key-of-the-test")
        done = self.run_program("aitbc", "wait", "j", service=service)
        self.assertEqual(done.out, "j\tcompleted\n")
        self.assertEqual(done.err.count('"PONDERING"'), 1)


class Help(AitbcTest):
    def test_it_teaches_with_examples(self):
        for command in ((), ("submit",), ("wait",), ("download",), ("history",)):
            text = self.run_program("aitbc", *command, "--help").out
            self.assertIn("Examples:\n  ", text)
        text = self.run_program("aitbc", "--help").out
        for word in ("AITBC_API_KEY", "AITBC_BASE_URL", "vembed serve --api aitbc"):
            self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main()
