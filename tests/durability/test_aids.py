"""Failing calls and kills on the files beside an output folder: the cache of bought rows and the account's ledger. A
run may go on without them or stop and say why; what it makes and what it costs stays the same."""

import unittest

import disturbance
from test_failing_calls import explained


class AidCorpus(disturbance.Corpus):
    """A corpus whose runs are disturbed in one of the folders beside their output."""

    def __init__(self, scratch, aid):
        self.aid = aid
        super().__init__(scratch, 30, "--rows-per-job", "10", "--jobs-in-flight", "2")

    def worker(self):
        return AidWorker(self)


class AidWorker(disturbance.Worker):
    def watched(self, folder):
        return self.folder / self.corpus.aid

    def command(self, folder, *extra):
        return super().command(folder, "--cache", self.folder / "cache", *extra)


class Aids(disturbance.DisturbanceTest):
    def disturb(self, aid):
        corpus = AidCorpus(self.scratch, aid)
        calls = len(corpus.calls)
        self.assertGreater(calls, 5, f"a run uses its {aid} folder")
        cases = [(f"{what}:any:{n}",) for what in ("enospc", "eio", "kill-before") for n in range(1, calls + 1)]
        cases += [(f"kill-half:write:{n}",) for n in range(1, corpus.count("write") + 1)]
        cases += [(f"short:write:{n}",) for n in range(1, corpus.count("write") + 1)]
        endings = self.run_cases(corpus, cases, lambda done, folder: explained(done, folder.parent))
        print(f"{aid}: {calls} calls, {len(cases)} cases, exit status {dict(endings)}", flush=True)

    def test_the_cache(self):
        self.disturb("cache")

    def test_the_ledger(self):
        self.disturb("vembed")


if __name__ == "__main__":
    unittest.main()
