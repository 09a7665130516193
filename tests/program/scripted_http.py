"""A service that answers what a test tells it to, over plain HTTP."""

import http.server
import json
import socket
import threading

KEY = "cyb_0123456789abcdef0123456789abcdef01234567"


class ScriptedHttp:
    """Routes "METHOD /path" to (status, body): an object as JSON, text or bytes as they are, None for no answer. A list
    is answered one after the other, its last for ever. `seen` has each request's method, path, headers and body."""

    def __init__(self, routes, key=KEY, name="CYBERIAN"):
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.seen.append((self.command, self.path, dict(self.headers), body))
                response = script.routes.get(f"{self.command} {self.path}", (404, {"error": "not_found"}))
                if isinstance(response, list):
                    response = response.pop(0) if len(response) > 1 else response[0]
                if response is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, content = response
                text = content if isinstance(content, bytes) else (
                    content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.routes = dict(routes)
        self.seen = []
        self.api_key = key
        self.name = name  # What the names of the service's variables begin with.
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # Connections that are closed on purpose are no news.
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def environment(self):
        return {f"{self.name}_BASE_URL": f"http://127.0.0.1:{self.server.server_port}",
                f"{self.name}_API_KEY": self.api_key}

    def requests(self, method, path):
        return [one for one in self.seen if one[:2] == (method, path)]

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
