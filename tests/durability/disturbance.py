"""Runs `vembed embed` with one of its file operations disturbed, then again until it is done, and holds what came of it
against an undisturbed run: the bytes of the result, the service's own count of chunks, and what the journal said."""

import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "program"))
import harness  # noqa: E402  (found by the line before)

SHIM = os.environ.get("VEMBED_FAULT_SHIM")
WORKERS = max(2, os.cpu_count() or 1)
# SIGKILL takes nothing from the page cache: what is made durable need not go through a disk here.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

Call = collections.namedtuple("Call", "number name path")


class Journalled:
    """What a journal that nobody writes holds, without disturbing it."""

    def __init__(self, folder, scratch):
        self.batches = []
        copy = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-journal"):
            if (folder / name).exists():
                shutil.copy(folder / name, copy / name)
        if (copy / "journal.sqlite").exists():
            with sqlite3.connect(copy / "journal.sqlite") as database:
                if database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'batch'").fetchone()[0]:
                    self.batches = database.execute(
                        "SELECT number, state, row_ranges, job_id, chunks FROM batch ORDER BY number").fetchall()
            database.close()
        shutil.rmtree(copy)

    def unanswered(self):
        """Row ranges of each batch that may have been sent and has no job id."""
        return {ranges for _, state, ranges, _, _ in self.batches if state in (0, 3)}

    def jobs(self):
        return {job: ranges for _, state, ranges, job, _ in self.batches if state in (1, 2)}


class Corpus:
    """One command, and what it leaves and costs when nothing disturbs it."""

    def __init__(self, scratch, rows, *arguments):
        self.path = pathlib.Path(scratch) / "corpus.txt"
        self.path.write_text("".join(f"{text}\n" for text in harness.corpus(rows)), encoding="utf-8")
        self.arguments = ["--model", "bge-small-v1.5", *arguments]
        self.scratch = pathlib.Path(scratch)
        with self.worker() as worker:
            folder = self.scratch / "undisturbed"
            report = self.scratch / f"calls-{rows}.txt"
            done = worker.embed(folder, report=report if SHIM else None)
            assert done.code == 0, done.err
            self.result = worker.result(folder)
            self.chunks = worker.chunks_consumed()
            lines = report.read_text(encoding="utf-8").splitlines() if SHIM else []
            self.calls = [Call(int(number), name, path) for number, name, path in
                          (line.split(" ", 2) for line in lines)]
        shutil.rmtree(folder)

    def worker(self):
        return Worker(self)

    def count(self, *names):
        return sum(1 for call in self.calls if call.name in names)


class Worker:
    """A service of its own, so that what it counts is this worker's doing."""

    SERVICE = ("--chunk-size", "10", "--settle-delay", "0")

    def __init__(self, corpus, endings=None):
        self.corpus = corpus
        self.endings = collections.Counter() if endings is None else endings

    def __enter__(self):
        self.service = harness.Service(*self.SERVICE)
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=self.corpus.scratch))
        return self

    def __exit__(self, *_):
        self.service.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def watched(self, folder):
        """The folder whose files are disturbed, of a run into `folder`."""
        return folder

    def chunks_consumed(self):
        request = urllib.request.Request(f"{self.service.base_url}/account",
                                         headers={"Authorization": f"Bearer {self.service.api_key}"})
        with urllib.request.urlopen(request, timeout=harness.LIMIT_S) as response:
            return json.load(response)["chunks_consumed_period"]

    def command(self, folder, *extra):
        return [harness.PROGRAM, "embed", self.corpus.path, "-o", folder, "--json", *self.corpus.arguments, *extra]

    def environment(self, folder, plan, report=None, free=None):
        # A service is told from another by its port only, and ports are used again: its ledger is not another's.
        environment = harness.clean_environment(self.service.environment() | {"XDG_STATE_HOME": str(self.folder)})
        if plan or report or free is not None:
            environment |= {"LD_PRELOAD": SHIM, "FAULT_SHIM_FOLDER": str(self.watched(folder))}
        if plan:
            environment["FAULT_SHIM_PLAN"] = plan
        if free is not None:
            environment["FAULT_SHIM_FREE"] = str(free)
        if report:
            environment["FAULT_SHIM_REPORT"] = str(report)
        return environment

    def embed(self, folder, *extra, plan=None, report=None, free=None):
        done = subprocess.run(self.command(folder, *extra), stdin=subprocess.DEVNULL, capture_output=True,
                              env=self.environment(folder, plan, report, free), timeout=harness.LIMIT_S, check=False)
        return harness.Finished(done, done.stdout.decode(), done.stderr.decode("utf-8", "replace"))

    def status(self, folder):
        return self.run("status", folder)

    def run(self, *arguments, free=(None, None)):
        """`free`: a folder and how many bytes are free in it."""
        done = subprocess.run([harness.PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              env=self.environment(free[0], None, free=free[1]), timeout=harness.LIMIT_S, check=False)
        return harness.Finished(done, done.stdout.decode(), done.stderr.decode("utf-8", "replace"))

    def start_stopped(self, folder, plan):
        """A process that has stopped itself by its plan."""
        process = subprocess.Popen(self.command(folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=self.environment(folder, plan))
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), f"it ended with status {status} instead of stopping"
        return process

    @staticmethod
    def result(folder):
        return [(folder / name).read_bytes() for name in ("embeddings.npy", "rows.sha256", "texts.sha256", "ids.jsonl")]

    def disturb(self, *plans, check=None):
        """One case: each plan in a process of its own, then processes without one. What is wrong, or nothing."""
        folder = self.folder / "out"
        for name in ("out", "vembed", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        before = self.chunks_consumed()
        for plan in plans:
            done = self.embed(folder, plan=plan)
            self.endings[done.code] += 1
            if check and (wrong := check(done, folder)):
                return f"{plan}: {wrong}\n{done.err}"
        left = Journalled(folder, self.folder)
        wrong = self.finish(folder, left, before)
        return f"{', '.join(plans)}: {wrong}" if wrong else None

    def finish(self, folder, left, before):
        done = self.embed(folder)
        if done.code not in (0, 75):
            return f"the next run ended with {done.code}: {done.err}"
        unknown = {ranges_text(batch["rows"]) for batch in done.object("report")["unknown"]}
        if not unknown <= left.unanswered():
            return f"unknown: {unknown}, but the journal had {left.unanswered()}"
        if done.code == 75 and not unknown:
            return f"unfinished without a reason: {done.err}"
        if done.code == 75:
            done = self.embed(folder, "--on-unknown", "resubmit", "--max-extra-chunks", "1000")
            if done.code != 0:
                return f"the last run ended with {done.code}: {done.err}"
        if self.result(folder) != self.corpus.result:
            return "the result is not that of an undisturbed run"
        spent = self.chunks_consumed() - before
        if not self.corpus.chunks <= spent <= self.corpus.chunks + len(left.unanswered()):
            return (f"{spent} chunks were charged; undisturbed {self.corpus.chunks}, unanswered when it ended "
                    f"{len(left.unanswered())}")
        return self.check_jobs(folder, left)

    @staticmethod
    def check_jobs(folder, left):
        """Every journalled job gave its rows, and no other job gave them."""
        by_job = {}
        rows = []
        for line in (folder / "receipts.jsonl").read_text(encoding="utf-8").splitlines():
            receipt = json.loads(line)
            by_job[receipt["job_id"]] = ranges_text(receipt["rows"])
            rows += [row for first, last in receipt["rows"] for row in range(first, last)]
        for job, ranges in left.jobs().items():
            if by_job.get(job) != ranges:
                return f"job {job} was bought for rows {ranges} and gave {by_job.get(job)}"
        if len(rows) != len(set(rows)):
            return "two jobs gave one row"
        return None


def ranges_text(ranges):
    return ",".join(f"{first}-{last}" for first, last in ranges)


class DisturbanceTest(unittest.TestCase):
    """Runs many cases, as many at once as there are cores, each against the service of its worker."""

    def setUp(self):
        if not SHIM:
            self.skipTest("no fault shim: sanitizers do not go with LD_PRELOAD")
        self.scratch = tempfile.mkdtemp(prefix="vembed-durability-", dir=MEMORY)
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def run_cases(self, corpus, cases, check=None):
        """`cases`: tuples of plans. All are run, what went wrong is told together. How often which exit status came of
        a plan."""
        waiting = collections.deque(cases)
        endings = [collections.Counter() for _ in range(WORKERS)]
        wrong = []
        lock = threading.Lock()

        def work(counter):
            with Worker(corpus, counter) as worker:
                while True:
                    with lock:
                        if not waiting or len(wrong) > 10:
                            return
                        plans = waiting.popleft()
                    found = worker.disturb(*plans, check=check)
                    if found:
                        with lock:
                            wrong.append(found)

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for each in [pool.submit(work, counter) for counter in endings]:
                each.result()
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(cases)} cases")
        return sum(endings, collections.Counter())
