"""The local service as a process."""

import json
import signal
import socket
import unittest
import urllib.error
import urllib.request

from harness import ProgramTest, corpus


class Serve(ProgramTest):
    def exchange(self, service, data, read=True):
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
            connection.sendall(data)
            response = b""
            while read:
                try:
                    piece = connection.recv(65536)
                except ConnectionResetError:
                    break
                if not piece:
                    break
                response += piece
            return response

    def test_ready_line_and_end(self):
        service = self.serve()
        self.assertEqual(sorted(service.ready), ["api_key", "base_url"])
        self.assertTrue(service.api_key.startswith("cyb_"))
        code, out, err = service.stop()
        self.assertEqual((code, out), (0, ""))
        self.assertNotIn(service.api_key, err)

    def test_on_every_address_it_names_one_that_takes_a_key(self):
        for address, host in (("0.0.0.0", "127.0.0.1"), ("::", "[::1]")):
            service = self.serve("--address", address)
            self.assertEqual(service.base_url, f"http://{host}:{service.port}")
            self.run_program("models", service=service)

    def test_an_address_that_takes_no_key_without_tls_is_told(self):
        # Not 127.0.0.1 to those who send keys, and yet an address that every machine has.
        service = self.serve("--address", "::ffff:127.0.0.1", "-q")
        refused = self.run_program("models", service=service, code=2)
        _, _, err = service.stop()
        self.assertIn("use https", refused.err)
        self.assertIn("--tls-cert", err)
        self.assertIn("at 127.0.0.1", err)
        code, _, err = self.serve("--address", "127.0.0.2").stop()
        self.assertEqual(code, 0)
        self.assertNotIn("--tls-cert", err)

    def test_the_seed_decides_the_key(self):
        one, same, other = self.serve("--seed", "5"), self.serve("--seed", "5"), self.serve("--seed", "6")
        self.assertEqual(one.api_key, same.api_key)
        self.assertNotEqual(one.api_key, other.api_key)

    def test_a_key_from_a_file(self):
        path = self.folder / "key"
        path.write_text("cyb_chosen0123456789\n", encoding="ascii")
        self.assertEqual(self.serve("--api-key-file", str(path)).api_key, "cyb_chosen0123456789")

    def test_what_it_cannot_serve(self):
        self.run_program("serve", "--faults", "drops=0.1", code=2)
        self.run_program("serve", "--address", "nowhere", code=2)
        taken = self.serve()
        self.run_program("serve", "--port", str(taken.port), code=1)
        self.run_program("serve", "--tls-cert", self.folder / "none", "--tls-key", self.folder / "none", code=2)

    def test_it_lies_when_told_to(self):
        for wrong in (["--spoil", "output_bit"], ["--spoil", "output@1"], ["--receipt-scheme", "jcs"],
                      ["--commitment", "md5"]):
            said = self.run_program("serve", *wrong, code=2)
            self.assertIn(wrong[1], said.err)
        texts = self.write_lines(corpus(6))
        lying = self.serve("--chunk-size", "2", "--spoil", "receipt_of_another@1")
        self.run_program("embed", texts, "-o", self.folder / "lie", service=lying, code=5)
        other = self.serve("--chunk-size", "2", "--commitment", "sha256",
                           "--receipt-scheme", "sorted-ascii/empty-receipt_hash/leaf-plain/node-plain/duplicate")
        self.run_program("embed", texts, "-o", self.folder / "other", service=other)

    def test_rubbish_does_not_end_it(self):
        service = self.serve()
        key = f"Authorization: Bearer {service.api_key}\r\n".encode()
        post = b"POST /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n" + key
        rubbish = [
            b"\x00" * 1000 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
            b"GET /models HTTP/1.1\r\n" + b"x: y\r\n" * 1000 + b"\r\n",
            b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
            post + b"Content-Length: 99999999999999999999\r\n\r\n",
            post + b"Content-Length: 999999999999\r\n\r\n",
            post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ]
        for text in rubbish:
            response = self.exchange(service, text)
            self.assertTrue(response == b"" or response.startswith(b"HTTP/1.1 4") or response.startswith(b"HTTP/1.1 5"), response)
        bodies = [b"", b"{", b"[]", b"null", b'{"model":1,"inputs":["a"]}', b'{"model":"bge-large-v1.5","inputs":[]}',
                  b'{"model":"bge-large-v1.5","inputs":[1]}', b'{"model":"none","inputs":["a"]}',
                  b'{"model":"bge-large-v1.5","inputs":["a"],"more":1}', b"[" * 100000,
                  json.dumps({"model": "bge-large-v1.5", "inputs": ["a"] * 1001}).encode(),
                  json.dumps({"model": "bge-large-v1.5", "inputs": ["a" * 65537]}).encode()]
        for body in bodies:
            response = self.exchange(service, post + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self.assertRegex(response.split(b"\r\n", 1)[0], rb"^HTTP/1.1 4(00|13|22)", body[:60])
            self.assertIn("error", json.loads(response.split(b"\r\n\r\n", 1)[1]))
        for cut in (1, 20, 60):
            self.exchange(service, post[:cut], read=False)
        self.run_program("embed", self.write_lines(corpus(5)), "-o", self.folder / "out", service=service)

    def test_the_largest_job_is_accepted(self):
        service = self.serve("--chunk-size", "1000")
        begin, end = b'{"model":"bench-8","inputs":[', b"]}"
        texts = [b'"' + b"\\u0041" * 65536 + b'"'] * 1000
        size = len(begin) + sum(map(len, texts)) + 999 + len(end)
        with socket.create_connection(("127.0.0.1", service.port), timeout=120) as connection:
            connection.sendall(b"POST /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
                               service.api_key.encode() + b"\r\nContent-Length: %d\r\n\r\n" % size + begin)
            for i, text in enumerate(texts):
                connection.sendall((b"," if i else b"") + text)
            connection.sendall(end)
            self.assertRegex(connection.recv(65536), rb"^HTTP/1.1 201 ")

    def test_an_expired_trial(self):
        service = self.serve("--tier", "expired")
        account = self.run_program("account", "--json", service=service).object("account")
        self.assertEqual((account["tier"], account["effective_tier"]), ("free", "free"))
        self.assertEqual(account["limits"]["chunks_per_period"], 100)
        run = self.run_program("embed", self.write_lines(corpus(3)), "-o", self.folder / "out", service=service, code=4)
        self.assertIn("trial", run.err)

    def test_it_ends_while_a_poll_is_under_way(self):
        service = self.serve("--settle-delay", "60000")
        process = self.start("embed", self.write_lines(corpus(2)), "-o", self.folder / "out", "--log-level", "debug",
                             service=service)
        self.wait_for_line(process.stderr, r"method=POST.*target=\S*/jobs\b")
        self.assertEqual(service.stop()[0], 0)
        process.send_signal(signal.SIGKILL)

    def call(self, url, key=None, body=None, method=None, headers=()):
        """Status, headers and body of a request without the program."""
        sent = dict(headers)
        if key:
            sent["Authorization"] = f"Bearer {key}"
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(url, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read()

    def test_cyberun_runs_a_task_and_its_store_has_a_port_of_its_own(self):
        service = self.serve("--api", "cyberun", "--task-time", "200")
        self.assertEqual(sorted(service.ready), ["api_key", "base_url", "store_url"])
        store = service.ready["store_url"]
        self.assertFalse(service.base_url.startswith(store))
        runtime = service.base_url + "/r"
        status, _, body = self.call(f"{runtime}/workflows/slug/text-render/run", service.api_key,
                                    {"parameters": {"text": "hello"}})
        self.assertEqual(status, 202)
        task = f"{runtime}/tasks/" + json.loads(body)["task_id"]
        status, headers, events = self.call(task + "/events", service.api_key)
        self.assertEqual((status, headers["Transfer-Encoding"]), (200, "chunked"))
        self.assertIn(b"event: completed\n", events)
        _, _, result = self.call(task + "/result", service.api_key)
        link = json.loads(result)["download_url"]
        self.assertTrue(link.startswith(store + "/"))
        status, headers, content = self.call(link)
        self.assertEqual((status, content), (200, b"hello\n"))
        status, _, content = self.call(link, headers={"Range": "bytes=1-", "If-Range": headers["ETag"]})
        self.assertEqual((status, content), (206, b"ello\n"))
        self.assertEqual(self.call(link, service.api_key)[0], 400)
        self.assertEqual(service.stop()[0], 0)

    def test_aitbc_has_two_windows(self):
        service = self.serve("--api", "aitbc", "--requests-per-minute", "4", "--job-time", "0")
        self.assertEqual(sorted(service.ready), ["api_key", "base_url"])
        key = {"X-Api-Key": service.api_key}
        jobs = service.base_url + "/jobs"
        status, _, body = self.call(jobs, body={"model": "m", "input": "hello"}, headers=key)
        self.assertEqual(status, 200)
        job = json.loads(body)["job_id"]
        _, _, body = self.call(f"{jobs}/{job}", headers=key)
        self.assertEqual(json.loads(body)["status"], "COMPLETED")
        self.assertEqual(self.call(f"{jobs}/{job}", method="DELETE", headers=key)[0], 409)
        self.assertEqual(self.call(jobs, body={"payload": {}}, headers=key)[0], 422)
        status, headers, _ = self.call(jobs, headers=key)
        self.assertEqual((status, headers["Retry-After"]), (429, "60"))

    def test_each_service_has_faults_of_its_own(self):
        for api, fault in (("cyberian", "sse_cut"), ("cyberun", "settled"), ("aitbc", "sse_cut")):
            said = self.run_program("serve", "--api", api, "--faults", fault + "=1", code=2)
            self.assertIn(fault, said.err)
        self.run_program("serve", "--api", "other", code=2)


if __name__ == "__main__":
    unittest.main()
