"""ENOSPC, EIO and short writes at each call on the output folder: the run stops and says why, and can be continued."""

import signal
import unittest

from disturbance import Corpus, DisturbanceTest

STOPPED = (1, 75)


def explained(done, folder):
    """A run that a failing call stopped says which file and what to do."""
    if done.code in (0, -signal.SIGKILL):
        return None  # The call did not matter: what was closed had been made durable before, for instance.
    if done.code not in STOPPED:
        return f"ended with {done.code}"
    if str(folder) not in done.err:
        return "the message names no file"
    if not any(advice in done.err for advice in ("run the same command again", "check the disk")):
        return "the message does not say what to do"
    return None


class FailingCalls(DisturbanceTest):
    def setUp(self):
        super().setUp()
        self.corpus = Corpus(self.scratch, 30, "--rows-per-job", "10", "--jobs-in-flight", "2")

    def fail_each(self, what, which, count):
        cases = [(f"{what}:{which}:{n}",) for n in range(1, count + 1)]
        endings = self.run_cases(self.corpus, cases, explained)
        print(f"{what}: {len(cases)} cases, exit status {dict(endings)}", flush=True)
        return endings

    def test_no_space_at_each_call(self):
        endings = self.fail_each("enospc", "any", len(self.corpus.calls))
        self.assertGreater(endings[1], endings[0])

    def test_a_device_error_at_each_call(self):
        endings = self.fail_each("eio", "any", len(self.corpus.calls))
        self.assertGreater(endings[1], endings[0])

    def test_a_full_disk_from_each_write_on(self):
        writes = self.corpus.count("write")
        self.assertGreaterEqual(self.fail_each("enospc-on", "write", writes)[1], writes * 8 // 10)

    def test_a_broken_disk_from_each_sync_on(self):
        syncs = self.corpus.count("fsync", "fdatasync")
        self.assertGreaterEqual(self.fail_each("eio-on", "sync", syncs)[1], syncs * 8 // 10)

    def test_each_write_done_by_half(self):
        self.fail_each("short", "write", self.corpus.count("write"))


if __name__ == "__main__":
    unittest.main()
