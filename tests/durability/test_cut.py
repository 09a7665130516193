"""The connection of a POST /jobs is cut at every byte of the request and of its response, by an end and by a reset. Real
processes, policy park: no job is bought twice, and what the run says of the batch is true."""

import collections
import concurrent.futures
import shutil
import tempfile
import threading
import unittest

import disturbance
from cutting_proxy import Cut, CuttingProxy

STEP = 1 if disturbance.SHIM else 17  # Sanitizers, which have no shim, make a run ten times as long.


class CutCorpus(disturbance.Corpus):
    """Two jobs of two rows each."""

    def __init__(self, scratch):
        super().__init__(scratch, 4, "--rows-per-job", "2", "--jobs-in-flight", "1")

    def worker(self):
        return CutWorker(self)


class CutWorker(disturbance.Worker):
    SERVICE = ("--chunk-size", "2", "--settle-delay", "0")

    def __enter__(self):
        super().__enter__()
        self.proxy = CuttingProxy(self.service.port)
        self.service.base_url = f"http://127.0.0.1:{self.service.port}"
        return self

    def __exit__(self, *ended):
        self.proxy.stop()
        super().__exit__(*ended)

    def environment(self, *arguments, **options):
        return super().environment(*arguments, **options) | {"CYBERIAN_BASE_URL": f"http://127.0.0.1:{self.proxy.port}"}

    def sizes(self):
        """Bytes of the second POST /jobs and of its response."""
        self.proxy.begin(None)
        done = self.embed(self.folder / "measured")
        assert done.code == 0, done.err
        return self.proxy.requests[1], self.proxy.responses[1]

    def cut(self, cut, whole):
        """One cut of a POST whose request and response have the sizes `whole`. What is wrong, or nothing."""
        folder = self.folder / "out"
        shutil.rmtree(folder, ignore_errors=True)
        before = self.chunks_consumed()
        self.proxy.begin(cut)
        done = self.embed(folder)
        self.proxy.cut = None
        if not self.proxy.was_cut and (cut.side == "request" or cut.after < whole[1]):
            return f"{cut}: nothing was cut"
        # Whether the service may have the job, and whether it must have it.
        may_exist = cut.side == "response" or cut.after >= whole[0]
        must_exist = cut.side == "response"
        spent = self.chunks_consumed() - before
        wrong = self.judge(done, spent, may_exist, must_exist)
        wrong = wrong or self.go_on(done, spent, folder, before)
        return f"{cut}: {wrong}\n{done.out}\n{done.err}" if wrong else None

    def judge(self, done, spent, may_exist, must_exist):
        unknown = done.object("report")["unknown"] if done.code in (0, 75) else None
        all_chunks = self.corpus.chunks
        if done.code == 0:
            # Not sent at all, found not to be charged and so sent again, or answered to the last byte.
            lost = self.proxy.was_cut and must_exist
            return f"complete after {spent} chunks" if spent != all_chunks or lost else None
        if done.code != 75:
            return f"ended with {done.code}"
        if len(unknown) != 1:
            return f"unknown: {unknown}"
        if not all_chunks - (0 if must_exist else 1) <= spent <= all_chunks - (0 if may_exist else 1):
            return f"{spent} chunks were charged"
        return None

    def go_on(self, done, spent, folder, before):
        """With park nothing is bought again; with resubmit what is missing is, once."""
        existed = spent == self.corpus.chunks
        if done.code == 75:
            again = self.embed(folder)
            bought = self.chunks_consumed() - before - spent
            if again.code == 75 and bought or again.code == 0 and (existed or bought != 1) or again.code not in (0, 75):
                return f"the second run bought {bought} chunks and ended with {again.code}: {again.err}"
            if again.code == 75:
                again = self.embed(folder, "--on-unknown", "resubmit", "--max-extra-chunks", "1")
            if again.code != 0:
                return f"the last run ended with {again.code}: {again.err}"
        if self.result(folder) != self.corpus.result:
            return "the result is not that of an undisturbed run"
        in_all = self.chunks_consumed() - before
        lost = 1 if done.code == 75 and existed else 0
        return None if in_all == self.corpus.chunks + lost else f"{in_all} chunks in all"


class CutAtEveryByte(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="vembed-cut-", dir=disturbance.MEMORY)
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def run_cuts(self, side):
        corpus = CutCorpus(self.scratch)
        waiting = collections.deque()
        wrong = []
        lock = threading.Lock()

        def work(worker_number):
            with CutWorker(corpus) as worker:
                request, response = worker.sizes()
                with lock:
                    if worker_number == 0:
                        size = request if side == "request" else response
                        waiting.extend(Cut(2, side, after, how) for after in range(0, size + 1, STEP)
                                       for how in ("end", "reset"))
                        counted.append(size)
                        filled.set()
                filled.wait()
                while True:
                    with lock:
                        if not waiting or len(wrong) > 10:
                            return
                        cut = waiting.popleft()
                    found = worker.cut(cut, (request, response))
                    if found:
                        with lock:
                            wrong.append(found)

        counted, filled = [], threading.Event()
        with concurrent.futures.ThreadPoolExecutor(disturbance.WORKERS) as pool:
            for each in [pool.submit(work, number) for number in range(disturbance.WORKERS)]:
                each.result()
        print(f"{side} of {counted[0]} bytes, cut {len(range(0, counted[0] + 1, STEP)) * 2} times", flush=True)
        self.assertEqual(wrong, [])
        self.assertGreater(counted[0], 100)

    def test_of_the_request(self):
        self.run_cuts("request")

    def test_of_the_response(self):
        self.run_cuts("response")


if __name__ == "__main__":
    unittest.main()
