"""What jobs and waits of `vembed aitbc` end with if they do not go well."""

import signal
import socket
import unittest

from test_aitbc import AitbcTest


class Ends(AitbcTest):
    """What a job or a wait that did not go well ends with."""

    def test_a_job_that_failed(self):
        for fault in ("failed", "failed_result"):
            service = self.serve_jobs("--faults", f"{fault}=1")
            job = self.submit(service)
            done = self.aitbc(service, "wait", job, code=1)
            self.assertEqual(done.out, f"{job}\tfailed\n")
            self.assertIn("job_failed", done.err)
            failure = self.aitbc(service, "wait", job, "--json", code=1).object("failure")
            self.assertEqual((failure["kind"], failure["job_id"]), ("job_failed", job))
            self.aitbc(service, "download", job, "-o", self.folder / "none", code=1)
            self.assertFalse((self.folder / "none").exists())
            self.aitbc(service, "status", job)

    def test_a_job_that_was_cancelled(self):
        for dialect in ("docs", "coordinator"):
            service = self.serve_jobs(job_time=600_000, dialect=dialect)
            job = self.submit(service)
            self.assertIn("CANCEL", self.aitbc(service, "cancel", job).out)
            self.assertEqual(self.aitbc(service, "wait", job, code=1).out, f"{job}\tcancelled\n")
            self.assertEqual(self.aitbc(service, "wait", job, "--json", code=1).object("failure")["kind"],
                             "job_cancelled")

    def test_a_job_that_expired(self):
        service = self.serve_jobs("--faults", "never_runs=1")
        job = self.aitbc(service, "submit", "--model", "m", "--input", "t", "--timeout", "1", "-q").out.strip()
        done = self.aitbc(service, "wait", job, code=1)
        self.assertEqual(done.out, f"{job}\texpired\n")
        self.assertIn("job_expired", done.err)

    def test_a_job_without_a_product(self):
        service = self.serve_jobs("--faults", "no_result=1", dialect="coordinator")
        job = self.submit(service)
        done = self.aitbc(service, "download", job)
        self.assertEqual(done.out, "")
        self.assertIn("gave no product", done.err)
        self.assertIn("was not written", self.aitbc(service, "download", job, "-o", self.folder / "p", code=1).err)

    def test_a_job_that_has_not_ended(self):
        service = self.serve_jobs(job_time=600_000)
        job = self.submit(service)
        self.assertIn("wait for it", self.aitbc(service, "download", job, code=75).err)
        done = self.aitbc(service, "wait", job, "--timeout", "1", code=75)
        self.assertIn(f"the job goes on; wait again with: vembed aitbc wait {job}", done.err)
        self.assertEqual(self.aitbc(service, "wait", job, "--timeout", "1", "--json", code=75)
                         .object("failure")["kind"], "timeout")

    def test_an_unknown_job(self):
        service = self.serve_jobs()
        for command in ("status", "cancel", "download"):
            done = self.aitbc(service, command, "0" * 32, "--json", code=1)
            self.assertEqual(done.object("failure")["kind"], "not_found", command)
        self.aitbc(service, "status", "history", code=2)

    def test_interrupts_end_the_wait_and_not_the_job(self):
        service = self.serve_jobs(job_time=600_000)
        job = self.submit(service)
        process = self.start("aitbc", "wait", job, service=service)
        self.wait_for_line(process.stderr, f"job {job}: ")
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual(done.code, 75)
        self.assertIn(f"wait again with: vembed aitbc wait {job}", done.err)
        process = self.start("aitbc", "submit", "--model", "m", "--input", "t", "--wait", "--json", service=service)
        self.wait_for_line(process.stdout, '"type":"progress"')
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assertEqual((done.code, done.object("failure")["kind"]), (75, "cancelled"))
        self.assertIn("wait again with: vembed aitbc wait ", done.err)
        self.assertEqual(self.aitbc(service, "status", job, "--json").object("job")["state"], "waiting")

    def test_no_service_there(self):
        taken = socket.socket()  # Bound without listening: the port refuses, and nobody else takes it meanwhile.
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        where = {"AITBC_BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}", "AITBC_API_KEY": "k" * 20}
        for command in (["list"], ["status", "j"], ["cancel", "j"], ["download", "j"], ["history"],
                        ["submit", "--model", "m", "--input", "t"]):
            done = self.run_program("aitbc", *command, extra=where, code=75)
            self.assertIn("check the network and the address", done.err)


class Lost(AitbcTest):
    def test_a_response_that_was_lost_is_found_in_the_list(self):
        service = self.serve_jobs("--faults", "lost_reply=1")
        done = self.aitbc(service, "submit", "--model", "m", "--input", "t")  # A minute: lists may be that old.
        self.assertEqual([one["id"] for one in self.aitbc(service, "list", "--json").objects("job")],
                         [done.out.strip()])


if __name__ == "__main__":
    unittest.main()
