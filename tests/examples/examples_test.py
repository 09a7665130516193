#!/usr/bin/python3
"""Runs the examples as a user would, against the local service.

usage: examples_test.py --program VEMBED --examples FOLDER [--build FOLDER --compiler CXX] [unittest arguments]
"""

import argparse
import contextlib
import json
import math
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

# Sanitizer builds on a busy machine are slow; nothing here waits this long unless something hangs.
PATIENCE_S = 120
# A cancelled embedding must end well before the long poll of 30 s that it was waiting in.
CANCEL_S = 10
OPTIONS = argparse.Namespace()


class Running:
    """A process whose output is read by threads, so that no pipe fills up and every wait has an end."""

    def __init__(self, arguments, environment):
        self.process = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.changed = threading.Condition()
        self.text = {"out": "", "err": ""}
        self.ended = set()
        self.readers = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self.readers:
            reader.start()

    def read(self, name, stream):
        while piece := os.read(stream.fileno(), 65536):
            with self.changed:
                self.text[name] += piece.decode("utf-8", "replace")
                self.changed.notify_all()
        with self.changed:
            self.ended.add(name)
            self.changed.notify_all()

    def wait_for(self, name, pattern, count=1, within_s=PATIENCE_S):
        """Waits until the stream holds the pattern that often; the last match."""
        def found():
            return len(re.findall(pattern, self.text[name])) >= count
        with self.changed:
            self.changed.wait_for(lambda: found() or name in self.ended, within_s)
            if not found():
                raise AssertionError(f"never said {pattern!r} on std{name}: {self.text}")
            return list(re.finditer(pattern, self.text[name]))[-1]

    def end(self, within_s=PATIENCE_S):
        """Waits for its end; the exit status."""
        status = self.process.wait(within_s)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.process.stderr.close()


def npy_shape(path):
    """The shape of a float32 array in C order, whose size fits it."""
    with open(path, "rb") as file:
        magic, length = struct.unpack("<8sH", file.read(10))
        header = file.read(length).decode("latin-1")
        payload = os.fstat(file.fileno()).st_size - file.tell()
    match = re.search(r"'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)", header)
    if magic != b"\x93NUMPY\x01\x00" or match is None:
        raise AssertionError(f"{path} is no array of float32: {header}")
    shape = tuple(int(number) for number in match.groups())
    if payload != shape[0] * shape[1] * 4:
        raise AssertionError(f"{path} holds {payload} bytes for {shape}")
    return shape


class ExampleTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vembed-examples-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def serve(self, *arguments):
        """Starts a local service; the environment that leads to it."""
        service = Running([OPTIONS.program, "serve", "--port", "0", *arguments], clean_environment())
        self.addCleanup(service.kill)
        self.addCleanup(self.end_service, service)
        ready = json.loads(service.wait_for("out", r"\{.*\}\n").group(0))
        name = arguments[1].upper() if arguments[:1] == ("--api",) else "CYBERIAN"
        return dict(clean_environment(), **{f"{name}_BASE_URL": ready["base_url"], f"{name}_API_KEY": ready["api_key"]})

    def end_service(self, service):
        service.process.send_signal(signal.SIGINT)
        self.assertEqual(service.end(), 0, service.text)

    def start(self, name, arguments, environment):
        running = Running([os.path.join(OPTIONS.examples, f"example_{name}"), *arguments], environment)
        self.addCleanup(running.kill)
        return running

    def run_to_end(self, name, arguments, environment):
        running = self.start(name, arguments, environment)
        return running.end(), running.text["out"], running.text["err"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def corpus(self, rows):
        path = self.path("corpus.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"text number {row}\n" for row in range(rows))
        return path


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith(("CYBERIAN_", "CYBERUN_", "AITBC_"))}


class FirstProgram(ExampleTest):
    def test_compares_two_texts(self):
        environment = self.serve()
        for pair, low, high in ((["the sea", "the sea"], 0.999, 1.001), (["the sea", "the blue sea"], 0.1, 0.999)):
            with self.subTest(pair=pair):
                status, said, log = self.run_to_end("first_program", pair, environment)
                self.assertEqual(status, 0, log)
                self.assertTrue(low < float(said) < high, said)

    def test_errors(self):
        environment = self.serve()
        for arguments, where, status, words in (
                (["one", ""], environment, 1, "invalid_argument"),
                (["one", "two"], dict(environment, CYBERIAN_API_KEY="cyb_nobodys"), 1, "unauthorized"),
                (["one", "two"], clean_environment(), 1, "CYBERIAN_API_KEY"),
                (["one"], environment, 2, "usage")):
            with self.subTest(words=words):
                got, said, log = self.run_to_end("first_program", arguments, where)
                self.assertEqual((got, said), (status, ""), log)
                self.assertIn(words, log)


class FirstPage(ExampleTest):
    """The first page of docs/library, followed to the letter: install, write two files, build, run."""

    def run_tool(self, *arguments):
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=5 * PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_its_project_builds_against_the_installed_package(self):
        page = os.path.join(os.path.dirname(__file__), "../../docs/library/1-first-program.md")
        with open(page, encoding="utf-8") as file:
            blocks = dict(re.findall(r"^```(cmake|cpp)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL))
        for name, block in (("CMakeLists.txt", "cmake"), ("main.cpp", "cpp")):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(blocks[block])
        prefix, build = self.path("vembed"), self.path("build")
        self.run_tool("cmake", "--install", OPTIONS.build, "--prefix", prefix)
        self.run_tool("cmake", "-S", self.folder, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
                      "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={OPTIONS.compiler}")
        self.run_tool("cmake", "--build", build)
        said = subprocess.run([os.path.join(build, "first"), "the sea", "the deep sea"], env=self.serve(), check=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE_S).stdout
        self.assertGreater(float(said), 0.1)


class Calls(ExampleTest):
    FORMS = ("blocking", "future", "callback", "coroutine")
    A_LONG_TIME_MS = "3000000"

    def test_every_form_gives_the_rows(self):
        environment = self.serve()
        for form in self.FORMS:
            with self.subTest(form=form):
                got = self.run_to_end("calls", [form, "100000", "one", "two", "three"], environment)
                self.assertEqual(got, (0, "3 x 1024\n", "embedding\n"))

    def test_a_time_limit_is_kept_in_every_form(self):
        environment = self.serve("--settle-delay", self.A_LONG_TIME_MS)
        for form in self.FORMS:
            with self.subTest(form=form):
                status, said, log = self.run_to_end("calls", [form, "300", "one"], environment)
                self.assertEqual((status, said), (75, ""), log)
                self.assertIn("timeout", log)

    def test_ctrl_c_cancels_every_form(self):
        environment = self.serve("--settle-delay", self.A_LONG_TIME_MS)
        for form in self.FORMS:
            with self.subTest(form=form):
                running = self.start("calls", [form, self.A_LONG_TIME_MS, "one"], environment)
                running.wait_for("err", "embedding\n")
                running.process.send_signal(signal.SIGINT)
                self.assertEqual(running.end(CANCEL_S), 130, running.text)
                self.assertIn("cancelled", running.text["err"])

    def test_errors(self):
        environment = self.serve()
        for arguments, where, status, words in (
                (["future", "1000", ""], environment, 1, "invalid_argument"),
                (["blocking", "1000", "one"], clean_environment(), 1, "CYBERIAN_API_KEY"),
                (["telepathy", "1000", "one"], environment, 2, "usage"), (["future", "1000"], environment, 2, "usage")):
            with self.subTest(arguments=arguments):
                got, said, log = self.run_to_end("calls", arguments, where)
                self.assertEqual((got, said), (status, ""), log)
                self.assertIn(words, log)


class CorpusToMatrix(ExampleTest):
    TEXTS = ("the sea", "the blue sea", "", "the sea", "a large dog")

    def similarities(self, form, environment):
        status, said, log = self.run_to_end("corpus_to_matrix", [form, self.path("corpus.txt")], environment)
        self.assertEqual(status, 0, log)
        self.assertIn("4 of 5 rows", log)
        self.assertIn("the line is blank", log)
        return {int(number): float(value) for number, value in (line.split() for line in said.splitlines())}

    def test_matrix_and_stream_agree(self):
        environment = self.serve()
        with open(self.path("corpus.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in self.TEXTS)
        matrix, stream = self.similarities("matrix", environment), self.similarities("stream", environment)
        self.assertEqual(list(matrix), [1, 2, 3, 4, 5])
        self.assertTrue(math.isnan(matrix.pop(3)))
        self.assertEqual(list(stream), [1, 2, 4, 5])
        for number, value in stream.items():
            self.assertAlmostEqual(matrix[number], value, places=4)
        self.assertEqual((matrix[1], matrix[4]), (1, 1))
        self.assertLess(matrix[5], matrix[2])

    def test_ctrl_c_stops_the_buying(self):
        environment = self.serve("--settle-delay", "1000")
        corpus = self.corpus(20_000)
        for form in ("matrix", "stream"):
            with self.subTest(form=form):
                running = self.start("corpus_to_matrix", [form, corpus], environment)
                running.wait_for("err", r"rows\n")
                running.process.send_signal(signal.SIGINT)
                self.assertEqual(running.end(), 75, running.text)

    def test_errors(self):
        environment = self.serve()
        for form in ("matrix", "stream"):
            status, said, log = self.run_to_end("corpus_to_matrix", [form, self.path("absent")], environment)
            self.assertEqual((status, said), (1, ""), log)
            self.assertIn("absent", log)
        self.assertEqual(self.run_to_end("corpus_to_matrix", ["heap", self.corpus(1)], environment)[0], 2)


class CheckReceipts(ExampleTest):
    def test_a_receipt_is_checked_as_it_comes_and_again(self):
        environment, pins = self.serve(), self.path("pins.json")
        status, said, log = self.run_to_end("check_receipts", ["embed", pins, "one", "two", "three"], environment)
        self.assertEqual(status, 0, log)
        for name in ("receipt_form", "output_commitment", "outputs_root", "inputs_root", "receipt_hash"):
            self.assertEqual(len(re.findall(rf"^verified +{name} ", said, re.MULTILINE)), 2, said)
        self.assertEqual(len(re.findall(r"^origin not proven", said, re.MULTILINE)), 2, said)
        with open(pins, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["vembed_pins"], 1)

    def test_pins_decide_what_contradicts_itself(self):
        """The first receipt of an account teaches its schemes. From then on bytes that do not fit are withheld."""
        environment, pins = self.serve("--spoil", "output_bit@1", "--spoil", "output_bit@3"), self.path("pins.json")
        embed = ["embed", pins, "one", "two"]
        status, said, log = self.run_to_end("check_receipts", embed, environment)
        self.assertEqual(status, 0, log)
        self.assertRegex(said, "(?m)^not_checkable +output_commitment ")
        status, said, log = self.run_to_end("check_receipts", embed, environment)
        self.assertEqual(status, 0, log)
        self.assertRegex(said, "(?m)^verified +output_commitment ")
        status, said, log = self.run_to_end("check_receipts", embed, environment)
        self.assertEqual((status, said), (5, ""), log)
        self.assertIn("verification_failed", log)

    def test_a_row_proof(self):
        environment, out, proof = self.serve(), self.path("out"), self.path("row.json")
        for arguments in (["embed", self.corpus(10), "-o", out, "--no-shared-quota"],
                          ["prove", out, "--row", "7", "--platform", "-o", proof]):
            done = subprocess.run([OPTIONS.program, *arguments], env=environment, capture_output=True, check=False,
                                  timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 0, done)
        with open(f"{out}/manifest.json", encoding="utf-8") as file:
            root = json.load(file)["row_root"]["root"]
        for root_given, rows, text, expected in ((root, "10", "text number 7", 0), (root, "10", "text number 8", 5),
                                                 (root, "11", "text number 7", 5), ("0" * 64, "10", "text number 7", 5),
                                                 ("no root", "10", "text number 7", 2)):
            arguments = ["proof", proof, root_given, rows, text]
            with self.subTest(arguments=arguments):
                status, said, log = self.run_to_end("check_receipts", arguments, {})
                self.assertEqual(status, expected, said + log)

    def test_usage(self):
        for arguments in ([], ["embed", "pins.json"], ["proof", "a", "b", "c"], ["fly", "a", "b"]):
            self.assertEqual(self.run_to_end("check_receipts", arguments, clean_environment())[0], 2, arguments)
        status, _, log = self.run_to_end("check_receipts", ["proof", self.path("absent"), "0" * 64, "1", "x"], {})
        self.assertEqual(status, 1, log)
        self.assertIn("absent", log)


class SimulatedService(ExampleTest):
    def test_days_of_quota_and_repeatable(self):
        said = {}
        for attempt, seed in enumerate((["1"], ["1"], ["2"])):
            status, said[attempt], log = self.run_to_end("simulated_service", seed, {})
            self.assertEqual((status, log), (0, ""), said)
            self.assertRegex(said[attempt], r"^15000 rows in 2\d hours of virtual time, \d+ POSTs, 150 chunks charged$")
        self.assertEqual(said[0], said[1])


class BulkCorpus(ExampleTest):
    def test_embeds_a_corpus_and_pays_once(self):
        environment = self.serve()
        corpus, out = self.corpus(2500), self.path("out")
        status, said, log = self.run_to_end("bulk_corpus", [corpus, out], environment)
        self.assertEqual(status, 0, log)
        self.assertIn("2500 of 2500 rows", said)
        self.assertNotIn(" 0 chunks used", said)
        self.assertIn("2500 rows of 2500", log)
        self.assertEqual(npy_shape(f"{out}/embeddings.npy"), (2500, 1024))
        with open(f"{out}/ids.jsonl", encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["row"] for line in file], list(range(2500)))
        status, said, log = self.run_to_end("bulk_corpus", [corpus, out], environment)
        self.assertEqual(status, 0, log)
        self.assertIn(" 0 chunks used", said)

    def test_ctrl_c_finishes_what_is_in_flight_and_the_next_run_the_rest(self):
        environment = self.serve("--settle-delay", "1000")
        corpus, out = self.corpus(20_000), self.path("out")
        first = self.start("bulk_corpus", [corpus, out], environment)
        first.wait_for("err", r"rows")
        first.process.send_signal(signal.SIGINT)
        self.assertEqual(first.end(), 75, first.text)
        self.assertIn("finishing what is in flight", first.text["err"])
        match = re.search(r"^(\d+) of \d+ rows in .* (\d+) chunks used", first.text["out"], re.MULTILINE)
        self.assertIsNotNone(match, first.text)
        rows, chunks = int(match.group(1)), int(match.group(2))
        self.assertIn("unfinished (stopped)", first.text["out"])
        self.assertLess(rows, 20_000)
        self.assertEqual(rows, chunks * 100)
        self.assertFalse(os.path.exists(f"{out}/embeddings.npy"))
        status, said, log = self.run_to_end("bulk_corpus", [corpus, out], environment)
        self.assertEqual(status, 0, log)
        self.assertIn(f"20000 of 20000 rows in {out}, {200 - chunks} chunks used", said)
        self.assertEqual(npy_shape(f"{out}/embeddings.npy"), (20_000, 1024))

    def test_some_rows_failed(self):
        environment = self.serve()
        with open(self.path("corpus.txt"), "w", encoding="utf-8") as file:
            file.write("one\n" + "x" * 70_000 + "\nthree\n")
        status, said, log = self.run_to_end("bulk_corpus", [self.path("corpus.txt"), self.path("out")], environment)
        self.assertEqual(status, 3, log)
        self.assertIn("2 of 3 rows", said)
        self.assertIn("1 rows failed", said)

    def test_typed_errors(self):
        environment = self.serve()
        corpus, out = self.corpus(3), self.path("out")
        refused = dict(environment, CYBERIAN_API_KEY="cyb_nobodys")
        for arguments, where, words in (
                ([corpus, out], refused, "the service refused the key in CYBERIAN_API_KEY: unauthorized"),
                ([self.path("absent"), out], environment, "a file or the output folder: io"),
                ([corpus, out], clean_environment(), "CYBERIAN_API_KEY"),
                ([corpus, f"{corpus}/below"], environment, "a file or the output folder: io")):
            with self.subTest(words=words):
                status, said, log = self.run_to_end("bulk_corpus", arguments, where)
                self.assertEqual((status, said), (1, ""), log)
                self.assertIn(words, log)
                self.assertNotIn("cyb_nobodys", log)
        self.assertEqual(self.run_to_end("bulk_corpus", [corpus], environment)[0], 2)


class AsioService(ExampleTest):
    A_LONG_TIME_MS = "3000000"

    def start_service(self, environment, *arguments):
        running = self.start("asio_service", ["0", *arguments], environment)
        port = int(running.wait_for("out", r"listening on 127\.0\.0\.1:(\d+)\n").group(1))
        return running, port

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.addCleanup(connection.close)
        responses = connection.makefile(encoding="utf-8", newline="\n")
        self.addCleanup(responses.close)
        return connection, responses

    def interrupt(self, running):
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.end(CANCEL_S), 0, running.text)
        self.assertTrue(running.text["err"].endswith("ended\n"), running.text)

    def test_answers_pair_after_pair(self):
        running, port = self.start_service(self.serve())
        connection, responses = self.connect(port)
        # All at once: what comes in while an answer is made is kept for the next.
        connection.sendall(b"the sea\r\nthe sea\r\n" b"a large body of salt water\na large body of water\n"
                           b"a large body of salt water\nto move quickly on foot\n" b"x\n\n" b"x\nx\n")
        same, near, far, refused, again = (responses.readline() for _ in range(5))
        self.assertEqual((same, again), ("1.000\n", "1.000\n"))
        self.assertLess(float(far), float(near))
        self.assertEqual(refused, "error: a line must be 1 byte to 64 KB of UTF-8\n")
        self.interrupt(running)
        self.assertEqual(responses.readline(), "")

    def test_peers_are_answered_side_by_side(self):
        running, port = self.start_service(self.serve("--settle-delay", "200"))
        peers = [self.connect(port) for _ in range(20)]
        for number, (connection, _) in enumerate(peers):
            connection.sendall(f"peer {number}\npeer {number}\n".encode())
        self.assertEqual([responses.readline() for _, responses in peers], ["1.000\n"] * 20)
        self.interrupt(running)

    def test_a_time_limit_is_kept(self):
        running, port = self.start_service(self.serve("--settle-delay", self.A_LONG_TIME_MS), "200")
        connection, responses = self.connect(port)
        connection.sendall(b"one\ntwo\n")
        self.assertEqual(responses.readline(), "error: busy, try again later\n")
        running.wait_for("err", r"not embedded: timeout")
        self.interrupt(running)

    def test_a_peer_that_leaves_cancels_its_embedding(self):
        running, port = self.start_service(self.serve("--settle-delay", self.A_LONG_TIME_MS), self.A_LONG_TIME_MS)
        for count, leave in ((1, lambda c: c.close()), (2, lambda c: c.shutdown(socket.SHUT_WR))):
            connection, responses = self.connect(port)
            connection.sendall(b"one\ntwo\nthree\n")
            running.wait_for("err", r"embedding\n", count)
            responses.close()
            leave(connection)
            running.wait_for("err", r"embedding cancelled: the connection is gone\n", count, CANCEL_S)
        self.interrupt(running)

    def test_ctrl_c_cancels_what_is_under_way(self):
        running, port = self.start_service(self.serve("--settle-delay", self.A_LONG_TIME_MS), self.A_LONG_TIME_MS)
        _, idle = self.connect(port)
        connection, responses = self.connect(port)
        connection.sendall(b"one\ntwo\n")
        running.wait_for("err", r"embedding\n")
        self.interrupt(running)
        self.assertIn("embedding cancelled", running.text["err"])
        self.assertEqual((idle.readline(), responses.readline()), ("", ""))

    def test_a_line_without_end_ends_the_conversation(self):
        running, port = self.start_service(self.serve())
        connection, responses = self.connect(port)
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * 300_000)
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(responses.readline(), "")
        connection, responses = self.connect(port)
        connection.sendall(b"one\none\n")
        self.assertEqual(responses.readline(), "1.000\n")
        self.interrupt(running)

    def test_usage(self):
        for arguments in ([], ["x"], ["70000"], ["-1"], ["0", "0"], ["0", "1", "2"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_to_end("asio_service", arguments, clean_environment())[0], 2)


class AitbcJobs(ExampleTest):
    def test_a_job_and_its_product(self):
        environment = self.serve("--api", "aitbc", "--job-time", "0")
        status, said, log = self.run_to_end("aitbc_jobs", ["llama3.2", "hello"], environment)
        self.assertEqual(status, 0, log)
        self.assertEqual(json.loads(said)["input_bytes"], 5)
        self.assertIn("COMPLETED", log)

    def test_a_job_that_failed(self):
        environment = self.serve("--api", "aitbc", "--job-time", "0", "--faults", "failed=1")
        status, said, log = self.run_to_end("aitbc_jobs", ["llama3.2", "hello"], environment)
        self.assertEqual((status, said), (1, ""))
        self.assertIn("job_failed", log)


class RawEndpoint(ExampleTest):
    def test_every_way_gives_the_models(self):
        environment = self.serve()
        for arguments in ([], ["future"], ["callback"], ["coroutine"]):
            with self.subTest(arguments=arguments):
                status, said, log = self.run_to_end("raw_endpoint", arguments, environment)
                self.assertEqual(status, 0, log)
                self.assertIn("bge-large-v1.5", [model["id"] for model in json.loads(said)["models"]])
                self.assertTrue(log.startswith("200\n"), log)
                self.assertRegex(log, r"(?i)content-type: application/json")

    def test_any_endpoint(self):
        environment = self.serve()
        status, said, log = self.run_to_end("raw_endpoint", ["coroutine", "/account"], environment)
        self.assertEqual(status, 0, log)
        self.assertIn("chunks_consumed_period", json.loads(said))

    def test_failures_are_told(self):
        environment = self.serve()
        for way in ("future", "callback", "coroutine"):
            for target, words in (("/nowhere", "HTTP 404"), ("nowhere", "invalid_argument")):
                with self.subTest(way=way, target=target):
                    status, said, log = self.run_to_end("raw_endpoint", [way, target], environment)
                    self.assertEqual((status, said), (1, ""), log)
                    self.assertIn(words, log)
        self.assertEqual(self.run_to_end("raw_endpoint", ["future"], clean_environment())[0], 1)
        self.assertEqual(self.run_to_end("raw_endpoint", ["telepathy"], environment)[0], 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--examples", required=True)
    parser.add_argument("--build")
    parser.add_argument("--compiler")
    _, rest = parser.parse_known_args(namespace=OPTIONS)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
